//! What goes out, and what single answers mean.

use std::time::Duration;

use asa_operator::api::Program;
use asa_operator::apple::RateLimit;
use asa_operator::apple::app_store_connect::{Probed, Proof, probe};
use asa_operator::apple::error::{Class, Endpoint, Host};
use jiff::SignedDuration;
use secrecy::SecretString;

use super::{PROGRAMS, ask, refused, token};
use crate::requests::header;
use crate::support::responder::Responder;
use crate::support::{TEAM, base, http, now};

const PAGE: &str = r#"{"data":[{"type":"apps","id":"1"}],"links":{},"meta":{"paging":{"total":1,"limit":1}}}"#;

fn error(status: u16, code: &str) -> String {
    format!(r#"{{"errors":[{{"id":"1","status":"{status}","code":"{code}","title":"t","detail":"d"}}]}}"#)
}

#[tokio::test]
async fn one_row_is_asked_for_with_the_token_in_a_header() {
    let token = token(&TEAM);
    for (program, line) in [
        (Program::AppStore, "GET /base/v1/apps?limit=1 HTTP/1.1"),
        (Program::Enterprise, "GET /base/v1/bundleIds?limit=1 HTTP/1.1"),
    ] {
        let apple = Responder::json(200, "", PAGE);
        let reply = ask(&http(), &format!("{}/base/", apple.url()), program, &token).await.unwrap();
        assert_eq!(reply.value, Probed { proof: Proof::Accepted, rate_limit: None });
        let requests = apple.requests();
        let [request] = requests.as_slice() else { panic!("{requests:?}") };
        assert_eq!(request.lines().next(), Some(line));
        assert_eq!(header(request, "authorization"), [format!("Bearer {}", token.expose())]);
        assert_eq!(header(request, "accept"), ["application/json"]);
        for absent in ["accept-encoding", "cookie", "referer", "x-ap-context", "content-type"] {
            assert!(header(request, absent).is_empty(), "{absent}: {request}");
        }
    }
}

#[test]
fn each_program_is_a_host_and_a_line_in_messages() {
    let table = [
        (Program::AppStore, Host::AppStoreConnect, "app_store_connect", "GET /v1/apps"),
        (Program::Enterprise, Host::Enterprise, "enterprise", "GET /v1/bundleIds"),
    ];
    for (program, host, label, line) in table {
        let endpoint = Endpoint::Probe(program);
        assert_eq!((endpoint.host(), host.label(), endpoint.to_string().as_str()), (host, label, line));
        assert!(Host::ALL.contains(&host));
    }
}

#[tokio::test]
async fn what_answers_say_of_a_key() {
    let (http, token) = (http(), token(&TEAM));
    let agreements = "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED";
    let table = [
        (200, PAGE.to_owned(), Ok(Proof::Accepted)),
        (200, r#"{"data":[]}"#.to_owned(), Ok(Proof::Accepted)),
        (403, error(403, "FORBIDDEN_ERROR"), Ok(Proof::RoleTooNarrow)),
        (403, error(403, agreements), Ok(Proof::AgreementMissing)),
        (401, error(401, "NOT_AUTHORIZED"), Err((refused("NOT_AUTHORIZED"), None))),
        (403, error(403, "NOT_AUTHORIZED"), Err((refused("NOT_AUTHORIZED"), None))),
        (401, "<html>".to_owned(), Err((Class::Unauthorized, None))),
        (401, String::new(), Err((Class::Unauthorized, None))),
        (403, "<html>".to_owned(), Err((Class::Forbidden, None))),
        (403, error(403, "FORBIDDEN.NEW"), Err((Class::Forbidden, Some("FORBIDDEN.NEW")))),
        (429, error(429, "RATE_LIMIT_EXCEEDED"), Err((Class::Throttled, Some("RATE_LIMIT_EXCEEDED")))),
        (429, String::new(), Err((Class::Throttled, None))),
        (404, error(404, "NOT_FOUND"), Err((Class::NotFound, Some("NOT_FOUND")))),
        (400, error(400, "PARAMETER_ERROR"), Err((Class::Status(400), Some("PARAMETER_ERROR")))),
        (410, String::new(), Err((Class::Gone, None))),
        (500, error(500, "UNEXPECTED_ERROR"), Err((Class::Server(500), None))),
        (503, "<html>".to_owned(), Err((Class::Server(503), None))),
        (201, PAGE.to_owned(), Err((Class::Status(201), None))),
        (200, "<!doctype html>".to_owned(), Err((Class::Unintelligible("HTML instead of JSON"), None))),
        (200, "{}".to_owned(), Err((Class::Unintelligible("no data that is a list"), None))),
        (200, PAGE[..20].to_owned(), Err((Class::Unintelligible("JSON that ends too early"), None))),
        // Of a refusal 16 KiB are read, of a page 256.
        (401, format!("{}{}", error(401, "NOT_AUTHORIZED"), " ".repeat(20_000)), Err((Class::Unauthorized, None))),
        (200, format!("{PAGE}{}", " ".repeat(300_000)), Err((Class::TooLarge, None))),
    ];
    for program in PROGRAMS {
        for (status, body, expected) in &table {
            let apple = Responder::json(*status, "", body);
            let told = ask(&http, &apple.url(), program, &token).await;
            let told = told.map(|reply| reply.value.proof).map_err(|error| {
                assert_eq!(error.endpoint, Endpoint::Probe(program));
                (error.class, error.code)
            });
            let expected = expected.clone().map_err(|(class, code)| (class, code.map(str::to_owned)));
            assert_eq!(told, expected, "{status} {body:.80}");
        }
    }
}

#[tokio::test]
async fn every_answer_tells_the_time_how_long_to_wait_and_what_is_left_of_the_hour() {
    let (http, token) = (http(), token(&TEAM));
    let headers = "Date: Tue, 01 Sep 2026 12:05:00 GMT\r\nRetry-After: 40\r\n\
                   X-Rate-Limit: user-hour-lim:3500;user-hour-rem:500;\r\n";
    let (skew, rate_limit) = (Some(SignedDuration::from_mins(5)), Some(RateLimit { limit: 3500, remaining: 500 }));
    for (status, body) in [(200, PAGE.to_owned()), (403, error(403, "FORBIDDEN_ERROR"))] {
        let reply =
            ask(&http, &Responder::json(status, headers, &body).url(), Program::AppStore, &token).await.unwrap();
        assert_eq!((reply.skew, reply.value.rate_limit), (skew, rate_limit), "{status}");
    }
    for status in [301, 400, 401, 403, 404, 429, 500, 503] {
        for body in ["", &error(status, "NOT_AUTHORIZED")] {
            let apple = Responder::json(status, headers, body);
            let error = ask(&http, &apple.url(), Program::AppStore, &token).await.unwrap_err();
            assert_eq!((error.skew, error.rate_limit), (skew, rate_limit), "{status}");
            assert_eq!(error.retry_after, Some(Duration::from_secs(40)), "{status}");
        }
    }
    let error = ask(&http, &Responder::json(200, headers, "").url(), Program::AppStore, &token).await.unwrap_err();
    assert_eq!(error.rate_limit, rate_limit);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Responder::json(200, "", PAGE);
    for status in [301, 302, 303, 307, 308] {
        let apple = Responder::json(status, &format!("Location: {}/v1/apps\r\n", elsewhere.url()), "");
        for program in PROGRAMS {
            let error = ask(&http(), &apple.url(), program, &token(&TEAM)).await.unwrap_err();
            assert_eq!(error.class, Class::Redirected, "{status}");
        }
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_token_that_fits_no_header_is_not_sent() {
    let apple = Responder::json(200, "", PAGE);
    let token = SecretString::from("line\r\nX-Injected: yes".to_owned());
    let error = probe(&http(), &base(&apple.url()), Program::AppStore, &token, now()).await.unwrap_err();
    assert_eq!(error.class, Class::Unauthorized);
    assert!(apple.requests().is_empty());
}

#[tokio::test]
async fn an_error_shows_nothing_that_was_sent() {
    let (http, token) = (http(), token(&TEAM));
    let jwt = token.expose();
    for status in [200, 302, 400, 401, 403, 429, 500] {
        for echo in [jwt, &jwt[10..40], &jwt[jwt.len() - 20..]] {
            for code in [echo.to_owned(), format!("NOT_AUTHORIZED.{echo}"), format!("FORBIDDEN_ERROR.{echo}")] {
                let headers =
                    format!("X-Rate-Limit: {jwt}\r\nRetry-After: {jwt}\r\nLocation: https://x.invalid/{jwt}\r\n");
                let apple = Responder::json(status, &headers, &error(status, &code));
                let error = ask(&http, &apple.url(), Program::AppStore, &token).await.unwrap_err();
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("127.0.0.1"), "{shown}");
                for window in jwt.as_bytes().windows(12) {
                    assert!(!shown.contains(std::str::from_utf8(window).unwrap()), "{shown}");
                }
            }
        }
    }
}
