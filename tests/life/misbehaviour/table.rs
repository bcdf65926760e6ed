//! How Apple misbehaves, and the words for each.

use std::time::Duration;

use asa_operator::api::Reason;
use fake_apple::{Client, Delivery, Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::credential::{Credential, KEY_SECRET, credential, other_client};
use crate::support::key::KeyPair;

/// No attempt takes longer, from the first byte sent to the last one read.
const DEADLINE: Duration = Duration::from_secs(10);

/// One misbehaviour.
#[derive(Clone)]
struct Misbehaviour {
    name: String,
    /// At no endpoint yet.
    fault: Fault,
    reason: Reason,
    /// What is told of the answer, or of its absence.
    what: String,
    /// How long an attempt takes.
    takes: Duration,
}

/// What Apple does to one credential at one endpoint.
pub(super) struct Row {
    /// The credential's.
    pub(super) name: String,
    pub(super) endpoint: Endpoint,
    pub(super) reason: Reason,
    pub(super) what: String,
    /// How long an attempt takes.
    pub(super) takes: Duration,
    fault: Fault,
}

/// Each of the endpoints with each misbehaviour that it can show; redirects lead `elsewhere`.
pub(super) fn rows(endpoints: &[Endpoint], elsewhere: &str) -> Vec<Row> {
    let of = |endpoint: Endpoint| {
        let all = anywhere(elsewhere).into_iter().chain(peculiar_to(endpoint));
        all.map(move |Misbehaviour { name, fault, reason, what, takes }| Row {
            name: format!("{endpoint}-{name}"),
            fault: Fault { endpoint: Some(endpoint), ..fault },
            endpoint,
            reason,
            what,
            takes,
        })
    };
    endpoints.iter().copied().flat_map(of).collect()
}

impl Row {
    /// The client, which no other row has.
    pub(super) fn client_id(&self) -> String {
        client_id(&self.name)
    }

    /// The credential; it uses the one API whose endpoint misbehaves.
    pub(super) fn document(&self) -> Credential {
        document(&self.name, self.endpoint)
    }

    /// The client as Apple knows it.
    pub(super) fn client(&self, key: &KeyPair, token_life: u32) -> Client {
        other_client(&self.client_id(), key.public()).token_life(token_life)
    }

    /// How often in a row it happens: so many times if an attempt takes no time, and so many if it takes ten seconds.
    pub(super) fn failures(&self, (quick, slow): (usize, usize)) -> usize {
        if self.takes.is_zero() { quick } else { slow }
    }

    /// The fault, for so many requests.
    pub(super) fn fault(&self, times: usize) -> Fault {
        self.fault.clone().of(self.client_id()).times(times.try_into().unwrap())
    }

    /// What is told of a token that could not be had, or not be proved.
    pub(super) fn words(&self) -> String {
        let (request, what) = (request(self.endpoint), &self.what);
        let trouble = match self.reason {
            Reason::Throttled => return format!("Apple asked for a pause ({request}: 429). It is tried again."),
            Reason::AppleUnreachable => "; if it lasts, check egress, proxy, DNS.",
            Reason::UnexpectedAnswer => "; if it lasts, look for a proxy in between.",
            _ => ".",
        };
        format!("{request}: {what}. It is tried again{trouble}")
    }
}

/// The client of the credential of this name.
pub(super) fn client_id(name: &str) -> String {
    format!("SEARCHADS.{name}")
}

/// A credential of its own client that uses the API of this endpoint; both for the token endpoint.
pub(super) fn document(name: &str, endpoint: Endpoint) -> Credential {
    let document = credential().of_client(&client_id(name)).named(name).key_in(KEY_SECRET);
    match api(endpoint) {
        Some(api) => document.with("apis", json!([api])),
        None => document,
    }
}

/// The API as a resource names it.
pub(super) fn api(endpoint: Endpoint) -> Option<&'static str> {
    match endpoint {
        Endpoint::MeV1 | Endpoint::AclsV1 => Some("PlatformV1"),
        Endpoint::MeV5 | Endpoint::AclsV5 => Some("CampaignManagementV5"),
        _ => None,
    }
}

/// The request as messages name it.
pub(super) fn request(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Token => "POST /auth/oauth2/token",
        Endpoint::MeV1 => "GET /v1/me",
        Endpoint::AclsV1 => "GET /v1/acls",
        Endpoint::MeV5 => "GET /api/v5/me",
        Endpoint::AclsV5 => "GET /api/v5/acls",
        other => panic!("nobody asks {other}"),
    }
}

fn quick(name: &str, fault: Fault, reason: Reason, what: &str) -> Misbehaviour {
    Misbehaviour { name: name.to_owned(), fault, reason, what: what.to_owned(), takes: Duration::ZERO }
}

