//! Nothing takes longer than ten seconds.

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use asa_operator::apple::ads::oauth::request_token;
use asa_operator::apple::error::Class;
use futures::future::join_all;
use tokio::time::Instant;

use crate::support::responder::Responder;
use crate::support::{base, client_secret, http, now};

/// Silence, before and after the head, and one byte at a time, in the head and in the body.
#[tokio::test]
async fn silence_and_dripping_end_after_ten_seconds_in_all() {
    let drip = |head: &'static str| {
        Responder::that(move |mut stream| {
            let _ = stream.write_all(head.as_bytes());
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
        })
    };
    let hold = |head: &'static str| {
        Responder::that(move |mut stream| {
            let _ = stream.write_all(head.as_bytes());
            thread::sleep(Duration::from_secs(30));
        })
    };
    let servers = [
        Responder::raw(|_stream| thread::sleep(Duration::from_secs(30))),
        hold(""),
        hold("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"),
        drip("HTTP/1.1 200 OK\r\nX-Long: "),
        drip("HTTP/1.1 200 OK\r\n\r\n"),
    ];
    let (http, secret) = (http(), client_secret());
    let started = Instant::now();
    let errors = join_all(servers.iter().map(async |server| {
        let error = request_token(&http, &base(&server.url()), "c", &secret, now()).await.unwrap_err();
        (error.class, started.elapsed())
    }))
    .await;
    for (class, took) in errors {
        assert_eq!(class, Class::TimedOut);
        assert!((9..20).contains(&took.as_secs()), "{took:?}");
    }
}

/// The status decides; that its body never ends changes nothing but the time it takes.
#[tokio::test]
async fn a_refusal_whose_body_never_ends_is_still_that_refusal() {
    let server = Responder::that(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 401 Unauthorized\r\n\r\n{");
        thread::sleep(Duration::from_secs(30));
    });
    let error = request_token(&http(), &base(&server.url()), "c", &client_secret(), now()).await.unwrap_err();
    assert_eq!(error.class, Class::Unauthorized);
}
