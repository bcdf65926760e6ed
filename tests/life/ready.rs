//! From `kubectl apply` to a Secret that works.

use asa_operator::api::{AsaCredential, ConditionStatus, Reason};
use fake_apple::{Client, Endpoint, Fault};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use serde_json::{Value, json};

use crate::support::awaited::{conditions, not_ready, ready};
use crate::support::credential::{
    AD_ACCOUNT, CLIENT_ID, CLIENT_SECRET, NAME, ORG, PARENT_ORG, client, client_without_access, credential,
};
use crate::support::secrets::entries;
use crate::support::stage::Stage;

#[tokio::test]
async fn a_new_credential_becomes_ready_and_everything_is_asked_and_written_once() {
    let stage = Stage::new().await;
    let mark = stage.mark();

    let acme = stage.become_ready().await;
    stage.operator_saw_it_all().await;

    let work = stage.work_since(&mark);
    assert_eq!(
        work,
        [
            "apple acls-v1 200",
            "apple acls-v5 200",
            "apple me-v1 200",
            "apple token 200",
            "create events",
            "create secrets acme",
            "create secrets acme-client-secret",
            "get secrets acme-key",
            "update asacredentials/status acme",
        ]
    );
    assert_eq!(stage.events().await, ["Normal Available"]);
    let not_true = conditions(&acme).iter().filter(|condition| condition.status != ConditionStatus::True);
    assert_eq!(not_true.collect::<Vec<_>>(), Vec::<&_>::new());
    assert_eq!(conditions(&acme).len(), 7, "no Reconciling, no Stalled");
}

#[tokio::test]
async fn the_managed_secret_holds_what_the_documentation_lists_and_nothing_else() {
    let stage = Stage::new().await;
    let acme = stage.become_ready().await;
    let secret = stage.secret(NAME).await;

    let published = entries(&secret);
    let token = &published["access_token"];
    let life = acme.status.as_ref().unwrap().access_token.unwrap();
    assert_eq!(
        json!(published),
        json!({
            "access_token": token,
            "token_type": "Bearer",
            "issued_at": life.issued_at.to_string(),
            "expires_at": life.expires_at.to_string(),
            "client_id": CLIENT_ID,
            "org_id": ORG.to_string(),
            "parent_org_id": PARENT_ORG.to_string(),
            "ad_account_id": AD_ACCOUNT.to_string(),
            "authorization": format!("Bearer {token}"),
            "x_ap_context_org": format!("orgId={ORG}"),
            "x_ap_context_ad_account": format!("adAccountId={AD_ACCOUNT}"),
        })
    );
    assert_eq!(life.expires_at.duration_since(life.issued_at).as_secs(), 3600);
    assert!(life.issued_at < life.renewal_time && life.renewal_time < life.expires_at);
    assert_is_of(&secret, &acme, "asa-operator.dev/access-token");
}

#[tokio::test]
async fn both_apis_are_called_with_nothing_but_the_entries_of_the_managed_secret() {
    let stage = Stage::ready().await;
    let published = stage.published().await;

    let (status, body) = stage.call_platform(&published).await;
    assert!(status.is_success() && json_of(&body)["result"][0]["adAccountId"] == AD_ACCOUNT, "{status} {body}");

    let (status, body) = stage.call_campaign_management(&published).await;
    assert!(status.is_success() && json_of(&body)["data"][0]["orgId"] == ORG, "{status} {body}");
}

