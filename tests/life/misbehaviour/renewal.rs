//! While a token lives.

use asa_operator::api::names::ANNOTATION_RECORD;
use asa_operator::api::{AsaCredential, ConditionStatus, ConditionType, Reason};
use fake_apple::{Endpoint, FakeApple};
use futures::future::{join, join_all};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;

use super::pace::{keeps_to_a_quarter, starts_in_time};
use super::table::{Row, rows};
use super::{first_without, has_recovered, is, is_complete_now, life, said, since_ready, stays_ready, while_it_works};
use crate::support::fleet::UNPACED;
use crate::support::history::History;
use crate::support::secrets::entries;
use crate::support::stage::Stage;

/// Renewed after 18 to 20 s.
const LIFE: u32 = 40;

/// So often it fails: attempts that take no time, and those that take ten seconds. The first of them are 1, 2, 4, 3.25 and
/// 2.5 s apart: if waits went on doubling, the fifth would end after the token.
const FAILURES: (usize, usize) = (5, 1);

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_token_in_place_and_is_made_up_for_before_its_end() {
    let elsewhere = FakeApple::start().await.unwrap();
    let stage = Stage::with_arguments(&UNPACED).await;
    stage.create_key_secret().await;
    let rows = rows(&[Endpoint::Token, Endpoint::MeV1, Endpoint::MeV5], &elsewhere.url());
    for row in &rows {
        stage.register(row.client(&stage.key, LIFE));
    }
    let history = stage.history();
    let applied = stage.apply_all(rows.iter().map(Row::document).collect());
    let lives = join_all(rows.iter().map(async |row| {
        history.until(&row.name, "complete", is_complete_now).await;
        stage.apple.state().fail(row.fault(row.failures(FAILURES)));
        history.until(&row.name, "renewed after a failure", has_recovered).await;
        history.until_secrets_of(&row.name, 2).await;
        is_told(row, &history.of(&row.name));
        is_made_up_for(&stage, row, &history);
    }));
    join(applied, lives).await;
    assert!(elsewhere.state().calls().is_empty(), "a redirect was followed");
}

/// What is published works; that its renewal fails, why, and until when there is time, only `RenewalHealthy` tells.
fn is_told(row: &Row, past: &[AsaCredential]) {
    let name = &row.name;
    stays_ready(name, past);
    let past = since_ready(past);
    for state in past {
        for type_ in [ConditionType::Stalled, ConditionType::Reconciling] {
            assert_eq!(said(state, type_), None, "{name}: {type_}");
        }
        assert!(is(state, ConditionType::AccessTokenIssued, ConditionStatus::True, Reason::Issued), "{name}");
    }
    let failing = first_without(past, ConditionType::RenewalHealthy).unwrap();
    let words = while_it_works(&past[0], &row.words());
    let no = Some((ConditionStatus::False, row.reason.as_str(), &*words));
    assert_eq!(said(failing, ConditionType::RenewalHealthy), no, "{name}");
}

/// Asked for in time, again as often as promised, and the old token is there, byte for byte, until the new one is.
fn is_made_up_for(stage: &Stage<'_>, row: &Row, history: &History) {
    let name = &row.name;
    let old = life(&since_ready(&history.of(name))[0]);
    // The first one was for the first token.
    let attempts = stage.asked_at(&row.client_id(), row.endpoint).split_off(1);
    let failures = row.failures(FAILURES);
    assert!(attempts.len() > failures, "{name}: {attempts:?}");
    starts_in_time(name, attempts[0], old);
    keeps_to_a_quarter(name, &attempts[..=failures], row.takes, old.expires_at);
    assert!(attempts[failures] < old.expires_at, "{name}");

    let secrets = history.secrets_of(name);
    let token = |secret: &Secret| entries(secret)["access_token"].clone();
    // On a busy machine the last chance may come before the proof, which is then written too.
    let is_proved_now = |secret: &Secret| secret.annotations()[ANNOTATION_RECORD].contains("\"unverified\":true");
    let renews = |two: &[Secret]| token(&two[0]) != token(&two[1]) || is_proved_now(&two[0]);
    assert!(secrets.windows(2).all(renews), "{name}: a write that renewed nothing");
}
