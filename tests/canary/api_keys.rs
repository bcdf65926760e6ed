//! The same of API keys of App Store Connect: one credential for each mishap, with a key id of its own at Apple.

use asa_operator::api::{AppStoreConnectCredential, Reason};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use fake_apple::{ApiKey, Program, Standing};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::between::{Answer, Asked, Between, Trick};
use crate::mishaps::{Mishap, Place, apple, bearer, cut_off, entry, html, mishap, status};
use crate::needles::hex;
use crate::seen::Seen;
use crate::support::awaited::{Awaited, not_ready, ready, told};
use crate::support::key::KeyPair;
use crate::support::secrets::entries;
use crate::support::stage::Stage;
use crate::support::{a_minute_later, eventually};

const ISSUER_ID: &str = "57246542-96fe-1a63-e053-0824d011072a";

/// Meets no mishap at first, and its renewal is then quoted.
pub(crate) const RENEWED: &str = "api-renewed";

/// Apple accepts its key at first, and then never again.
const REVOKED: &str = "api-revoked";

/// Apple never knew its key.
const UNKNOWN: &str = "api-unknown";

/// All of them that meet an `AppStoreConnectCredential`.
fn mishaps() -> Vec<Mishap> {
    use Place::{Create, Probe};
    vec![
        mishap(UNKNOWN, Probe, not_ready(Reason::KeyRejected), |asked, _| refusal(401, asked)),
        mishap("cut-off", Probe, ready(), |_, answer| cut_off(answer)),
        mishap("as-code", Probe, ready(), |asked, _| coded(401, bearer(asked))),
        mishap("as-part", Probe, ready(), |asked, _| coded(403, &format!("NOT_AUTHORIZED.{}", signature(asked)))),
        mishap("as-hex", Probe, ready(), |asked, _| coded(401, &hex(signature(asked).as_bytes()))),
        mishap("as-base64", Probe, ready(), |asked, _| coded(403, &BASE64_STANDARD.encode(signature(asked)))),
        mishap("as-claims", Probe, ready(), |asked, _| coded(409, bearer(asked).split('.').nth(1).unwrap())),
        mishap("as-data", Probe, ready(), |asked, _| apple(200, &json!({"data": bearer(asked)}))),
        mishap("in-a-page", Probe, ready(), |asked, _| html(401, bearer(asked))),
        mishap("in-headers", Probe, ready(), |asked, _| in_headers(429, bearer(asked))),
        mishap("redirected", Probe, ready(), |asked, _| in_headers(302, bearer(asked))),
        mishap("written-1", Create, ready(), |asked, _| status(403, "Forbidden", &asked.body)),
        mishap("written-2", Create, ready(), |asked, _| status(403, "Forbidden", &entry(&asked.body, "token"))),
        mishap("written-3", Create, ready(), |asked, _| html(500, &asked.body)),
    ]
}

/// A refusal in Apple's form that quotes the token wherever it can: in its words, and as a code before its own.
fn refusal(status: u16, asked: &Asked) -> Answer {
    let token = bearer(asked);
    let quoting = json!({"id": token, "code": token, "title": token, "detail": token});
    let own =
        json!({"id": hex(token.as_bytes()), "code": "NOT_AUTHORIZED", "title": token, "detail": signature(asked)});
    apple(status, &json!({"errors": [quoting, own]}))
}

fn coded(status: u16, code: &str) -> Answer {
    apple(status, &json!({"errors": [{"id": code, "status": status, "code": code, "title": code, "detail": code}]}))
}

fn in_headers(status: u16, token: &str) -> Answer {
    Answer {
        status,
        headers: vec![
            ("location", format!("https://x.invalid/?{token}")),
            ("retry-after", token.to_owned()),
            ("x-rate-limit", format!("user-hour-lim:{token};user-hour-rem:{token};")),
        ],
        ..Answer::default()
    }
}

fn signature(asked: &Asked) -> &str {
    bearer(asked).rsplit('.').next().unwrap()
}

/// The key id of the credential `name`: ten capitals and digits, of which names that differ early have different ones.
pub(crate) fn key_id(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric).chain(std::iter::repeat('0'));
    letters.take(10).collect::<String>().to_uppercase()
}

/// The key id in the header of the token that is sent.
pub(crate) fn key_id_in(asked: &Asked) -> String {
    let header = bearer(asked).split('.').next().unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    header["kid"].as_str().unwrap_or_default().to_owned()
}

fn document(name: &str) -> Value {
    json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AppStoreConnectCredential",
        "metadata": {"name": name},
        "spec": {
            "keyId": key_id(name),
            "issuerId": ISSUER_ID,
            "privateKey": {"secretRef": {"name": KEY_SECRET}},
            "secret": {"formats": ["Json", "Dotenv", "CurlConfig"]},
        },
    })
}

