//! Apple's answers. The input looks like one on the wire, but for its first line: which call it answers, and the status.

use asa_operator::api::{AdsApi, MAX_ID, Program};
use asa_operator::apple::ads::{AccessToken, Acls, ClientSecret, IssuedToken, acls_in, me_in, token_in};
use asa_operator::apple::app_store_connect::{Probed, Proof, probe_in};
use asa_operator::apple::{Class, Endpoint, Error, Reply};
use asa_operator::credential::failure::Failure;
use asa_operator::credential::status::Explanation;
use http::StatusCode;
use http::header::HeaderMap;
use jiff::Timestamp;

use crate::Target;
use crate::acme::{acme, acme_api_key};
use crate::shown::{LONGEST_MESSAGE, insist_on_no_echo, insist_on_one_line};
use crate::wire::{answer, header, split_at};

pub(crate) const TARGET: Target = Target {
    name: "answers",
    run,
    reaches: &[
        "not an answer",
        "a token",
        "an organization",
        "ad accounts",
        "campaign groups",
        "a good key",
        "a good key of a narrow role",
        "a good key without an agreement",
        "rejected",
        "unauthorized",
        "forbidden",
        "not_found",
        "gone",
        "throttled",
        "redirected",
        "server_error",
        "other_status",
        "unintelligible",
    ],
};

/// What was sent, and must not come back.
const CLIENT_SECRET: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpYXQiOjEsImV4cCI6Mn0.Y2FuYXJ5LW9mLWEtY2xpZW50LXNlY3JldA";
const TOKEN: &str = "canary-of-an-access-token";

const LONGEST_NAME: usize = 100;
const LONGEST_CODE: usize = 64;

/// The longest name, the longest code, and the words around them.
const LONGEST_ERROR: usize = 256;

fn run(data: &[u8]) -> &'static str {
    let (head, body) = split_at(data, b"\n\n");
    let (first, headers) = split_at(head, b"\n");
    let Some((endpoint, status)) = asked(first) else { return "not an answer" };
    let headers: HeaderMap = headers.split(|byte| *byte == b'\n').filter_map(header).collect();
    let now = Timestamp::from_second(1_788_264_000).expect("2026-09-01T12:00:00Z");
    let read = answer(endpoint, status, headers, body, now);
    let told = match endpoint {
        Endpoint::TokenEndpoint => {
            let secret = ClientSecret::from_published(CLIENT_SECRET.to_owned()).expect("a JWT");
            read.and_then(|answer| token_in(&answer, &secret)).map(|reply| issued(&reply))
        }
        Endpoint::Me(api) => {
            let told = read.and_then(|answer| me_in(&answer, api, &token()));
            told.map(|reply| organization(reply.value.org_id))
        }
        Endpoint::Acls(api) => read.and_then(|answer| acls_in(&answer, api, &token())).map(|reply| rows(&reply.value)),
        Endpoint::Probe(_) => {
            let told = read.and_then(|answer| probe_in(&answer, &TOKEN.to_owned().into()));
            told.map(|reply| proof(status, reply.value))
        }
    };
    match told {
        Ok(told) => {
            let is_proof_of_a_key = matches!(endpoint, Endpoint::Probe(_)) && status == StatusCode::FORBIDDEN;
            assert!(status == StatusCode::OK || is_proof_of_a_key, "{status} is no success");
            told
        }
        Err(error) => {
            assert_eq!(error.endpoint, endpoint);
            insist_on_a_reason_to_reject(&error, status);
            insist_on_discretion(&error);
            error.class.label()
        }
    }
}

