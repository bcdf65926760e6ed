//! The form of a token request, and the token.

use fake_apple::{Apple, Endpoint, Message, Request, Settings};
use jiff::{SignedDuration, ToSpan};
use serde_json::json;

use crate::fixtures::{CLIENT, apple, form, good_form, now, token, token_of, why};

fn post(secret: &str) -> Request {
    Request {
        method: "POST".to_owned(),
        path: "/auth/oauth2/token".to_owned(),
        query: None,
        headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        body: good_form(secret).into_bytes(),
    }
}

/// Sends a good request after `change`, and returns the answer and the reason if it was refused.
fn changed(change: impl FnOnce(&mut Request)) -> (Message, Option<String>) {
    let (mut apple, key) = apple();
    let mut request = post(&key.secret(now()));
    change(&mut request);
    let message = apple.answer(&request, now()).message.unwrap();
    (message, apple.refusals().pop().map(|refusal| refusal.why))
}

#[track_caller]
fn refused(status: u16, code: &str, reason: &str, change: impl FnOnce(&mut Request)) -> Message {
    let (message, why) = changed(change);
    assert_eq!((message.status, message.body_json()), (status, Some(json!({ "error": code }))));
    assert_eq!(why.as_deref(), Some(reason));
    message
}

#[track_caller]
fn accepted(change: impl FnOnce(&mut Request)) {
    let (message, why) = changed(change);
    assert_eq!((message.status, why), (200, None));
}

fn set_header(request: &mut Request, name: &str, value: &str) {
    request.headers.push((name.to_owned(), value.to_owned()));
}

#[test]
fn a_good_request_gets_a_token_in_apples_words() {
    let (mut apple, key) = apple();
    let message = apple.answer(&post(&key.secret(now())), now()).message.unwrap();
    let token = token_of(&message);
    assert_eq!(
        message.body_json().unwrap(),
        json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": "searchadsorg" })
    );
    assert_eq!(message.header("content-type"), Some("application/json"));
    assert_eq!(message.header("cache-control"), Some("no-store"));
    assert_eq!(message.header("date"), Some("Tue, 01 Sep 2026 12:00:00 GMT"));
}

#[test]
fn a_token_looks_like_apples_and_no_two_are_alike() {
    let (mut apple, key) = apple();
    let (first, second) = (token(&mut apple, &key), token(&mut apple, &key));
    let parts = first.split('.').collect::<Vec<_>>();
    assert_eq!((parts.len(), parts[1], first.len()), (5, "", 373));
    assert!(first.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
    assert_ne!(first, second);
}

#[test]
fn the_same_seed_gives_the_same_tokens() {
    let ((mut one, key), (mut other, other_key)) = (apple(), apple());
    assert_eq!(token(&mut one, &key), token(&mut other, &other_key));
}

#[test]
fn only_post_is_served() {
    for method in ["GET", "PUT", "HEAD"] {
        let reason = format!("the method is {method}, not POST");
        let message = refused(405, "invalid_request", &reason, |request| {
            request.method = method.to_owned();
        });
        assert_eq!(message.header("allow"), Some("POST"));
    }
}

#[test]
fn the_body_is_declared_as_a_form() {
    let reason = "Content-Type is not application/x-www-form-urlencoded";
    accepted(|request| {
        request.headers[0].1 = "Application/X-WWW-Form-Urlencoded; charset=UTF-8".to_owned();
    });
    refused(400, "invalid_request", reason, |request| {
        request.headers.clear();
    });
    refused(400, "invalid_request", reason, |request| {
        request.headers[0].1 = "application/json".to_owned();
    });
    refused(400, "invalid_request", reason, |request| {
        request.headers[0].1.push_str("; boundary=x");
    });
    refused(400, "invalid_request", reason, |request| {
        set_header(request, "Content-Type", "application/x-www-form-urlencoded");
    });
}

#[test]
fn nothing_stands_in_the_query() {
    let reason = "parameters belong into the body, and there is a query";
    refused(400, "invalid_request", reason, |request| {
        request.query = Some(String::from_utf8(std::mem::take(&mut request.body)).unwrap());
    });
    refused(400, "invalid_request", reason, |request| {
        request.query = Some(String::new());
    });
}

#[test]
fn headers_of_the_apis_have_no_place_here() {
    for header in ["X-AP-Context", "Authorization"] {
        let reason = format!("the header {header} has no place in a token request");
        refused(400, "invalid_request", &reason, |request| {
            set_header(request, &header.to_lowercase(), "orgId=1");
        });
    }
}

#[test]
fn each_parameter_occurs_exactly_once() {
    let (_, key) = apple();
    let secret = key.secret(now());
    let good = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", secret.as_str()),
        ("scope", "searchadsorg"),
    ];
    for (position, (name, value)) in good.into_iter().enumerate() {
        let body = |parameters: &[(&str, &str)]| form(parameters).into_bytes();
        let repeated = [&good[..], &[(name, value)]].concat();
        refused(400, "invalid_request", &format!("{name} occurs more than once"), |request| {
            request.body = body(&repeated);
        });
        if name == "scope" {
            continue;
        }
        let missing = [&good[..position], &good[position + 1..]].concat();
        let mut empty = good;
        empty[position].1 = "";
        for parameters in [missing, empty.to_vec()] {
            refused(400, "invalid_request", &format!("{name} is missing or empty"), |request| {
                request.body = body(&parameters);
            });
        }
    }
}

