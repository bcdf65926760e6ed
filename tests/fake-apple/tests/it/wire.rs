//! Each delivery, seen byte by byte on a plain connection, and as a client library meets it over TLS.

use std::{error::Error, io, time::Duration};

use fake_apple::{Delivery, Endpoint, FakeApple, Fault};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    fixtures::{CLIENT, KeyPair, good_form, now},
    server::{http, request_token, start},
};

/// Long enough for anything that is going to happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long nothing has to happen until we believe that it will not.
const A_WHILE: Duration = Duration::from_millis(200);

/// Connects and asks for a token, and for nothing more on this connection.
async fn ask(apple: &FakeApple, key: &KeyPair) -> TcpStream {
    let mut stream = connect(apple).await;
    send(&mut stream, key, "close").await;
    stream
}

async fn connect(apple: &FakeApple) -> TcpStream {
    TcpStream::connect(("127.0.0.1", apple.http_port())).await.unwrap()
}

async fn send(stream: &mut TcpStream, key: &KeyPair, connection: &str) {
    let form = good_form(&key.secret(now()));
    let head = [
        "POST /auth/oauth2/token HTTP/1.1",
        "Host: apple",
        "Content-Type: application/x-www-form-urlencoded",
        &format!("Content-Length: {}", form.len()),
        &format!("Connection: {connection}\r\n\r\n"),
    ];
    stream.write_all((head.join("\r\n") + &form).as_bytes()).await.unwrap();
}

/// Everything until the connection ends.
async fn rest(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap()?;
    Ok(String::from_utf8(bytes).unwrap())
}

/// All of one answer, whose connection ends properly.
async fn whole(apple: &FakeApple, key: &KeyPair) -> String {
    rest(&mut ask(apple, key).await).await.unwrap()
}

/// Head and body of a raw answer.
fn split(answer: &str) -> (String, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body)
}

fn fails(apple: &FakeApple, delivery: Delivery) {
    apple.state().fail(Fault::at(Endpoint::Token).times(1).delivery(delivery));
}

/// The error at the bottom that the operating system gave.
fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let here = error.downcast_ref::<io::Error>().map(io::Error::kind);
    error.source().and_then(io_kind).or(here)
}

