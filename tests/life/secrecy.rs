//! Nothing secret is ever told.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::support::credential::{CLIENT_SECRET, KEY_SECRET, NAME};
use crate::support::secrets::entries;
use crate::support::stage::Stage;

/// Entries that anybody may know.
const HARMLESS: [&str; 9] = [
    "ad_account_id",
    "client_id",
    "expires_at",
    "issued_at",
    "org_id",
    "parent_org_id",
    "token_type",
    "x_ap_context_ad_account",
    "x_ap_context_org",
];

/// So many first characters of a secret are as bad as the whole.
const TELLING: usize = 12;

impl Stage<'_> {
    /// What must not be told of a Secret: each secret value, its base64 as the API server sends it, and of a key each line.
    async fn canaries(&self, name: &str) -> BTreeSet<String> {
        let mut canaries = BTreeSet::new();
        for (entry, value) in entries(&self.secret(name).await) {
            if HARMLESS.contains(&entry.as_str()) {
                continue;
            }
            let value = value.trim_start_matches("Bearer ");
            canaries.insert(BASE64_STANDARD.encode(value));
            // Payload and signature of a JWT, or segments of a token, would be told without its well-known header.
            canaries.extend(value.split(['\n', '.']).filter(|part| !part.starts_with("-----")).map(str::to_owned));
        }
        canaries.retain(|canary| canary.len() > TELLING);
        canaries
    }
}

#[tokio::test]
async fn the_whole_log_at_its_most_talkative_tells_no_secret() {
    let stage = Stage::with_arguments(&["--log-filter", "trace"]).await;
    stage.apple.state().set_token_life(8);
    stage.become_ready().await;
    let mut canaries = stage.canaries(KEY_SECRET).await;
    canaries.extend(stage.canaries(CLIENT_SECRET).await);
    canaries.extend(stage.canaries(NAME).await);
    let mark = stage.mark();
    stage.operator_renewed(&mark, 1).await;
    canaries.extend(stage.canaries(NAME).await);
    stage.delete_secret(NAME).await;
    stage.until_secret(NAME, "the Secret", |_| true).await;
    stage.write_entry(KEY_SECRET, "private-key.pem", &stage.key.private()[..200]).await;
    stage.operator_saw_it_all().await;

    let told = [
        stage.operator_log(),
        json!(stage.credential().await).to_string(),
        stage.kubectl(&["get", "events", "--output=yaml"]),
    ];

    for target in ["hyper_util", "kube_client::client::builder", "reqwest", "asa_operator"] {
        assert!(told[0].contains(&format!(r#""target":"{target}"#)), "no line of {target}: a deaf test proves nothing");
    }
    assert!(canaries.len() >= 8, "{}", canaries.len());
    for canary in canaries {
        let beginning = &canary[..TELLING];
        let line = told.iter().flat_map(|text| text.lines()).find(|line| line.contains(beginning));
        assert_eq!(line, None, "{canary}");
    }
}