#[test]
fn a_body_is_text() {
    refused(400, "invalid_request", "the body is not UTF-8", |request| {
        request.body.push(0xff);
    });
}

#[test]
fn grant_type_and_scope_have_one_value() {
    let (mut apple, key) = apple();
    let secret = key.secret(now());
    let cases = [
        ("grant_type", "authorization_code", "unsupported_grant_type", "grant_type is not client_credentials"),
        ("scope", "searchads", "invalid_scope", "scope is not searchadsorg"),
        ("scope", "", "invalid_scope", "scope is not searchadsorg"),
    ];
    for (name, value, code, reason) in cases {
        let mut parameters = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT),
            ("client_secret", secret.as_str()),
            ("scope", "searchadsorg"),
        ];
        parameters.iter_mut().find(|parameter| parameter.0 == name).unwrap().1 = value;
        let message = apple.token(&form(&parameters), now()).message.unwrap();
        assert_eq!((message.status, message.body_json()), (400, Some(json!({ "error": code }))));
        assert_eq!(why(&apple), reason);
    }
}

#[test]
fn an_unknown_client_is_refused_like_a_bad_client_secret() {
    let (mut apple, key) = apple();
    assert!(apple.remove_client(CLIENT));
    let message = apple.token(&good_form(&key.secret(now())), now()).message.unwrap();
    assert_eq!((message.status, message.body_json()), (400, Some(json!({ "error": "invalid_client" }))));
    assert_eq!(why(&apple), "client_id is not registered");
}

#[test]
fn a_token_lives_as_long_as_it_says_and_a_new_one_does_not_end_it() {
    let (mut apple, key) = apple();
    apple.set_settings(Settings { token_life_seconds: 10, ..Settings::default() });
    let first = token(&mut apple, &key);
    let second_at = now() + 5.seconds();
    let second = token_of(&apple.token(&good_form(&key.secret(now())), second_at).message.unwrap());
    let mut works = |token: &str, seconds: i64| {
        let at = now() + SignedDuration::from_secs(seconds);
        let authorization = format!("Bearer {token}");
        apple.get("/v1/me", &[("Authorization", &authorization)], at).message.unwrap().status == 200
    };
    assert!(works(&first, 9) && works(&second, 9));
    assert!(!works(&first, 10) && works(&second, 14));
    assert!(!works(&second, 15));
}

#[test]
fn a_clients_own_token_life_goes_before_the_general_one() {
    let (mut apple, key) = apple();
    apple.register(key.client().token_life(7)).unwrap();
    let message = apple.token(&good_form(&key.secret(now())), now()).message.unwrap();
    assert_eq!(message.body_json().unwrap()["expires_in"], 7);
}

#[test]
fn apples_clock_moves_the_date_and_not_the_age_of_tokens() {
    let (mut apple, key) = apple();
    let token = token(&mut apple, &key);
    apple.set_settings(Settings { clock_offset_seconds: 7200, ..Settings::default() });
    let answer = apple.get("/api/v5/me", &[("Authorization", &format!("Bearer {token}"))], now());
    let message = answer.message.unwrap();
    assert_eq!((message.status, message.header("date")), (200, Some("Tue, 01 Sep 2026 14:00:00 GMT")));
}

#[test]
fn revoked_tokens_and_those_of_a_removed_client_end_for_good() {
    let (mut apple, key) = apple();
    let ends: [fn(&mut Apple); 3] = [
        |apple| assert_eq!(apple.revoke_tokens(CLIENT), 1),
        |apple| assert!(apple.remove_client(CLIENT)),
        |apple| apple.replace_clients(Vec::new()).unwrap(),
    ];
    for end in ends {
        let token = format!("Bearer {}", token(&mut apple, &key));
        let status =
            |apple: &mut Apple| apple.get("/v1/me", &[("Authorization", &token)], now()).message.unwrap().status;
        assert_eq!(status(&mut apple), 200);
        end(&mut apple);
        assert_eq!(status(&mut apple), 401);
        apple.register(key.client()).unwrap();
        assert_eq!(status(&mut apple), 401);
    }
}

#[test]
fn requests_are_counted_by_client_endpoint_and_status() {
    let (mut apple, key) = apple();
    let token = format!("Bearer {}", token(&mut apple, &key));
    apple.token(&form(&[("client_id", "SEARCHADS.stranger")]), now());
    apple.get("/v1/me", &[("Authorization", &token)], now());
    apple.get("/v1/campaigns", &[("Authorization", &token)], now());
    apple.get("/api/v5/me", &[], now());
    let counts = apple.counts();
    assert_eq!(counts.total(), 5);
    assert_eq!(counts.of(CLIENT).total(), 3);
    assert_eq!(counts.of(CLIENT).at(Endpoint::CampaignsV1).with_status(403).total(), 1);
    assert_eq!(counts.of("SEARCHADS.stranger").at(Endpoint::Token).with_status(400).total(), 1);
    assert_eq!(counts.at(Endpoint::MeV5).with_status(401).rows()[0].client, None);
    apple.reset_counts();
    assert_eq!(apple.counts().total(), 0);
}
