//! What goes wrong: one credential for each mishap, with a client of its own at Apple.

use asa_operator::api::Reason;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::api_keys::{key_id, key_id_in};
use crate::between::{Answer, Asked, Spoil, Trick};
use crate::needles::hex;
use crate::seen::{Seen, client_secret_in};
use crate::support::awaited::{Awaited, not_ready, ready};

/// A mishap, and what becomes of the credential that it meets.
pub(crate) struct Mishap {
    /// The credential's name.
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) outcome: Awaited,
    spoil: Spoil,
}

/// At which answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The API server's, when the key is read.
    KeyRead,
    /// When the managed Secret is created. The request has no effect.
    Create,
    /// When the client secret's Secret is created. The request has no effect.
    CreateClientSecret,
    /// Apple's, when a token is asked for.
    Token,
    MeV1,
    AclsV1,
    AclsV5,
    /// When App Store Connect is asked about an API key.
    Probe,
}

/// All of them that meet an `AsaCredential`.
pub(crate) fn mishaps() -> Vec<Mishap> {
    use Place::{AclsV1, AclsV5, Create, CreateClientSecret, KeyRead, MeV1, Token};
    vec![
        // It is tried again after a minute, and has to be seen before.
        mishap("echoed-form", Token, not_ready(Reason::RequestRefused), |asked, _| {
            apple(400, &json!({"error": asked.body, "error_description": asked.body}))
        }),
        mishap("key-cut-off", KeyRead, ready(), |_, answer| cut_off(answer)),
        mishap("key-halved", KeyRead, ready(), |_, answer| halved(answer)),
        mishap("key-in-a-500", KeyRead, ready(), |_, answer| html(500, &answer.body)),
        mishap("key-in-a-403", KeyRead, ready(), |_, answer| html(403, &pem_in(&answer))),
        mishap("key-in-a-status", KeyRead, ready(), |_, answer| status(500, "InternalError", &pem_in(&answer))),
        mishap("key-of-another-type", KeyRead, ready(), |_, answer| {
            edited(&answer, |secret| secret["data"] = json!(secret["data"].to_string()))
        }),
        mishap("key-without-base64", KeyRead, ready(), |_, answer| {
            edited(&answer, |secret| secret["data"]["private-key.pem"] = json!(pem_in(&answer)))
        }),
        mishap("quoted-by-admission", Create, ready(), |asked, _| status(403, "Forbidden", &asked.body)),
        mishap("decoded-by-admission", Create, ready(), |asked, _| status(403, "Forbidden", &token_in(asked))),
        mishap("quoted-as-invalid", Create, ready(), |asked, _| status(422, "Invalid", &asked.body)),
        mishap("quoted-in-a-500", Create, ready(), |asked, _| html(500, &asked.body)),
        mishap("quoted-in-a-403", Create, ready(), |asked, _| html(403, &asked.body)),
        mishap("quoted-client-secret", CreateClientSecret, ready(), |asked, _| status(403, "Forbidden", &asked.body)),
        mishap("echoed-client-secret", Token, ready(), |asked, _| apple(400, &json!({"error": jwt_in(asked)}))),
        mishap("echoed-signature", Token, ready(), |asked, _| apple(401, &json!({"error": signature_in(asked)}))),
        mishap("echoed-base64", Token, ready(), |asked, _| {
            apple(400, &json!({"error": BASE64_STANDARD.encode(signature_in(asked))}))
        }),
        mishap("echoed-hex", Token, ready(), |asked, _| {
            apple(400, &json!({"error": hex(signature_in(asked).as_bytes())}))
        }),
        mishap("echoed-in-a-page", Token, ready(), |asked, _| html(500, &asked.body)),
        mishap("echoed-in-headers", Token, ready(), |asked, _| Answer {
            status: 302,
            headers: vec![
                ("location", format!("https://x.invalid/?{}", asked.body)),
                ("retry-after", jwt_in(asked)),
                ("x-request", asked.body.clone()),
            ],
            ..Answer::default()
        }),
        mishap("token-cut-off", Token, ready(), |_, answer| cut_off(answer)),
        mishap("token-halved", Token, ready(), |_, answer| halved(answer)),
        mishap("token-with-a-line-end", Token, ready(), |_, answer| {
            edited(&answer, |body| {
                let token = body["access_token"].as_str().unwrap();
                body["access_token"] = json!(format!("{}\r\n{}", &token[..200], &token[200..]));
            })
        }),
        mishap("token-in-a-list", Token, ready(), |_, answer| {
            edited(&answer, |body| body["access_token"] = json!([body["access_token"]]))
        }),
        mishap("token-as-a-time", Token, ready(), |_, answer| {
            edited(&answer, |body| body["expires_in"] = body["access_token"].clone())
        }),
        mishap("token-as-a-type", Token, ready(), |_, answer| {
            edited(&answer, |body| body["token_type"] = body["access_token"].clone())
        }),
        mishap("echoed-token", MeV1, ready(), |asked, _| apple(403, &json!({"error": {"code": bearer(asked)}}))),
        mishap("echoed-token-in-a-page", MeV1, ready(), |asked, _| html(401, bearer(asked))),
        mishap("token-as-organization", MeV1, ready(), |asked, _| {
            apple(200, &json!({"result": {"orgId": bearer(asked), "userId": bearer(asked)}}))
        }),
        mishap("account-named-as-token", AclsV1, ready(), |asked, answer| {
            edited(&answer, |body| body["result"]["acls"][0]["adAccount"]["name"] = json!(bearer(asked)))
        }),
        mishap("group-named-as-token", AclsV5, ready(), |asked, answer| {
            edited(&answer, |body| body["data"][0]["orgName"] = json!(hex(bearer(asked).as_bytes())))
        }),
        mishap("echoed-token-as-code", AclsV5, ready(), |asked, _| {
            apple(403, &json!({"error": {"errors": [{"messageCode": bearer(asked), "message": bearer(asked)}]}}))
        }),
    ]
}