#[tokio::test]
async fn a_whole_answer_leaves_the_connection_open_for_the_next() {
    let (apple, key) = start().await;
    let mut stream = connect(&apple).await;
    for _ in 0..2 {
        send(&mut stream, &key, "keep-alive").await;
        let mut answer = [0; 4096];
        let read = timeout(PATIENCE, stream.read(&mut answer)).await.unwrap().unwrap();
        let (head, _) = split(str::from_utf8(&answer[..read]).unwrap());
        assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
        assert_eq!(head.matches("date: tue, 01 sep 2026 12:00:00 gmt").count(), 1);
    }
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_sends() {
    let (apple, key) = start().await;
    fails(&apple, Delivery::Truncated { after: 10 });
    let answer = whole(&apple, &key).await;
    let (head, body) = split(&answer);
    assert!(head.starts_with("http/1.1 200 ok\r\n") && head.contains("date: "), "{head}");
    let (_, promised) = head.split_once("content-length: ").unwrap();
    let (promised, _) = promised.split_once("\r\n").unwrap();
    assert!(promised.parse::<usize>().unwrap() > 400, "{promised}");
    assert_eq!(body.len(), 10);
    assert_eq!(apple.state().revoke_tokens(CLIENT), 1);
}

#[tokio::test]
async fn a_body_can_be_cut_at_every_byte() {
    let (apple, key) = start().await;
    let body = r#"{"access_token":"a"}"#;
    for after in 0..=body.len() {
        apple.state().fail(Fault::everywhere().times(1).body(body).delivery(Delivery::Truncated { after }));
        let answer = whole(&apple, &key).await;
        assert_eq!(split(&answer).1, &body[..after]);
    }
}

#[tokio::test]
async fn an_endless_body_goes_on_as_long_as_somebody_reads() {
    let (apple, key) = start().await;
    fails(&apple, Delivery::Endless);
    let mut stream = ask(&apple, &key).await;
    let mut bytes = vec![0; 4 * 1024 * 1024];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    let (head, body) = str::from_utf8(&bytes).unwrap().split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Transfer-Encoding: chunked") && !head.contains("Content-Length"), "{head}");
    assert!(body.contains(r#""token_type":"Bearer""#));
    drop(stream);
    // Nobody is held up by it.
    assert!(whole(&apple, &key).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn a_dripping_body_comes_whole_and_late() {
    let (apple, key) = start().await;
    let body = "x".repeat(100);
    let fault = Fault::everywhere().times(1).body(body.clone());
    apple.state().fail(fault.delivery(Delivery::Dripping { every_millis: 5 }));
    let mut stream = ask(&apple, &key).await;
    let mut bytes = Vec::new();
    // A hundred bytes at 5 ms each take at least half a second.
    assert!(timeout(A_WHILE, stream.read_to_end(&mut bytes)).await.is_err());
    let begun = String::from_utf8(bytes).unwrap();
    assert!(split(&begun).1.len() < 100);
    let answer = begun + &rest(&mut stream).await.unwrap();
    assert_eq!(split(&answer).1, body);
}

#[tokio::test]
async fn a_reset_is_an_rst_and_has_no_effect() {
    let (apple, key) = start().await;
    fails(&apple, Delivery::Reset);
    let error = rest(&mut ask(&apple, &key).await).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!((apple.state().counts().undecided().total(), apple.state().revoke_tokens(CLIENT)), (1, 0));
}

#[tokio::test]
async fn a_lost_answer_is_an_rst_after_the_effect() {
    let (apple, key) = start().await;
    fails(&apple, Delivery::Lost);
    let error = rest(&mut ask(&apple, &key).await).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!((apple.state().counts().with_status(200).total(), apple.state().revoke_tokens(CLIENT)), (1, 1));
}

#[tokio::test]
async fn silence_accepts_and_never_answers() {
    let (apple, key) = start().await;
    fails(&apple, Delivery::Silent);
    let mut stream = ask(&apple, &key).await;
    timeout(PATIENCE, apple.state().until(|counts| counts.undecided().total() == 1)).await.unwrap();
    assert!(timeout(A_WHILE, stream.read_u8()).await.is_err());
    assert_eq!(apple.state().revoke_tokens(CLIENT), 0);
}

#[tokio::test]
async fn a_delayed_answer_has_its_effect_at_once() {
    let (apple, key) = start().await;
    apple.state().fail(Fault::at(Endpoint::Token).times(1).delay(5 * A_WHILE));
    let mut stream = ask(&apple, &key).await;
    timeout(PATIENCE, apple.state().until(|counts| counts.with_status(200).total() == 1)).await.unwrap();
    assert!(timeout(A_WHILE / 2, stream.read_u8()).await.is_err());
    let answer = rest(&mut stream).await.unwrap();
    assert!(split(&answer).0.starts_with("http/1.1 200"), "{answer}");
}

#[tokio::test]
async fn status_and_headers_that_are_no_http_are_sent_as_they_stand() {
    let (apple, key) = start().await;
    apple.state().fail(Fault::everywhere().times(1).status(42).header("Bad Name", "\u{1}").body("{}"));
    let answer = whole(&apple, &key).await;
    assert!(answer.starts_with("HTTP/1.1 42 \r\n") && answer.contains("\r\nBad Name: \u{1}\r\n"), "{answer}");
}

#[tokio::test]
async fn a_length_that_is_not_the_bodys_is_sent_as_it_stands() {
    let (apple, key) = start().await;
    let fault = Fault::everywhere().body("{}");
    apple.state().fail(fault.header("content-length", "99999999999"));
    let answer = whole(&apple, &key).await;
    let (head, body) = split(&answer);
    assert_eq!((head.matches("content-length: ").count(), body), (1, "{}"));
    assert!(head.contains("\r\ncontent-length: 99999999999\r\n"), "{head}");
}

#[tokio::test]
async fn a_redirect_says_where() {
    let (apple, key) = start().await;
    apple.state().fail(Fault::everywhere().times(1).status(307).header("Location", "https://example.com/"));
    let answer = whole(&apple, &key).await;
    let (head, _) = split(&answer);
    assert!(head.contains("\r\nlocation: https://example.com/"), "{head}");
}

#[tokio::test]
async fn a_fault_of_one_client_leaves_the_others_alone() {
    let (apple, key) = start().await;
    apple.state().fail(Fault::everywhere().of("SEARCHADS.other").delivery(Delivery::Reset));
    assert!(whole(&apple, &key).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn deliveries_reach_a_client_library_over_tls_too() {
    let (apple, key) = start().await;
    let client = http(&apple);
    for delivery in [Delivery::Reset, Delivery::Lost] {
        fails(&apple, delivery);
        let error = request_token(&client, &apple.https_url(), &key).await.unwrap_err();
        assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset), "{delivery:?}: {error:?}");
    }
    fails(&apple, Delivery::Truncated { after: 10 });
    let answer = request_token(&client, &apple.https_url(), &key).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err());
    fails(&apple, Delivery::Silent);
    let silent = timeout(A_WHILE, request_token(&client, &apple.https_url(), &key)).await;
    assert!(silent.is_err());
}
