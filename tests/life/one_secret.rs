//! Several resources that name one Secret: one has it, and the others say who.

use std::time::Duration;

use asa_operator::api::{ConditionType, Reason};
use kube::api::DeleteParams;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::awaited::{message, not_ready, ready};
use crate::support::credential::{Credential, KEY_SECRET, credential, other_client};
use crate::support::eventually;
use crate::support::stage::Stage;

fn client_id(name: &str) -> String {
    format!("SEARCHADS.{name}")
}

/// A credential of its own client, whose Secrets have these names.
fn writing(name: &str, secret: Value, client_secret: &str) -> Credential {
    let document = credential().of_client(&client_id(name)).named(name).key_in(KEY_SECRET);
    document.with("secret", secret).with("clientSecret", json!({"secretName": client_secret}))
}

impl Stage<'_> {
    async fn apply_with_client(&self, document: Credential) {
        self.register(other_client(&client_id(document.name()), self.key.public()));
        self.apply(document).await;
    }

    async fn until_ready(&self, name: &str) {
        self.until_named(name, "Ready", |seen| ready().holds(seen)).await;
    }

    /// Waits until `loser` says that `holder` has the Secret.
    async fn until_lost(&self, loser: &str, secret: &str, holder: &str) {
        let seen = self.until_named(loser, "refusal", |seen| not_ready(Reason::SecretNotOwned).holds(seen)).await;
        let words = message(&seen, ConditionType::Ready);
        let expected = format!("Secret {secret} belongs to AsaCredential {holder}, so it is left alone. ");
        assert!(words.starts_with(&expected), "{words}");
    }
}

#[tokio::test]
async fn in_a_minute_nobody_writes_a_secret_that_two_resources_name_and_the_next_one_has_it_when_the_first_goes() {
    let mut stage = Stage::new().await;
    stage.create_key_secret().await;
    for document in [
        writing("first", json!({"name": "shared"}), "first-signed"),
        writing("keeper", json!({"name": "kept", "deletionPolicy": "Retain"}), "keeper-signed"),
    ] {
        stage.apply_with_client(document).await;
    }
    stage.until_ready("first").await;
    stage.until_ready("keeper").await;
    for document in [
        writing("second", json!({"name": "shared"}), "second-signed"),
        writing("third", json!({"name": "first-signed"}), "third-signed"),
        writing("fourth", json!({"name": "fourth"}), "shared"),
        writing("heir", json!({"name": "kept", "adoption": "IfUnowned"}), "heir-signed"),
    ] {
        stage.apply_with_client(document).await;
    }
    let losers = [("second", "shared", "first"), ("third", "first-signed", "first"), ("fourth", "shared", "first")];
    for (loser, secret, holder) in losers.into_iter().chain([("heir", "kept", "keeper")]) {
        stage.until_lost(loser, secret, holder).await;
    }
    // Two that an operator sees for the first time at once, each with the other's names.
    stage.kill_operator();
    for (name, secret, signed) in [("this", "x", "y"), ("that", "y", "x")] {
        stage.apply_with_client(writing(name, json!({"name": secret}), signed)).await;
    }
    stage.start_operator(&[]).await;
    for name in ["this", "that"] {
        let decided = |seen: &_| ready().holds(seen) || not_ready(Reason::SecretNotOwned).holds(seen);
        stage.until_named(name, "decided", decided).await;
    }
    stage.operator_saw_it_all().await;
    // Events are made at leisure.
    eventually("Events", async || {
        let told = stage.all_events().await;
        if ["this", "that"].iter().all(|name| told.contains_key(*name)) { Ok(()) } else { Err(told.len()) }
    })
    .await;
    let mark = stage.mark();

    sleep(Duration::from_mins(1)).await;
    assert_eq!(stage.work_since(&mark), Vec::<String>::new());

    for holder in ["first", "keeper"] {
        stage.credentials().delete(holder, &DeleteParams::background()).await.unwrap();
    }
    for next in ["third", "heir"] {
        stage.until_ready(next).await;
    }
}