#[tokio::test]
async fn the_client_secret_serves_tools_that_take_a_hand_made_one() {
    let stage = Stage::new().await;
    let acme = stage.become_ready().await;
    let secret = stage.secret(CLIENT_SECRET).await;
    assert_is_of(&secret, &acme, "asa-operator.dev/client-secret");

    let published = entries(&secret);
    let life = acme.status.unwrap().client_secret.unwrap();
    assert_eq!(published.keys().collect::<Vec<_>>(), ["client_id", "client_secret", "expires_at"]);
    assert_eq!(published["client_id"], CLIENT_ID);
    assert_eq!(published["expires_at"], life.expires_at.to_string());

    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &published["client_id"]),
        ("client_secret", &published["client_secret"]),
        ("scope", "searchadsorg"),
    ];
    let url = format!("{}/auth/oauth2/token", stage.apple.url());
    let answer = reqwest::Client::new().post(url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn status_shows_the_key_and_the_organization_to_compare_with_apples_pages() {
    let stage = Stage::new().await;
    let status = stage.become_ready().await.status.unwrap();

    let key = status.private_key.unwrap();
    assert_eq!((key.public_key.trim(), key.fingerprint), (stage.key.public().trim(), stage.key.fingerprint()));
    assert_eq!(json!(status.organization), json!({"orgId": ORG, "name": "Acme", "parentOrgId": PARENT_ORG}));
    assert_eq!(json!(status.ad_account), json!({"id": AD_ACCOUNT, "name": "Acme Europe", "orgId": PARENT_ORG}));
    assert_eq!(json!(status.binding), json!({"name": NAME}));
    assert_eq!(status.secret.unwrap().resource_version, stage.secret(NAME).await.resource_version().unwrap());
}

#[tokio::test]
async fn without_an_ad_account_the_credential_is_ready_and_says_nothing_of_one() {
    let stage = Stage::new().await;
    stage.register(Client { ad_accounts: Vec::new(), ..client(&stage.key) });
    stage.create_key_secret().await;
    stage.apply(credential()).await;

    let acme = stage.until(ready()).await;

    let published = stage.published().await;
    assert_eq!(published["org_id"], ORG.to_string());
    assert!(!published.contains_key("ad_account_id") && !published.contains_key("x_ap_context_ad_account"));
    assert_eq!(acme.status.unwrap().ad_account, None);
}

#[tokio::test]
async fn only_the_chosen_api_is_asked() {
    let stage = Stage::new().await;
    stage.register(client_without_access(&stage.key).organization(ORG, "Acme"));
    stage.create_key_secret().await;
    let mark = stage.mark();
    stage.apply(credential().with("apis", json!(["CampaignManagementV5"]))).await;

    stage.until(ready()).await;
    stage.event(Reason::Available).await;

    let mut to_apple = stage.work_since(&mark);
    to_apple.retain(|line| line.starts_with("apple"));
    assert_eq!(to_apple, ["apple acls-v5 200", "apple me-v5 200", "apple token 200"]);
}

#[tokio::test]
async fn the_names_that_a_user_gives_to_the_secrets_are_used() {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    let names = credential().with("secret", json!({"name": "token"}));
    let acme = stage.apply(names.with("clientSecret", json!({"secretName": "signed"}))).await;

    stage.until(ready()).await;

    assert_is_of(&stage.secret("token").await, &acme, "asa-operator.dev/access-token");
    assert_is_of(&stage.secret("signed").await, &acme, "asa-operator.dev/client-secret");
    assert!(stage.secrets().get_opt(NAME).await.unwrap().is_none());
    assert!(stage.secrets().get_opt(CLIENT_SECRET).await.unwrap().is_none());
}

#[tokio::test]
async fn the_resource_may_be_applied_by_kubectl_before_its_key_and_before_the_operator() {
    let mut stage = Stage::without_operator(cluster::shared().await).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), credential().document().to_string()).unwrap();
    stage.kubectl_apply(file.path());
    let acme = stage.kubectl(&["get", "asacred", NAME, "--no-headers"]);
    assert!(
        acme.split_whitespace().eq([NAME, "Unknown", "Pending"].into_iter().chain(acme.split_whitespace().skip(3)))
    );

    stage.start_operator(&[]).await;
    stage.upload_key();
    stage.create_key_secret().await;

    stage.until(ready()).await;
    stage.kubectl_apply(file.path());
    stage.kubectl(&["wait", "--for=condition=Ready", "asacred", NAME]);
    stage.kubectl(&["wait", "--for=condition=PrivateKeyLoaded", "asacred", NAME]);
    assert_eq!(stage.credential().await.metadata.generation, Some(1), "applying the same changes nothing");
}

/// Type, marks of ownership, and that nothing forbids anybody to use or delete it.
fn assert_is_of(secret: &Secret, owner: &AsaCredential, type_: &str) {
    assert_eq!(secret.type_.as_deref(), Some(type_));
    let uid = owner.uid().unwrap();
    assert_eq!(secret.labels().get("asa-operator.dev/owner-uid"), Some(&uid));
    assert_eq!(
        json!(secret.owner_references()),
        json!([{
            "apiVersion": "asa-operator.dev/v1alpha1",
            "kind": "AsaCredential",
            "name": NAME,
            "uid": uid,
            "controller": true,
        }])
    );
    assert_eq!(secret.finalizers(), Vec::<String>::new());
    assert_eq!(secret.immutable, None);
}

fn json_of(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn a_first_token_is_not_published_before_an_api_has_proved_it() {
    let stage = Stage::new().await;
    for endpoint in [Endpoint::MeV1, Endpoint::MeV5] {
        stage.apple.state().fail(Fault::at(endpoint).status(500));
    }
    stage.upload_key();
    stage.create_key_secret().await;
    stage.apply(credential()).await;

    stage.until(not_ready(Reason::AppleUnavailable)).await;
    assert!(stage.secrets().get_opt(NAME).await.unwrap().is_none());

    stage.apple.state().clear_faults();
    stage.until(ready()).await;
}
