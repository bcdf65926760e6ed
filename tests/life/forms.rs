//! What the managed Secret looks like: formats, labels, annotations.

use std::io::Write as _;
use std::process::Command;

use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::support::awaited::ready;
use crate::support::credential::{AD_ACCOUNT, NAME, ORG, PARENT_ORG, credential};
use crate::support::secrets::entries;
use crate::support::stage::Stage;

const FILES: [&str; 4] = ["credentials.json", "credentials.env", "curl-campaign-v5", "curl-platform-v1"];

async fn ready_with(secret: Value) -> Stage<'static> {
    let stage = Stage::new().await;
    stage.upload_key();
    stage.create_key_secret().await;
    stage.apply(credential().with("secret", secret)).await;
    stage.until(ready()).await;
    stage
}

fn labels(secret: &Secret) -> Value {
    json!(secret.metadata.labels)
}

fn annotation(secret: &Secret, name: &str) -> Option<String> {
    secret.metadata.annotations.as_ref()?.get(name).cloned()
}

#[tokio::test]
async fn each_format_says_the_same_in_its_own_way() {
    let stage = ready_with(json!({"formats": ["Json", "Dotenv", "CurlConfig"]})).await;
    let published = stage.published().await;

    let document: Value = serde_json::from_str(&published["credentials.json"]).unwrap();
    assert_eq!(
        document,
        json!({
            "access_token": published["access_token"],
            "token_type": "Bearer",
            "client_id": published["client_id"],
            "issued_at": published["issued_at"],
            "expires_at": published["expires_at"],
            "org_id": ORG,
            "parent_org_id": PARENT_ORG,
            "ad_account_id": AD_ACCOUNT,
        })
    );
    let script = format!("{}\nprintf %s \"$ASA_ACCESS_TOKEN $ASA_ORG_ID\"", published["credentials.env"]);
    let ran = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), format!("{} {ORG}", published["access_token"]));
    for (file, path) in [("curl-platform-v1", "/v1/campaigns"), ("curl-campaign-v5", "/api/v5/campaigns")] {
        let mut config = tempfile::NamedTempFile::new().unwrap();
        config.write_all(published[file].as_bytes()).unwrap();
        let url = format!("{}{path}", stage.apple.url());
        let curl =
            Command::new("curl").args(["--silent", "--fail", "-K"]).arg(config.path()).arg(&url).output().unwrap();
        assert!(curl.status.success(), "{file}: {curl:?}");
    }
}

#[tokio::test]
async fn formats_come_and_go_without_a_new_token() {
    let stage = Stage::ready().await;
    let before = stage.published().await;
    let mark = stage.mark();

    stage.apply(credential().with("secret", json!({"formats": ["Json", "Dotenv", "CurlConfig"]}))).await;
    let has = |secret: &Secret| FILES.iter().all(|file| entries(secret).contains_key(*file));
    let with = entries(&stage.until_secret(NAME, "all formats", has).await);
    assert_eq!(with["access_token"], before["access_token"]);

    stage.apply(credential()).await;
    let has_none = |secret: &Secret| FILES.iter().all(|file| !entries(secret).contains_key(*file));
    assert_eq!(entries(&stage.until_secret(NAME, "no format", has_none).await), before);
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 0);
}

#[tokio::test]
async fn a_format_asked_for_while_the_operator_was_down_costs_one_read_and_no_token() {
    let mut stage = Stage::ready().await;
    let before = stage.published().await;
    stage.kill_operator();
    stage.apply(credential().with("secret", json!({"formats": ["Json"]}))).await;
    let mark = stage.mark();

    stage.start_operator(&[]).await;

    let has = |secret: &Secret| entries(secret).contains_key("credentials.json");
    let with = entries(&stage.until_secret(NAME, "the format", has).await);
    assert_eq!(with["access_token"], before["access_token"]);
    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    let mut work = stage.work_since(&mark);
    work.retain(|line| !line.contains("list") && !line.contains("watch"));
    assert_eq!(work, ["get secrets acme", "patch secrets acme", "update asacredentials/status acme"]);
}

#[tokio::test]
async fn labels_and_annotations_are_kept_in_step_both_ways_and_somebody_elses_stay() {
    let stage = ready_with(json!({
        "labels": {"team": "growth", "example.com/tier": "gold"},
        "annotations": {"example.com/note": "mind the gap"},
    }))
    .await;
    let uid = stage.credential().await.metadata.uid.unwrap();
    let secret = stage.secret(NAME).await;
    assert_eq!(
        labels(&secret),
        json!({"asa-operator.dev/owner-uid": uid, "team": "growth", "example.com/tier": "gold"})
    );
    assert_eq!(annotation(&secret, "example.com/note").as_deref(), Some("mind the gap"));
    let mark = stage.mark();

    // Somebody changes one of ours, takes another away, and adds their own.
    let patch = json!({"metadata": {"labels": {"team": "sales", "example.com/tier": null, "theirs": "stays"}}});
    stage.change_secret(NAME, patch).await;
    let mended = json!({
        "asa-operator.dev/owner-uid": uid, "team": "growth", "example.com/tier": "gold", "theirs": "stays"
    });
    stage.until_secret(NAME, "mended labels", |secret| labels(secret) == mended).await;

    // The spec takes one away and changes another.
    stage.apply(credential().with("secret", json!({"labels": {"team": "brand"}}))).await;
    let changed = json!({"asa-operator.dev/owner-uid": uid, "team": "brand", "theirs": "stays"});
    let secret = stage.until_secret(NAME, "changed labels", |secret| labels(secret) == changed).await;
    assert_eq!(annotation(&secret, "example.com/note"), None);

    stage.apply(credential()).await;
    let bare = json!({"asa-operator.dev/owner-uid": uid, "theirs": "stays"});
    let secret = stage.until_secret(NAME, "no labels", |secret| labels(secret) == bare).await;
    assert_eq!(annotation(&secret, "asa-operator.dev/applied"), None);
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 0, "labels renew nothing");
}
