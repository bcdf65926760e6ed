//! While the ids of organization and ad account are known.

use std::collections::BTreeMap;

use asa_operator::api::{AsaCredential, ConditionStatus, ConditionType, Reason};
use fake_apple::{Endpoint, FakeApple};
use futures::future::{join, join_all};

use super::pace::starts_in_time;
use super::table::{Row, api, rows};
use super::{first_without, is, is_complete_now, life, said, since_ready, stays_ready};
use crate::support::fleet::UNPACED;
use crate::support::history::History;
use crate::support::secrets::entries;
use crate::support::stage::Stage;

/// Renewed after 13 to 15 s, which is longer than the ten that a question may take.
const LIFE: u32 = 30;

#[tokio::test]
async fn ids_that_an_api_does_not_confirm_stay_and_are_asked_for_with_the_next_token() {
    let elsewhere = FakeApple::start().await.unwrap();
    let stage = Stage::with_arguments(&UNPACED).await;
    stage.create_key_secret().await;
    let rows = rows(&[Endpoint::AclsV1, Endpoint::AclsV5], &elsewhere.url());
    for row in &rows {
        stage.register(row.client(&stage.key, LIFE));
    }
    let history = stage.history();
    let applied = stage.apply_all(rows.iter().map(Row::document).collect());
    let lives = join_all(rows.iter().map(async |row| {
        history.until(&row.name, "complete", is_complete_now).await;
        stage.apple.state().fail(row.fault(1));
        // Ids are resolved anew once a day, and on demand.
        stage.request_renewal_of(&row.name, "now").await;
        history.until(&row.name, "resolved after a failure", is_over).await;
        // With the first token, on demand, and with the next token.
        history.until_secrets_of(&row.name, 3).await;
        is_told(row, &history.of(&row.name));
        stays_and_is_asked_with_the_next_token(&stage, row, &history);
    }));
    join(applied, lives).await;
    assert!(elsewhere.state().calls().is_empty(), "a redirect was followed");
}

fn is_over(past: &[AsaCredential]) -> bool {
    first_without(past, ConditionType::OrganizationResolved).is_some() && is_complete_now(past)
}

/// Only the one condition tells of it: token and renewals are as good as ever.
fn is_told(row: &Row, past: &[AsaCredential]) {
    let name = &row.name;
    stays_ready(name, past);
    for state in since_ready(past) {
        assert!(is(state, ConditionType::RenewalHealthy, ConditionStatus::True, Reason::OnSchedule), "{name}");
        assert_eq!(said(state, ConditionType::Stalled), None, "{name}");
    }
    let failing = first_without(past, ConditionType::OrganizationResolved).unwrap();
    let (_, reason, words) = said(failing, ConditionType::OrganizationResolved).unwrap();
    assert_eq!(reason, Reason::Unconfirmed.as_str(), "{name}");
    let api = api(row.endpoint).unwrap();
    let ending = format!("; {api} did not confirm them since ({}). It is asked again.", row.what);
    assert!(words.starts_with("The ids stand as of 20") && words.ends_with(&ending), "{name}: {words}");
}

fn stays_and_is_asked_with_the_next_token(stage: &Stage<'_>, row: &Row, history: &History) {
    let name = &row.name;
    let secrets = history.secrets_of(name);
    let ids: Vec<_> = secrets.iter().map(|secret| ids(&entries(secret))).collect();
    assert!(ids.iter().all(|later| *later == ids[0]), "{name}: {ids:?}");

    let unconfirmed = history.of(name);
    let unconfirmed = first_without(&unconfirmed, ConditionType::OrganizationResolved).unwrap();
    let asked = stage.asked_at(&row.client_id(), row.endpoint);
    let [_, unanswered, confirmed] = asked[..] else { panic!("{name}: {asked:?}") };
    let tokens = stage.asked_at(&row.client_id(), Endpoint::Token);
    let next = tokens.into_iter().find(|token| *token > unanswered).unwrap();
    starts_in_time(name, next, life(unconfirmed));
    assert!(confirmed > next, "{name}: not without a new token");
}

/// Everything in the Secret but the token.
fn ids(entries: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let of_token = ["access_token", "authorization", "issued_at", "expires_at"];
    let others = entries.iter().filter(|(name, _)| !of_token.contains(&name.as_str()));
    others.map(|(name, value)| (name.clone(), value.clone())).collect()
}
