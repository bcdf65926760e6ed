//! All that can go wrong on the way: none of it proves a key, and none of it refuses one.

use std::time::Duration;

use asa_operator::api::Program;
use asa_operator::apple::error::Class;
use fake_apple::{Delivery, Endpoint, Fault};
use futures::future::join_all;

use super::stand_in::apple;
use super::{PROGRAMS, ask, path, token};
use crate::support::{ENTERPRISE, TEAM, http};

#[tokio::test]
async fn no_misbehaviour_says_anything_of_the_key() {
    let cut = Class::Unreachable("the connection ended before the answer did");
    let reset = Class::Unreachable("the connection was reset");
    let html = |fault: Fault| fault.body("<html>Sign in</html>").header("Content-Type", "text/html");
    let table: Vec<(Fault, Class)> = vec![
        (Fault::default().delivery(Delivery::Reset), reset.clone()),
        (Fault::default().delivery(Delivery::Lost), reset),
        (Fault::default().delivery(Delivery::Silent), Class::TimedOut),
        (Fault::default().delivery(Delivery::DRIPPING), Class::TimedOut),
        (Fault::default().delay(Duration::from_secs(30)), Class::TimedOut),
        (Fault::default().delivery(Delivery::Endless), Class::TooLarge),
        (Fault::default().delivery(Delivery::Truncated { after: 9 }), cut),
        (Fault::default().header("Content-Length", "1073741824"), Class::TooLarge),
        (
            Fault::default().header("Content-Encoding", "gzip"),
            Class::Unintelligible("a compressed body, not asked for"),
        ),
        (Fault::default().remove("data"), Class::Unintelligible("no data that is a list")),
        (Fault::default().set("data", "x".into()), Class::Unintelligible("no data that is a list")),
        (html(Fault::default()), Class::Unintelligible("HTML instead of JSON")),
        (html(Fault::default().status(401)), Class::Unauthorized),
        (html(Fault::default().status(403)), Class::Forbidden),
        (Fault::default().status(302).header("Location", "https://x.invalid/"), Class::Redirected),
        (Fault::default().status(404), Class::NotFound),
        (Fault::default().status(410), Class::Gone),
        (Fault::default().status(418), Class::Status(418)),
        (Fault::default().status(429), Class::Throttled),
        (Fault::default().status(500), Class::Server(500)),
        (html(Fault::default().status(503)), Class::Server(503)),
        (Fault::default().status(42), Class::Unintelligible("not HTTP")),
        (Fault::default().header("X Y", "z"), Class::Unintelligible("not HTTP")),
        (
            Fault::default().status(401).body(r#"{"errors":[{"code":"NOT_AUTHORIZED"}]}"#).delivery(Delivery::Endless),
            Class::Unauthorized,
        ),
    ];
    let http = http();
    let all = table.iter().flat_map(|row| PROGRAMS.map(|program| (row, program)));
    join_all(all.map(async |((fault, class), program)| {
        let apple = apple().await;
        let (by, endpoint) = match program {
            Program::AppStore => (TEAM, Endpoint::Apps),
            Program::Enterprise => (ENTERPRISE, Endpoint::BundleIds),
        };
        apple.state().fail(Fault { endpoint: Some(endpoint), ..fault.clone() }.of(by.key_id));
        let url = format!("{}{}", apple.url(), path(program));
        let error = ask(&http, &url, program, &token(&by)).await.unwrap_err();
        assert_eq!(error.class, *class, "{program:?} {fault:?}");
        assert_eq!(apple.state().counts().of(by.key_id).at(endpoint).total(), 1, "{program:?} {fault:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_told() {
    let apple = apple().await;
    for status in [429, 503] {
        apple.state().fail(Fault::at(Endpoint::Apps).times(1).status(status).header("Retry-After", "7"));
        let url = format!("{}{}", apple.url(), path(Program::AppStore));
        let error = ask(&http(), &url, Program::AppStore, &token(&TEAM)).await.unwrap_err();
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)), "{status}");
    }
}
