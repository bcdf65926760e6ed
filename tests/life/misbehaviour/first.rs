//! While there is no token yet.

use asa_operator::api::{ConditionStatus, ConditionType, Reason};
use fake_apple::{Endpoint, FakeApple};
use futures::future::join_all;

use super::pace::doubles;
use super::table::{Row, api, rows};
use super::{first_without, is, is_complete_now, said};
use crate::support::fleet::UNPACED;
use crate::support::history::History;
use crate::support::secrets::entries;
use crate::support::stage::Stage;

/// So often it fails: attempts that take no time, and those that take ten seconds.
const FAILURES: (usize, usize) = (3, 2);

/// All rows of these endpoints, each over, with the history of each.
async fn all_over(endpoints: &[Endpoint]) -> (Stage<'static>, History, Vec<Row>) {
    let elsewhere = FakeApple::start().await.unwrap();
    let stage = Stage::with_arguments(&UNPACED).await;
    stage.create_key_secret().await;
    let rows = rows(endpoints, &elsewhere.url());
    for row in &rows {
        stage.register(row.client(&stage.key, 3600));
        stage.apple.state().fail(row.fault(row.failures(FAILURES)));
    }
    let history = stage.history();
    stage.apply_all(rows.iter().map(Row::document).collect()).await;

    join_all(rows.iter().map(|row| history.until(&row.name, "complete", is_complete_now))).await;
    assert!(elsewhere.state().calls().is_empty(), "a redirect was followed");
    (stage, history, rows)
}

#[tokio::test]
async fn a_first_token_that_cannot_be_had_or_proved_is_told_and_tried_again_after_1_2_and_4_seconds() {
    let endpoints = [Endpoint::Token, Endpoint::MeV1, Endpoint::MeV5];
    let (stage, history, rows) = all_over(&endpoints).await;

    for row in &rows {
        let name = &row.name;
        let past = history.of(name);
        let failing = first_without(&past, ConditionType::Ready).unwrap_or_else(|| panic!("{name} never failed"));
        let words = row.words();
        let no = Some((ConditionStatus::False, row.reason.as_str(), &*words));
        for type_ in [ConditionType::Ready, ConditionType::AccessTokenIssued, ConditionType::RenewalHealthy] {
            assert_eq!(said(failing, type_), no, "{name}: {type_}");
        }
        let under_way = Some((ConditionStatus::True, row.reason.as_str(), &*words));
        assert_eq!(said(failing, ConditionType::Reconciling), under_way, "{name}");
        assert!(past.iter().all(|state| said(state, ConditionType::Stalled).is_none()), "{name}");

        let attempts = stage.asked_at(&row.client_id(), row.endpoint);
        assert_eq!(attempts.len(), row.failures(FAILURES) + 1, "{name}: {attempts:?}");
        doubles(name, &attempts, row.takes);
        if row.endpoint != Endpoint::Token {
            assert_eq!(stage.asked_at(&row.client_id(), Endpoint::Token).len(), 1, "{name}: the token in hand serves");
        }
        // What is published is what Apple issued and an API accepted, from the first state on.
        history.until_secrets_of(name, 1).await;
        let secrets = history.secrets_of(name);
        assert_eq!(secrets.len(), 1, "{name}");
        assert!(stage.is_accepted(&entries(&secrets[0])["authorization"]).await, "{name}");
    }
}

#[tokio::test]
async fn ids_that_no_api_tells_are_asked_for_again_after_1_2_and_4_seconds_and_added_to_the_same_token() {
    let (stage, history, rows) = all_over(&[Endpoint::AclsV1, Endpoint::AclsV5]).await;

    for row in &rows {
        let name = &row.name;
        let past = history.of(name);
        let failing = first_without(&past, ConditionType::Ready).unwrap_or_else(|| panic!("{name} never failed"));
        let words = format!("{} told no ids: {}. It is asked again.", api(row.endpoint).unwrap(), row.what);
        let no = Some((ConditionStatus::False, row.reason.as_str(), &*words));
        for type_ in [ConditionType::Ready, ConditionType::OrganizationResolved] {
            assert_eq!(said(failing, type_), no, "{name}: {type_}");
        }
        assert!(is(failing, ConditionType::RenewalHealthy, ConditionStatus::True, Reason::OnSchedule), "{name}");

        let attempts = stage.asked_at(&row.client_id(), row.endpoint);
        assert_eq!(attempts.len(), row.failures(FAILURES) + 1, "{name}: {attempts:?}");
        doubles(name, &attempts, row.takes);
        assert_eq!(stage.asked_at(&row.client_id(), Endpoint::Token).len(), 1, "{name}: the token in hand serves");

        history.until_secrets_of(name, 2).await;
        let secrets: Vec<_> = history.secrets_of(name).iter().map(entries).collect();
        let [without, with] = &secrets[..] else { panic!("{name}: {} states of the Secret", secrets.len()) };
        let id = if row.endpoint == Endpoint::AclsV1 { "ad_account_id" } else { "org_id" };
        assert!(!without.contains_key(id) && with.contains_key(id), "{name}");
        assert!(without.iter().all(|(entry, value)| with.get(entry) == Some(value)), "{name}: nothing else changed");
    }
}
