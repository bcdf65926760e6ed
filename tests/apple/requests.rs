//! What is sent to Apple, and what is never sent.

use std::process::Command;

use asa_operator::api::AdsApi;
use asa_operator::apple::ads::identity::{acls, me};
use asa_operator::apple::ads::oauth::{AccessToken, request_token};
use asa_operator::apple::error::Class;

use crate::support::responder::Responder;
use crate::support::{TOKEN, access_token, base, client, client_secret, http, now};

pub(crate) fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let head = request.split("\r\n\r\n").next().unwrap();
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

#[tokio::test]
async fn a_token_is_asked_for_in_the_body_and_nowhere_else() {
    let apple = Responder::json(200, "", TOKEN);
    let secret = client_secret();
    let odd_id = "SEARCHADS.a b&c=d";
    request_token(&http(), &base(&apple.url()), odd_id, &secret, now()).await.unwrap();

    let requests = apple.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert!(request.starts_with("POST /auth/oauth2/token HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(request, "content-type"), ["application/x-www-form-urlencoded"]);
    assert_eq!(header(request, "user-agent"), [concat!("asa-operator/", env!("CARGO_PKG_VERSION"))]);
    let body = request.split("\r\n\r\n").nth(1).unwrap();
    assert_eq!(
        body,
        format!(
            "grant_type=client_credentials&client_id=SEARCHADS.a+b%26c%3Dd&client_secret={}&scope=searchadsorg",
            secret.expose()
        )
    );
    for absent in ["accept-encoding", "authorization", "cookie", "referer", "x-ap-context"] {
        assert!(header(request, absent).is_empty(), "{absent}: {request}");
    }
}

#[tokio::test]
async fn the_apis_get_the_token_in_a_header_and_no_context() {
    let apple = Responder::json(200, "", "{}");
    for api in [AdsApi::PlatformV1, AdsApi::CampaignManagementV5] {
        let base = base(&format!("{}/base/", apple.url()));
        let _ = me(&http(), &base, api, &access_token(), now()).await;
        let _ = acls(&http(), &base, api, &access_token(), now()).await;
    }
    let requests = apple.requests();
    let lines: Vec<_> = requests.iter().map(|request| request.lines().next().unwrap()).collect();
    let (me, acls) = ("GET /base/me HTTP/1.1", "GET /base/acls HTTP/1.1");
    assert_eq!(lines, [me, acls, me, acls]);
    for request in &requests {
        assert_eq!(header(request, "authorization"), [format!("Bearer {}", access_token().expose())]);
        assert_eq!(header(request, "accept"), ["application/json"]);
        for absent in ["accept-encoding", "cookie", "x-ap-context", "content-type"] {
            assert!(header(request, absent).is_empty(), "{absent}: {request}");
        }
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Responder::json(200, "", TOKEN);
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}/auth/oauth2/token\r\n", elsewhere.url());
        let apple = Responder::json(status, &location, "");
        let error = request_token(&http(), &base(&apple.url()), "c", &client_secret(), now()).await.unwrap_err();
        assert_eq!(error.class, Class::Redirected, "{status}");
        let error = me(&http(), &base(&apple.url()), AdsApi::PlatformV1, &access_token(), now()).await.unwrap_err();
        assert_eq!(error.class, Class::Redirected, "{status}");
        assert_eq!(apple.requests().len(), 2, "{status}");
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn cookies_are_not_kept() {
    let apple = Responder::json(200, "Set-Cookie: a=b\r\n", TOKEN);
    let http = http();
    for _ in 0..2 {
        request_token(&http, &base(&apple.url()), &client().client_id, &client_secret(), now()).await.unwrap();
    }
    assert!(apple.requests().iter().all(|request| header(request, "cookie").is_empty()));
}

#[tokio::test]
async fn a_token_that_fits_no_header_is_not_sent() {
    let apple = Responder::json(200, "", "{}");
    let token = AccessToken::new("line\r\nX-Injected: yes".to_owned());
    let error = me(&http(), &base(&apple.url()), AdsApi::PlatformV1, &token, now()).await.unwrap_err();
    assert_eq!(error.class, Class::Unauthorized);
    assert!(apple.requests().is_empty());
}

/// A proxy would see the credentials. The variables are read when a client is built, so this asks a child process to run
/// another test under them.
#[test]
fn plain_http_to_this_machine_goes_through_no_proxy() {
    let proxy = Responder::json(502, "", "");
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "requests::a_token_is_asked_for_in_the_body_and_nowhere_else"])
        .envs(["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, proxy.url())))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    assert!(proxy.requests().is_empty());
}
