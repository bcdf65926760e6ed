//! Keys that Apple knew and refuses now, and keys that only meet a stray refusal.

use asa_operator::api::{ConditionType, Reason};
use fake_apple::{ApiKey, Endpoint, Fault, Program, Standing};
use serde_json::json;

use super::{ISSUER_ID, api_key_with};
use crate::support::a_minute_later;
use crate::support::awaited::{is, message, not_ready, ready, told};
use crate::support::key::KeyPair;
use crate::support::stage::Stage;

/// Names, and the ids of their keys.
const REVOKED: (&str, &str) = ("revoked", "REVOKED401");
const FORBIDDEN: (&str, &str) = ("forbidden", "REVOKED403");
const DOUBTED: (&str, &str) = ("doubted", "STRAY40101");

impl Stage<'_> {
    async fn ready_with(&self, (name, key_id): (&str, &str)) {
        self.register_api_key(ApiKey::team(key_id, ISSUER_ID, self.key.public()));
        self.apply_api_key(api_key_with(&json!({"keyId": key_id})).named(name).key_in("acme-key")).await;
        self.until_api_key_named(name, ready()).await;
    }

    fn probes_of(&self, (_, key_id): (&str, &str)) -> usize {
        self.asked_at(key_id, Endpoint::Apps).len()
    }
}

#[tokio::test]
async fn three_refusals_a_minute_apart_mean_revoked_and_two_mean_nothing() {
    let stage = Stage::new().await;
    stage.create_key_secret().await;
    for key in [REVOKED, FORBIDDEN, DOUBTED] {
        stage.ready_with(key).await;
    }
    let apple = || stage.apple.state();
    assert!(apple().set_standing(Program::AppStore, REVOKED.1, Standing::Revoked));
    assert!(apple().set_standing(Program::AppStore, FORBIDDEN.1, Standing::RevokedAsForbidden));
    apple().fail(Fault::stray_401(Endpoint::Apps).of(DOUBTED.1).times(2));

    for key in [REVOKED, FORBIDDEN, DOUBTED] {
        stage.request_token_of(key.0, "does it still work?").await;
    }

    for (count, key) in [(3, REVOKED), (3, FORBIDDEN), (4, DOUBTED)] {
        for seen in 2..count {
            let probes = async || if stage.probes_of(key) >= seen { Ok(()) } else { Err(stage.probes_of(key)) };
            a_minute_later("the next probe", probes).await;
        }
    }
    for key in [REVOKED, FORBIDDEN] {
        let revoked = a_minute_later("the third refusal", async || {
            let seen = stage.api_keys().get(key.0).await.map_err(|error| error.to_string())?;
            if not_ready(Reason::KeyRevoked).holds(&seen) { Ok(seen) } else { Err(told(&seen)) }
        })
        .await;
        assert!(message(&revoked, ConditionType::Ready).contains("downloads once"));
        assert!(is(ConditionType::Stalled, Reason::KeyRevoked).holds(&revoked));
        let times = stage.asked_at(key.1, Endpoint::Apps);
        let apart = times[1..].windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs());
        assert_eq!(apart.collect::<Vec<_>>(), [60, 60], "a minute apart");
    }
    a_minute_later("a proof", async || {
        let count = stage.probes_of(DOUBTED);
        if count == 4 { Ok(()) } else { Err(count) }
    })
    .await;
    let doubted = stage.until_api_key_named(DOUBTED.0, ready()).await;
    assert!(is(ConditionType::KeyVerified, Reason::Verified).holds(&doubted));
    let warnings = stage.all_events().await;
    assert!(warnings[DOUBTED.0].iter().all(|event| !event.starts_with("Warning")), "{warnings:?}");

    let new = KeyPair::new();
    stage.register_api_key(ApiKey::team("ANEWKEY001", ISSUER_ID, new.public()));
    stage.create_secret("new-key", "Opaque", &[("private-key.pem", new.private())]).await;
    stage.apply_api_key(api_key_with(&json!({"keyId": "ANEWKEY001"})).named(REVOKED.0).key_in("new-key")).await;
    stage.until_api_key_named(REVOKED.0, ready()).await;
}