pub(crate) fn mishap(
    name: &'static str,
    place: Place,
    outcome: Awaited,
    spoil: impl FnOnce(&Asked, Answer) -> Answer + Send + 'static,
) -> Mishap {
    Mishap { name, place, outcome, spoil: Box::new(spoil) }
}

impl Place {
    /// Whether Apple's answer is spoiled, and not the API server's.
    pub(crate) fn is_at_apple(self) -> bool {
        matches!(self, Self::Token | Self::MeV1 | Self::AclsV1 | Self::AclsV5 | Self::Probe)
    }

    fn is_met(self, asked: &Asked, name: &str, seen: &Seen) -> bool {
        let key = format!("/secrets/{name}-key");
        let creates = |secret: &str| {
            let body = serde_json::from_str::<Value>(&asked.body).unwrap_or_default();
            asked.method == "POST" && body["kind"] == "Secret" && body["metadata"]["name"] == secret
        };
        let own_token = || seen.owner(bearer(asked)).as_deref() == Some(name);
        match self {
            Self::KeyRead => asked.method == "GET" && asked.path.split('?').next().unwrap().ends_with(&key),
            Self::Create => creates(name),
            Self::CreateClientSecret => creates(&format!("{name}-client-secret")),
            Self::Token => asked.body.contains(&format!("client_id={name}&")),
            Self::MeV1 => asked.path == "/v1/me" && own_token(),
            Self::AclsV1 => asked.path == "/v1/acls" && own_token(),
            Self::AclsV5 => asked.path == "/api/v5/acls" && own_token(),
            Self::Probe => asked.path == "/app-store-connect/v1/apps?limit=1" && key_id_in(asked) == key_id(name),
        }
    }
}

impl Mishap {
    /// To be played between the operator and the server.
    pub(crate) fn trick(self, seen: &Seen) -> Trick {
        let Self { name, place, spoil, .. } = self;
        let seen = seen.clone();
        Trick {
            name: name.to_owned(),
            to: Box::new(move |asked| place.is_met(asked, name, &seen)),
            has_effect: !matches!(place, Place::Create | Place::CreateClientSecret),
            spoil,
        }
    }
}

/// The length of the whole is announced, half of it arrives.
pub(crate) fn cut_off(answer: Answer) -> Answer {
    Answer { arrives: Some(answer.body.len() / 2), ..answer }
}

/// Half of it is all there is, and well-formed HTTP.
pub(crate) fn halved(mut answer: Answer) -> Answer {
    answer.body.truncate(answer.body.len() / 2);
    answer
}

/// A page that quotes, as proxies make them.
pub(crate) fn html(status: u16, quoted: &str) -> Answer {
    let headers = vec![("content-type", "text/html".to_owned())];
    Answer { status, headers, body: format!("{quoted}<hr>proxy"), arrives: None }
}

/// The API server's own form of a refusal.
pub(crate) fn status(code: u16, reason: &str, quoted: &str) -> Answer {
    let message = format!("denied: {quoted}");
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    apple(code, &body)
}

pub(crate) fn apple(status: u16, body: &Value) -> Answer {
    let headers = vec![("content-type", "application/json".to_owned())];
    Answer { status, headers, body: body.to_string(), arrives: None }
}

pub(crate) fn edited(answer: &Answer, edit: impl FnOnce(&mut Value)) -> Answer {
    let mut body = serde_json::from_str(&answer.body).unwrap();
    edit(&mut body);
    apple(answer.status, &body)
}

fn jwt_in(asked: &Asked) -> String {
    client_secret_in(&asked.body).unwrap().to_owned()
}

fn signature_in(asked: &Asked) -> String {
    jwt_in(asked).rsplit('.').next().unwrap().to_owned()
}

/// What is behind `Bearer`.
pub(crate) fn bearer(asked: &Asked) -> &str {
    let header = asked.headers.get(AUTHORIZATION).map_or("", |value| value.to_str().unwrap());
    header.trim_start_matches("Bearer ")
}

/// The key in a Secret that is read.
fn pem_in(answer: &Answer) -> String {
    entry(&answer.body, "private-key.pem")
}

/// The token in a Secret that is to be created.
fn token_in(asked: &Asked) -> String {
    entry(&asked.body, "access_token")
}

pub(crate) fn entry(secret: &str, name: &str) -> String {
    let secret: Value = serde_json::from_str(secret).unwrap();
    let value = BASE64_STANDARD.decode(secret["data"][name].as_str().unwrap()).unwrap();
    String::from_utf8(value).unwrap()
}