/// `CALL STATUS`
fn asked(line: &[u8]) -> Option<(Endpoint, StatusCode)> {
    let (call, status) = split_at(line, b" ");
    let endpoint = match call {
        b"token" => Endpoint::TokenEndpoint,
        b"me-v1" => Endpoint::Me(AdsApi::PlatformV1),
        b"me-v5" => Endpoint::Me(AdsApi::CampaignManagementV5),
        b"acls-v1" => Endpoint::Acls(AdsApi::PlatformV1),
        b"acls-v5" => Endpoint::Acls(AdsApi::CampaignManagementV5),
        b"probe" => Endpoint::Probe(Program::AppStore),
        b"probe-enterprise" => Endpoint::Probe(Program::Enterprise),
        _ => return None,
    };
    Some((endpoint, StatusCode::from_bytes(status).ok()?))
}

fn token() -> AccessToken {
    AccessToken::new(TOKEN.to_owned())
}

fn issued(reply: &Reply<IssuedToken>) -> &'static str {
    let IssuedToken { token, expires_in } = &reply.value;
    assert!(!token.expose().is_empty());
    assert!(token.expose().bytes().all(|byte| byte.is_ascii_graphic()), "{:?}", token.expose());
    assert!((1..=86_400).contains(&expires_in.as_secs()) && expires_in.subsec_nanos() == 0, "{expires_in:?}");
    let shown = format!("IssuedToken {{ token: AccessToken([redacted]), expires_in: {expires_in:?} }}");
    assert_eq!(format!("{:?}", reply.value), shown);
    "a token"
}

fn organization(org_id: Option<i64>) -> &'static str {
    org_id.into_iter().for_each(insist_on_id);
    "an organization"
}

fn rows(acls: &Acls) -> &'static str {
    match acls {
        Acls::Platform(rows) => {
            for row in rows {
                insist_on_id(row.id);
                row.org_id.into_iter().for_each(insist_on_id);
                row.name.iter().for_each(|name| insist_on_name(name));
            }
            "ad accounts"
        }
        Acls::Campaign(rows) => {
            for row in rows {
                insist_on_id(row.org_id);
                row.parent_org_id.into_iter().for_each(insist_on_id);
                row.name.iter().for_each(|name| insist_on_name(name));
            }
            "campaign groups"
        }
    }
}

fn proof(status: StatusCode, probed: Probed) -> &'static str {
    assert_eq!(probed.proof == Proof::Accepted, status == StatusCode::OK);
    match probed.proof {
        Proof::Accepted => "a good key",
        Proof::RoleTooNarrow => "a good key of a narrow role",
        Proof::AgreementMissing => "a good key without an agreement",
    }
}

/// What a person has to mend is not said by a status alone.
fn insist_on_a_reason_to_reject(error: &Error, status: StatusCode) {
    let Class::Rejected(code) = &error.class else { return };
    let statuses = match error.endpoint {
        Endpoint::Probe(_) => [401, 403],
        _ => [400, 401],
    };
    assert!(statuses.contains(&status.as_u16()), "{status}");
    assert!(!code.code().is_empty());
    insist_on_one_line(code.code(), LONGEST_CODE);
}

fn insist_on_id(id: i64) {
    assert!((1..=MAX_ID).contains(&id), "{id}");
}

fn insist_on_name(name: &str) {
    assert!(!name.is_empty());
    insist_on_one_line(name, LONGEST_NAME);
}

/// What is kept of an answer that is no success, in each form in which people get to see it.
fn insist_on_discretion(error: &Error) {
    error.code.iter().for_each(|code| insist_on_one_line(code, LONGEST_CODE));
    let shown = error.to_string();
    insist_on_one_line(&shown, LONGEST_ERROR);
    let object = if matches!(error.endpoint, Endpoint::Probe(_)) { acme_api_key() } else { acme() };
    let said = Explanation::of_failure(&Failure::Apple(error.clone()), &object, Some("SHA256:0")).message;
    insist_on_one_line(&said, LONGEST_MESSAGE);
    let everything = format!("{shown} {error:?} {said}");
    let sent = if error.endpoint == Endpoint::TokenEndpoint { CLIENT_SECRET } else { TOKEN };
    insist_on_no_echo(&everything, sent.as_bytes());
}