/// The Secret with the key that all of them share.
const KEY_SECRET: &str = "api-key";

/// The documents of the user: the Secret with `key`, and a credential for each mishap. Apple knows all keys but one.
pub(crate) fn documents(stage: &Stage<'_>, key: &KeyPair) -> Vec<Value> {
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": KEY_SECRET},
        "stringData": {"private-key.pem": key.private()},
    });
    let names = mishaps().into_iter().map(|mishap| mishap.name).chain([RENEWED, REVOKED]);
    let documents = names.map(|name| {
        if name != UNKNOWN {
            stage.apple.state().register_api_key(ApiKey::team(key_id(name), ISSUER_ID, key.public())).unwrap();
        }
        document(name)
    });
    [secret].into_iter().chain(documents).collect()
}

/// Lies in wait for them.
pub(crate) fn lie_in_wait(seen: &Seen, apple: &Between, api_server: &Between) {
    for mishap in mishaps() {
        let between = if mishap.place.is_at_apple() { apple } else { api_server };
        between.play(mishap.trick(seen));
    }
    let accepted = mishap(REVOKED, Place::Probe, ready(), |_, answer| answer);
    let refused = [401, 403, 401].map(|status| {
        mishap(REVOKED, Place::Probe, not_ready(Reason::KeyRevoked), move |asked, _| refusal(status, asked))
    });
    for mishap in [accepted].into_iter().chain(refused) {
        apple.play(mishap.trick(seen));
    }
}

/// Lets all of it happen; the last takes two minutes, as Apple has to refuse a good key three times.
pub(crate) async fn until_all_went_wrong(stage: &Stage<'_>, seen: &Seen, apple: &Between, api_server: &Between) {
    for name in [RENEWED, REVOKED] {
        stage.until_api_key(name, ready()).await;
    }
    assert!(stage.apple.state().set_standing(Program::AppStore, &key_id(REVOKED), Standing::Revoked));
    let first = stage.api_token(RENEWED).await;
    api_server.play(Trick {
        name: "an API key's renewal quoted by admission".to_owned(),
        to: Box::new(|asked| asked.method == "PATCH" && asked.path.contains(&format!("/secrets/{RENEWED}?"))),
        has_effect: false,
        spoil: Box::new(|asked, _| status(403, "Forbidden", &asked.body)),
    });
    for name in [RENEWED, REVOKED] {
        stage.request_token_of(name).await;
    }

    for mishap in mishaps() {
        stage.until_api_key(mishap.name, mishap.outcome).await;
    }
    let other = async || if stage.api_token(RENEWED).await == first { Err("the first one") } else { Ok(()) };
    eventually("another token of the API key", other).await;
    for left in [2, 1, 0] {
        a_minute_later("the next refusal", async || {
            let unplayed = apple.unplayed().into_iter().filter(|name| name == REVOKED).count();
            if unplayed == left { Ok(()) } else { Err(format!("{unplayed} more to come")) }
        })
        .await;
    }
    stage.until_api_key(REVOKED, not_ready(Reason::KeyRevoked)).await;
    for name in mishaps().into_iter().map(|mishap| mishap.name).filter(|name| *name != UNKNOWN).chain([RENEWED]) {
        assert!(seen.has_signed(&stage.api_token(name).await), "the token of {name} is known");
    }
}

/// Makes the operator tell `some` of the key, in the name of a Secret, and `entry`, as that of its entry.
pub(crate) async fn plant(stage: &Stage<'_>, some: &str, entry: &str) {
    let mut document = document(some);
    document["spec"]["privateKey"]["secretRef"] = json!({"name": format!("{some}-key"), "key": entry});
    let patch = Patch::Apply(&document);
    stage.api_keys().patch(some, &PatchParams::apply("user"), &patch).await.unwrap();
    stage.until_api_key(some, not_ready(Reason::KeySecretNotFound)).await;
}

impl Stage<'_> {
    fn api_keys(&self) -> Api<AppStoreConnectCredential> {
        Api::namespaced(self.kube.clone(), &self.namespace)
    }

    async fn until_api_key(&self, name: &str, awaited: Awaited) {
        eventually(&format!("{name}: {awaited}"), async || {
            let seen = self.api_keys().get(name).await.map_err(|error| error.to_string())?;
            if awaited.holds(&seen) { Ok(()) } else { Err(told(&seen)) }
        })
        .await;
    }

    async fn request_token_of(&self, name: &str) {
        let patch = json!({"metadata": {"annotations": {"asa-operator.dev/requestedAt": "now"}}});
        self.api_keys().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    pub(crate) async fn api_token(&self, name: &str) -> String {
        entries(&self.secret(name).await)["token"].clone()
    }
}
