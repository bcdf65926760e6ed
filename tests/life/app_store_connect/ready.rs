//! From `kubectl apply` to a Secret that works.

use asa_operator::api::{ConditionStatus, ConditionType, Reason};
use fake_apple::{ApiKey, Endpoint, Fault, Standing};
use kube::ResourceExt as _;
use serde_json::{Value, json};

use super::{ISSUER_ID, KEY_ID, STATUS, api_key, api_key_with};
use crate::support::awaited::{conditions, is, message, not_ready, ready, unknown};
use crate::support::credential::NAME;
use crate::support::stage::Stage;

/// What a new credential takes; the probe comes first.
fn work(probe: &str) -> Vec<String> {
    let all = ["create events", "create secrets acme", "get secrets acme-key", STATUS];
    let mut work: Vec<String> = all.into_iter().chain([probe]).map(ToOwned::to_owned).collect();
    work.sort();
    work
}

#[tokio::test]
async fn team_individual_and_enterprise_keys_become_ready_with_one_probe_and_one_write() {
    let table = [
        (json!({}), "/app-store-connect/v1/apps?limit=1", "apple apps 200"),
        (json!({"keyType": "Individual", "issuerId": null}), "/app-store-connect/v1/apps?limit=1", "apple apps 200"),
        (json!({"program": "Enterprise"}), "/enterprise/v1/bundleIds?limit=1", "apple bundle-ids 200"),
    ];
    for (fields, path, probe) in table {
        let stage = Stage::new().await;
        stage.register_api_key(match probe {
            "apple bundle-ids 200" => ApiKey::enterprise(KEY_ID, ISSUER_ID, stage.key.public()),
            _ if fields == json!({}) => stage.team_key(),
            _ => ApiKey::individual(KEY_ID, stage.key.public()),
        });
        stage.create_key_secret().await;
        let mark = stage.mark();

        stage.apply_api_key(api_key_with(&fields)).await;

        let acme = stage.until_api_key(ready()).await;
        stage.event(Reason::Available).await;
        stage.operator_saw_all_api_keys().await;
        assert_eq!(stage.work_since(&mark), work(probe), "{fields}");
        assert!(conditions(&acme).iter().all(|condition| condition.status == ConditionStatus::True), "{acme:?}");
        assert_eq!(conditions(&acme).len(), 6, "no Reconciling, no Stalled");
        assert_eq!(stage.call_app_store_connect(path).await, 200, "{fields}");
    }
}

#[tokio::test]
async fn the_managed_secret_holds_what_the_documentation_lists_and_nothing_else() {
    let stage = Stage::with_ready_api_key().await;
    let acme = stage.until_api_key(ready()).await;
    let secret = stage.secret(NAME).await;

    let published = stage.published().await;
    let life = acme.status.as_ref().unwrap().access_token.unwrap();
    let token = &published["token"];
    let expected = json!({
        "token": token,
        "authorization": format!("Bearer {token}"),
        "key_id": KEY_ID,
        "issuer_id": ISSUER_ID,
        "issued_at": life.issued_at.to_string(),
        "expires_at": life.expires_at.to_string(),
    });
    assert_eq!(json!(published), expected);
    assert_eq!(life.expires_at.duration_since(life.issued_at).as_secs(), 19 * 60, "20 minutes, a minute of them past");
    assert_eq!(secret.type_.as_deref(), Some("asa-operator.dev/app-store-connect-token"));
    assert_eq!(secret.owner_references()[0].kind, "AppStoreConnectCredential");
    assert_eq!(secret.owner_references()[0].uid, acme.uid().unwrap());
    let status: Value = json!(acme.status);
    assert_eq!(status["privateKey"]["fingerprint"], stage.key.fingerprint());
    assert_eq!(status["binding"]["name"], NAME);
    assert!(["clientSecret", "organization", "adAccount"].iter().all(|field| status[field].is_null()), "{status}");
}

#[tokio::test]
async fn the_formats_say_it_all_once_more() {
    let stage = Stage::new().await;
    let formats = json!({"secret": {"formats": ["Json", "Dotenv", "CurlConfig"]}});
    stage.begin_with(stage.team_key(), api_key_with(&formats)).await;
    stage.until_api_key(ready()).await;

    let published = stage.published().await;
    let token = &published["token"];
    let document: Value = serde_json::from_str(&published["credentials.json"]).unwrap();
    assert_eq!(document["token"], *token);
    assert_eq!(document["key_id"], KEY_ID);
    assert!(published["credentials.env"].contains(&format!("ASC_TOKEN={token}\n")));
    assert_eq!(published["curl-app-store-connect"], format!("header = \"Authorization: Bearer {token}\"\n"));
    assert_eq!(published.len(), 9, "{:?}", published.keys());
}

