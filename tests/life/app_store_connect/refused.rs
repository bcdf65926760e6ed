//! Keys that Apple does not know.

use asa_operator::api::{ConditionType, Reason};
use fake_apple::{ApiKey, Settings, Standing};
use kube::api::DeleteParams;
use serde_json::{Value, json};

use super::{ISSUER_ID, KEY_ID, api_key, api_key_with};
use crate::support::awaited::{is, message, not_ready, ready};
use crate::support::credential::NAME;
use crate::support::key::KeyPair;
use crate::support::stage::Stage;

/// What Apple knows, what the resource says, and a word that the message has to have.
fn table(public: &str) -> Vec<(ApiKey, Value, &'static str)> {
    let team = || ApiKey::team(KEY_ID, ISSUER_ID, public);
    vec![
        (ApiKey::team("AAAAAAAAAA", ISSUER_ID, public), json!({}), "keyId"),
        (ApiKey::team(KEY_ID, "00000000-96fe-1a63-e053-0824d011072a", public), json!({}), "issuerId"),
        (ApiKey::team(KEY_ID, ISSUER_ID, KeyPair::new().public()), json!({}), ".p8"),
        (ApiKey::enterprise(KEY_ID, ISSUER_ID, public), json!({}), "program Enterprise"),
        (team(), json!({"program": "Enterprise"}), "program AppStore"),
        (team(), json!({"keyType": "Individual", "issuerId": null}), "keyId"),
        (team().standing(Standing::Revoked), json!({}), "revoked"),
        (team().standing(Standing::RevokedAsForbidden), json!({}), "revoked"),
    ]
}

#[tokio::test]
async fn nothing_is_published_for_a_key_that_apple_refuses_and_the_message_says_what_to_compare() {
    let stage = Stage::new().await;
    stage.create_key_secret().await;
    for (number, (key, fields, word)) in table(&stage.key.public()).into_iter().enumerate() {
        let name = format!("refused-{number}");
        let (program, key_id) = (key.program, key.key_id.clone());
        stage.register_api_key(key);

        stage.apply_api_key(api_key_with(&fields).named(&name).key_in("acme-key")).await;

        let refused = stage.until_api_key_named(&name, not_ready(Reason::KeyRejected)).await;
        let said = message(&refused, ConditionType::Ready);
        assert!(said.contains("NOT_AUTHORIZED") && said.contains(word), "{fields}: {said}");
        assert!(is(ConditionType::Stalled, Reason::KeyRejected).holds(&refused));
        assert_eq!(stage.secrets().get_opt(&name).await.unwrap(), None, "{fields}");
        assert!(stage.apple.state().remove_api_key(program, &key_id));
        stage.api_keys().delete(&name, &DeleteParams::default()).await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_of_apples_is_named_and_not_the_key() {
    let stage = Stage::new().await;
    let settings = Settings { clock_offset_seconds: -300, ..stage.apple.state().settings().clone() };
    stage.apple.state().set_settings(settings.clone());
    stage.begin_with(stage.team_key(), api_key()).await;

    let acme = stage.until_api_key(not_ready(Reason::ClockSkewed)).await;
    assert!(message(&acme, ConditionType::Ready).contains("ahead"), "{}", message(&acme, ConditionType::Ready));

    stage.apple.state().set_settings(Settings { clock_offset_seconds: 0, ..settings });
    stage.request_token_of(NAME, "the clock is right").await;
    stage.until_api_key_late(ready()).await;
}

#[tokio::test]
async fn a_corrected_spec_and_a_replaced_key_are_tried_at_once() {
    let stage = Stage::new().await;
    stage.begin_with(stage.team_key(), api_key_with(&json!({"keyId": "AAAAAAAAAA"}))).await;
    stage.until_api_key(not_ready(Reason::KeyRejected)).await;

    stage.apply_api_key(api_key()).await;
    stage.until_api_key(ready()).await;

    let new = KeyPair::new();
    stage.register_api_key(ApiKey::team("BBBBBBBBBB", ISSUER_ID, new.public()));
    let old = stage.published().await;
    stage.write_entry("acme-key", "private-key.pem", new.private()).await;
    // Half a change raises no alarm, and the published token stays.
    stage.operator_saw_all_api_keys().await;
    assert!(ready().holds(&stage.api_keys().get(NAME).await.unwrap()));
    assert_eq!(stage.published().await, old);

    stage.apply_api_key(api_key_with(&json!({"keyId": "BBBBBBBBBB"}))).await;
    stage
        .until_secret(NAME, "the new key's token", |secret| {
            crate::support::secrets::entries(secret)["key_id"] == "BBBBBBBBBB"
        })
        .await;
    assert_eq!(stage.call_app_store_connect("/app-store-connect/v1/apps?limit=1").await, 200);
    stage.until_api_key(ready()).await;
}
