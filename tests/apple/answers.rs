//! Every odd answer of the token endpoint ends in one class.

use std::fmt::Write as _;
use std::time::Duration;

use asa_operator::api::AdsApi;
use asa_operator::apple::ads::identity::me;
use asa_operator::apple::ads::oauth::request_token;
use asa_operator::apple::error::{Class, OAuthError};
use jiff::SignedDuration;

use crate::support::responder::Responder;
use crate::support::{TOKEN, access_token, base, client_secret, http, now, token, token_class};

#[tokio::test]
async fn answers_of_the_token_endpoint() {
    let http = http();
    let rejected = |code: &str| format!(r#"{{"error":"{code}"}}"#);
    let table = [
        (400, rejected("invalid_client"), Class::Rejected(OAuthError::InvalidClient)),
        (401, rejected("invalid_client"), Class::Rejected(OAuthError::InvalidClient)),
        (400, rejected("invalid_request"), Class::Rejected(OAuthError::InvalidRequest)),
        (400, rejected("invalid_grant"), Class::Rejected(OAuthError::InvalidGrant)),
        (400, rejected("unauthorized_client"), Class::Rejected(OAuthError::UnauthorizedClient)),
        (400, rejected("unsupported_grant_type"), Class::Rejected(OAuthError::UnsupportedGrantType)),
        (400, rejected("invalid_scope"), Class::Rejected(OAuthError::InvalidScope)),
        (400, rejected("unheard_of"), Class::Rejected(OAuthError::Other("unheard_of".into()))),
        (400, String::new(), Class::Status(400)),
        (400, "<html>".into(), Class::Status(400)),
        (400, format!("{}{}", rejected("invalid_client"), " ".repeat(20_000)), Class::Status(400)),
        (401, "[]".into(), Class::Unauthorized),
        (403, rejected("invalid_client"), Class::Forbidden),
        (404, String::new(), Class::NotFound),
        (410, String::new(), Class::Gone),
        (418, String::new(), Class::Status(418)),
        (429, rejected("invalid_client"), Class::Throttled),
        (500, rejected("invalid_client"), Class::Server(500)),
        (503, "<html>".into(), Class::Server(503)),
        (201, TOKEN.into(), Class::Status(201)),
        (200, String::new(), Class::Unintelligible("an empty body")),
        (200, "<!doctype html>".into(), Class::Unintelligible("HTML instead of JSON")),
        (200, TOKEN[..20].into(), Class::Unintelligible("JSON that ends too early")),
        (200, "{}".into(), Class::Unintelligible("access_token is absent")),
    ];
    for (status, body, class) in table {
        let apple = Responder::json(status, "", &body);
        assert_eq!(token_class(&http, &apple).await, class, "{status} {body:.80}");
    }
}

#[tokio::test]
async fn an_answer_tells_the_time_and_how_long_to_wait() {
    let http = http();
    let headers = "Date: Tue, 01 Sep 2026 12:05:00 GMT\r\nRetry-After: Tue, 01 Sep 2026 12:05:40 GMT\r\n";
    let skew = Some(SignedDuration::from_mins(5));
    for status in [400, 401, 429, 500, 503, 301] {
        let error = token(&http, &Responder::json(status, headers, "{}").url()).await.unwrap_err();
        assert_eq!(error.skew, skew, "{status}");
        assert_eq!(error.retry_after, Some(Duration::from_secs(40)), "{status}");
    }
    let reply = token(&http, &Responder::json(200, headers, TOKEN).url()).await.unwrap();
    assert_eq!(reply.skew, skew);

    let behind = "Date: Tue, 01 Sep 2026 11:59:00 GMT\r\nRetry-After: 7\r\n";
    let error = token(&http, &Responder::json(429, behind, "").url()).await.unwrap_err();
    assert_eq!(error.skew, Some(SignedDuration::from_mins(-1)));
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));

    // Without a date of its own, a date to wait for is read by our clock.
    let undated = "Retry-After: Tue, 01 Sep 2026 12:00:09 GMT\r\n";
    let error = token(&http, &Responder::json(429, undated, "").url()).await.unwrap_err();
    assert_eq!((error.skew, error.retry_after), (None, Some(Duration::from_secs(9))));
}

#[tokio::test]
async fn an_error_shows_nothing_that_was_sent_or_received() {
    let http = http();
    let secret = client_secret();
    let echo = format!(r#"{{"error":"{0}","code":"{0}","x":"{1}"}}"#, secret.expose(), access_token().expose());
    let mut shown = String::new();
    for status in [200, 302, 400, 401, 403, 500] {
        let headers = format!("Location: https://x.invalid/?t={}\r\n", access_token().expose());
        let apple = Responder::json(status, &headers, &echo);
        let error = request_token(&http, &base(&apple.url()), "c", &secret, now()).await.unwrap_err();
        write!(shown, "{error} {error:?}").unwrap();
        let echo = echo.replace(secret.expose(), access_token().expose());
        let apple = Responder::json(status, &headers, &echo);
        let error = me(&http, &base(&apple.url()), AdsApi::PlatformV1, &access_token(), now()).await.unwrap_err();
        write!(shown, "{error} {error:?}").unwrap();
    }
    assert!(!shown.contains("127.0.0.1"), "{shown}");
    for sent in [secret.expose(), access_token().expose()] {
        for window in sent.as_bytes().windows(12) {
            assert!(!shown.contains(std::str::from_utf8(window).unwrap()), "{shown}");
        }
    }
}
