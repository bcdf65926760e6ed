//! The server as a whole: HTTP and TLS, its life, its clock.

use std::{net::TcpStream, time::Duration};

use fake_apple::{Call, Clock, Config, Endpoint, FakeApple, Options, StartError, State};
use serde_json::Value;
use tokio::{runtime::Runtime, time::timeout};

use crate::fixtures::{CLIENT, KeyPair, ORG, good_form, now};

const PATIENCE: Duration = Duration::from_secs(10);

/// A server whose clock stands still at the fixtures' moment, and which knows acme.
pub(crate) async fn start() -> (FakeApple, KeyPair) {
    let key = KeyPair::new();
    let config = Config { clients: vec![key.client()], ..Config::default() };
    let options = Options { clock: Clock::new(now), config, ..Options::default() };
    (FakeApple::start_with(options).await.unwrap(), key)
}

/// A client that trusts only this server, and uses no proxy.
pub(crate) fn http(apple: &FakeApple) -> reqwest::Client {
    let authority = reqwest::Certificate::from_pem(apple.ca_pem().as_bytes()).unwrap();
    reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap()
}

pub(crate) async fn request_token(
    http: &reqwest::Client,
    base: &str,
    key: &KeyPair,
) -> reqwest::Result<reqwest::Response> {
    http.post(format!("{base}/auth/oauth2/token"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(good_form(&key.secret(now())))
        .send()
        .await
}

async fn json(response: reqwest::Response) -> Value {
    assert_eq!(response.status(), 200);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn token_and_me(http: &reqwest::Client, base: &str, key: &KeyPair) {
    let answer = json(request_token(http, base, key).await.unwrap()).await;
    let me = http.get(format!("{base}/v1/me")).bearer_auth(answer["access_token"].as_str().unwrap());
    assert_eq!(json(me.send().await.unwrap()).await["result"]["orgId"], ORG);
}

#[tokio::test]
async fn http_and_https_serve_the_same_apple() {
    let (apple, key) = start().await;
    let http = http(&apple);
    token_and_me(&http, &apple.url(), &key).await;
    token_and_me(&http, &apple.https_url(), &key).await;
    token_and_me(&http, &format!("https://localhost:{}", apple.https_port()), &key).await;
    assert_eq!(apple.state().counts().of(CLIENT).at(Endpoint::Token).with_status(200).total(), 3);
}

#[tokio::test]
async fn who_does_not_know_the_authority_is_not_served() {
    let (apple, key) = start().await;
    let (other, _) = start().await;
    assert!(request_token(&http(&other), &apple.https_url(), &key).await.unwrap_err().is_connect());
    assert_eq!(apple.state().counts().total(), 0);
    let hung_up = Call { at: now(), client: None, endpoint: None, status: None };
    timeout(PATIENCE, async {
        while apple.state().calls() != [hung_up.clone()] {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn every_answer_carries_the_date_of_apples_clock() {
    let (apple, _) = start().await;
    apple.state().set_clock_offset(-86_400);
    for path in ["/v1/me", "/api/v5/me", "/auth/oauth2/token", "/nowhere", "/control/counts", "/control/nothing"] {
        let answer = http(&apple).get(apple.url() + path).send().await.unwrap();
        assert_eq!(answer.headers()["date"], "Mon, 31 Aug 2026 12:00:00 GMT", "{path}");
    }
}

#[tokio::test]
async fn a_pause_refuses_connections_and_a_resume_takes_up_where_it_was() {
    let (mut apple, key) = start().await;
    let http = http(&apple);
    let answer = json(request_token(&http, &apple.url(), &key).await.unwrap()).await;
    let (url, authority) = (apple.https_url(), apple.ca_pem().to_owned());

    apple.pause();
    assert!(TcpStream::connect(("127.0.0.1", apple.http_port())).is_err());
    assert!(request_token(&http, &url, &key).await.unwrap_err().is_connect());
    apple.pause();

    apple.resume().await.unwrap();
    apple.resume().await.unwrap();
    assert_eq!((apple.https_url(), apple.ca_pem()), (url.clone(), authority.as_str()));
    let me = http.get(format!("{url}/v1/me")).bearer_auth(answer["access_token"].as_str().unwrap());
    assert_eq!(me.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn dropping_it_frees_its_ports() {
    let (apple, _) = start().await;
    let listen = ([127, 0, 0, 1], apple.http_port()).into();
    let taken = FakeApple::start_with(Options { listen, ..Options::default() }).await;
    assert!(matches!(taken, Err(StartError::Listen(_))));
    drop(apple);
    FakeApple::start_with(Options { listen, ..Options::default() }).await.unwrap();
}

#[test]
fn it_outlives_the_runtime_that_started_it() {
    let (apple, key) = runtime().block_on(start());
    runtime().block_on(async { token_and_me(&http(&apple), &apple.url(), &key).await });
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_of_the_test_does_not_pause_it() {
    let (apple, key) = start().await;
    let (http, base) = (http(&apple), apple.url());
    // The client's own timers would jump ahead under the paused clock, so it runs beside it.
    let served = tokio::task::spawn_blocking(move || {
        runtime().block_on(async { request_token(&http, &base, &key).await.unwrap().status() })
    });
    assert_eq!(served.await.unwrap(), 200);
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[tokio::test]
async fn until_waits_for_requests_that_were_asked_elsewhere() {
    let (apple, key) = start().await;
    let asked_twice = apple.state().until(|counts| counts.at(Endpoint::Token).total() == 2);
    let asking = async {
        for _ in 0..2 {
            request_token(&http(&apple), &apple.url(), &key).await.unwrap();
        }
    };
    timeout(PATIENCE, async { tokio::join!(asked_twice, asking) }).await.unwrap();
}

#[tokio::test]
async fn a_bad_key_in_the_configuration_is_told_at_the_start() {
    let mut client = KeyPair::new().client();
    client.keys[0].public_key.clear();
    let config = Config { clients: vec![client], ..Config::default() };
    let error = FakeApple::start_with(Options { config, ..Options::default() }).await.unwrap_err();
    assert!(matches!(error, StartError::Key(_)), "{error}");
}

#[test]
fn handles_may_be_sent_to_other_threads() {
    fn sendable<T: Send + Sync + 'static>() {}
    sendable::<State>();
    sendable::<FakeApple>();
}