#[tokio::test]
async fn a_token_with_a_scope_lives_long_and_serves_for_that_scope() {
    let stage = Stage::new().await;
    let token = json!({"lifetime": "4320h", "scope": ["GET /v1/ciProducts"]});
    stage.begin_with(stage.team_key(), api_key_with(&json!({"token": token}))).await;

    let acme = stage.until_api_key(ready()).await;

    let life = acme.status.unwrap().access_token.unwrap();
    assert_eq!(life.expires_at.duration_since(life.issued_at).as_hours(), 4319);
    assert_eq!(stage.call_app_store_connect("/app-store-connect/v1/ciProducts").await, 200);
    assert_eq!(stage.call_app_store_connect("/app-store-connect/v1/apps?limit=1").await, 401);
}

#[tokio::test]
async fn with_verify_none_apple_is_asked_nothing() {
    let stage = Stage::new().await;
    let mark = stage.mark();
    stage.create_key_secret().await;
    stage.apply_api_key(api_key_with(&json!({"verify": "None"}))).await;

    stage.until_api_key(ready()).await;
    stage.until_api_key(unknown(ConditionType::KeyVerified, Reason::NotVerified)).await;
    stage.request_token_of(NAME, "now").await;
    stage.operator_saw_all_api_keys().await;

    assert!(stage.work_since(&mark).iter().all(|line| !line.starts_with("apple")));
}

#[tokio::test]
async fn a_key_of_a_narrow_role_is_a_good_key() {
    let stage = Stage::new().await;
    stage.begin_with(stage.team_key().standing(Standing::NarrowRole), api_key()).await;

    stage.until_api_key(ready()).await;
    let acme = stage.until_api_key(is(ConditionType::KeyVerified, Reason::Verified)).await;
    assert!(message(&acme, ConditionType::KeyVerified).contains("role"));
}

#[tokio::test]
async fn a_missing_agreement_is_not_the_keys_fault_and_is_over_on_demand() {
    let stage = Stage::new().await;
    stage.begin_with(stage.team_key().standing(Standing::AgreementMissing), api_key()).await;

    let acme = stage.until_api_key(not_ready(Reason::AgreementMissing)).await;
    stage.until_api_key(is(ConditionType::KeyVerified, Reason::AgreementMissing)).await;
    assert!(message(&acme, ConditionType::Ready).contains("agreement"));
    assert!(conditions(&acme).iter().all(|condition| condition.type_ != "Stalled"));
    assert!(stage.published().await.contains_key("token"), "whoever accepts the agreement need not wait");
    let program = fake_apple::Program::AppStore;
    assert!(stage.apple.state().set_standing(program, KEY_ID, Standing::Good));

    stage.request_token_late(NAME).await;
    stage.until_api_key(ready()).await;
}

#[tokio::test]
async fn without_an_answer_the_first_token_is_published_and_the_key_unverified() {
    let table = [
        (Fault::at(Endpoint::Apps).status(503), Reason::AppleUnavailable),
        (Fault::at(Endpoint::Apps).status(429).header("Retry-After", "120"), Reason::Throttled),
        (Fault::at(Endpoint::Apps).status(403).body("<html>"), Reason::AccessDenied),
    ];
    for (fault, reason) in table {
        let stage = Stage::new().await;
        stage.apple.state().fail(fault);
        stage.begin_with(stage.team_key(), api_key()).await;

        stage.until_api_key(ready()).await;
        stage.until_api_key(unknown(ConditionType::KeyVerified, reason)).await;
        assert_eq!(stage.published().await["key_id"], KEY_ID);
    }
}

impl Stage<'_> {
    /// Asks for a renewal until one is served: at most one a minute is.
    async fn request_token_late(&self, name: &str) {
        self.request_token_of(name, "at last").await;
        crate::support::a_minute_later("an answer to the request", async || {
            let seen = self.api_keys().get(name).await.map_err(|error| error.to_string())?;
            let handled = seen.status.and_then(|status| status.last_handled_reconcile_at);
            if handled.as_deref() == Some("at last") { Ok(()) } else { Err(format!("{handled:?}")) }
        })
        .await;
    }
}