/// A 200 that is not what Apple documents.
fn odd(name: &str, fault: Fault, amiss: &str) -> Misbehaviour {
    quick(name, fault, Reason::UnexpectedAnswer, &format!("not Apple's form: {amiss}"))
}

/// What every endpoint can do.
fn anywhere(elsewhere: &str) -> Vec<Misbehaviour> {
    let any = Fault::everywhere;
    let html = any().body("<!doctype html><title>Sign in</title>").header("Content-Type", "text/html");
    let unreachable = |name, delivery, what| quick(name, any().delivery(delivery), Reason::AppleUnreachable, what);
    let endless =
        |name, delivery| Misbehaviour { takes: DEADLINE, ..unreachable(name, delivery, "no whole answer within 10 s") };
    let mut all = vec![
        quick("throttled", any().status(429), Reason::Throttled, "429, too many requests"),
        odd("html", html, "HTML instead of JSON"),
        odd("cut-json", any().body(r#"{"access_token":"eyJ"#), "JSON that ends too early"),
        odd("empty", any().status(200), "an empty body"),
        quick(
            "bottomless",
            any().delivery(Delivery::Endless),
            Reason::UnexpectedAnswer,
            "an answer of more than 256 KiB",
        ),
        unreachable(
            "cut-body",
            Delivery::Truncated { after: 10 },
            "no answer: the connection ended before the answer did",
        ),
        unreachable("reset", Delivery::Reset, "no answer: the connection was reset"),
        unreachable("lost", Delivery::Lost, "no answer: the connection was reset"),
        endless("dripping", Delivery::DRIPPING),
        endless("silent", Delivery::Silent),
    ];
    let server = |status: u16| {
        let fault = any().status(status).body("<html>");
        quick(&format!("is-{status}"), fault, Reason::AppleUnavailable, &format!("{status}, trouble at Apple"))
    };
    let redirect = |status: u16| {
        let fault = any().status(status).header("Location", elsewhere);
        let what = "a redirect, which is not followed";
        quick(&format!("is-{status}"), fault, Reason::UnexpectedAnswer, what)
    };
    all.extend([500, 502, 503].map(server));
    all.extend([301, 302, 303, 307, 308].map(redirect));
    all
}

/// What only this endpoint can do.
fn peculiar_to(endpoint: Endpoint) -> Vec<Misbehaviour> {
    let (field, wrong, amiss) = match endpoint {
        Endpoint::Token => return of_tokens(),
        Endpoint::MeV1 => ("result", json!("x"), "no result that is an object"),
        Endpoint::MeV5 => ("data", json!(7), "no data that is an object"),
        Endpoint::AclsV1 => {
            let rows = json!({"acls": [{"adAccount": {"id": "x"}}]});
            ("result", rows, "no result.acls where each row has an adAccount id")
        }
        Endpoint::AclsV5 => ("data", json!([{"orgId": -1}]), "no data where each row has an orgId"),
        other => panic!("nobody asks {other}"),
    };
    vec![
        odd("wrong-type", Fault::everywhere().set(field, wrong), amiss),
        odd("no-object", Fault::everywhere().body("[]"), amiss),
    ]
}

fn of_tokens() -> Vec<Misbehaviour> {
    let with = |field: &str, value: Value| Fault::everywhere().set(field, value);
    let without = |field: &str| Fault::everywhere().remove(field);
    let life = |name, fault| odd(name, fault, "expires_in is no integer from 1 to 86400");
    let no_header = "access_token is not visible ASCII";
    vec![
        odd("no-object", Fault::everywhere().body("[]"), "no object with an access_token"),
        odd("no-token", without("access_token"), "access_token is absent"),
        odd("null-token", with("access_token", Value::Null), "access_token is absent"),
        odd("empty-token", with("access_token", json!("")), "access_token is empty"),
        odd("number-token", with("access_token", json!(7)), "access_token is no text"),
        odd("object-token", with("access_token", json!({"value": "eyJ"})), "access_token is no text"),
        odd("token-of-two-lines", with("access_token", json!("eyJ\r\nX-Injected: yes")), no_header),
        odd("token-with-line-end", with("access_token", json!("eyJ\n")), no_header),
        odd("other-type", with("token_type", json!("mac")), "token_type is not Bearer"),
        life("life-0", with("expires_in", json!(0))),
        life("life-negative", with("expires_in", json!(-1))),
        life("life-2-63", with("expires_in", json!(1_u64 << 63))),
        life("life-of-text", with("expires_in", json!("3600"))),
        life("life-absent", without("expires_in")),
    ]
}
