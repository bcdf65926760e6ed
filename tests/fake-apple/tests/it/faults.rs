//! What faults decide, before anything travels.

use std::time::Duration;

use fake_apple::{Apple, Delivery, Endpoint, Fault, Message};
use serde_json::{Value, json};

use crate::fixtures::{CLIENT, KeyPair, apple, good_form, now, token};

fn ask(apple: &mut Apple, key: &KeyPair) -> Message {
    apple.token(&good_form(&key.secret(now())), now()).message.unwrap()
}

#[test]
fn a_counted_fault_meets_the_next_requests_and_is_gone() {
    let (mut apple, key) = apple();
    apple.fail(Fault::at(Endpoint::Token).times(2).status(429).header("Retry-After", "3"));
    for _ in 0..2 {
        let message = ask(&mut apple, &key);
        assert_eq!((message.status, message.header("retry-after")), (429, Some("3")));
        assert!(message.body.is_empty() && message.header("date").is_some());
    }
    assert!(apple.faults().is_empty());
    assert_eq!(ask(&mut apple, &key).status, 200);
}

#[test]
fn an_uncounted_fault_acts_until_it_is_removed() {
    let (mut apple, key) = apple();
    apple.fail(Fault::everywhere().status(503));
    apple.fail(Fault::everywhere().of(CLIENT).status(500));
    for _ in 0..3 {
        assert_eq!(ask(&mut apple, &key).status, 503);
    }
    apple.clear_faults_of(CLIENT);
    assert_eq!(ask(&mut apple, &key).status, 503);
    apple.clear_faults();
    assert_eq!(ask(&mut apple, &key).status, 200);
}

#[test]
fn a_fault_keeps_to_its_client_and_its_endpoint() {
    let (mut apple, key) = apple();
    let bearer = format!("Bearer {}", token(&mut apple, &key));
    apple.fail(Fault::at(Endpoint::MeV1).of(CLIENT).status(500));
    apple.fail(Fault::at(Endpoint::MeV5).of("SEARCHADS.other").status(500));
    let mut status = |path: &str, headers: &[(&str, &str)]| apple.get(path, headers, now()).message.unwrap().status;
    let token = [("Authorization", bearer.as_str())];
    assert_eq!(status("/v1/me", &token), 500);
    assert_eq!(status("/v1/me", &[]), 401);
    assert_eq!(status("/v1/acls", &token), 200);
    assert_eq!(status("/api/v5/me", &token), 200);
}

#[test]
fn the_oldest_of_several_faults_acts() {
    let (mut apple, key) = apple();
    apple.fail(Fault::at(Endpoint::Token).times(1).status(500));
    apple.fail(Fault::at(Endpoint::Token).times(1).status(429));
    assert_eq!([(); 3].map(|()| ask(&mut apple, &key).status), [500, 429, 200]);
}

#[test]
fn a_fault_may_meet_each_third_request_only_and_leave_the_others_to_younger_ones() {
    let (mut apple, key) = apple();
    apple.fail(Fault::at(Endpoint::Token).every(3).times(2).status(500));
    apple.fail(Fault::at(Endpoint::Token).every(4).status(429));
    let statuses = [(); 12].map(|()| ask(&mut apple, &key).status);
    assert_eq!(statuses, [200, 200, 500, 200, 429, 500, 200, 200, 200, 429, 200, 200]);
    assert_eq!(apple.faults(), [Fault::at(Endpoint::Token).every(4).status(429)]);
}

#[test]
fn a_replaced_answer_issues_no_token() {
    let (mut apple, key) = apple();
    apple.fail(Fault::at(Endpoint::Token).body("<html>maintenance</html>").header("Content-Type", "text/html"));
    let message = ask(&mut apple, &key);
    assert_eq!((message.status, message.body.as_slice()), (200, b"<html>maintenance</html>".as_slice()));
    assert_eq!(message.header("content-type"), Some("text/html"));
    assert_eq!(apple.revoke_tokens(CLIENT), 0);
}

#[test]
fn fields_of_the_good_answer_can_be_anything_or_absent() {
    let (mut apple, key) = apple();
    let odd = [json!(0), json!(-1), json!(1_u64 << 63), json!("soon"), json!(null), json!({}), json!(1.5)];
    for value in odd {
        apple.fail(Fault::at(Endpoint::Token).times(1).set("expires_in", value.clone()));
        let body = ask(&mut apple, &key).body_json().unwrap();
        assert_eq!((&body["expires_in"], &body["token_type"]), (&value, &json!("Bearer")));
    }
    apple.fail(Fault::at(Endpoint::Token).times(1).remove("expires_in").set("access_token", json!("a\nb")));
    let body = ask(&mut apple, &key).body_json().unwrap();
    assert_eq!((body.get("expires_in"), &body["access_token"]), (None::<&Value>, &json!("a\nb")));
}

#[test]
fn an_edited_answer_keeps_its_effect_and_a_refusal_is_not_edited() {
    let (mut apple, key) = apple();
    apple.fail(Fault::at(Endpoint::Token).set("expires_in", json!(1)));
    ask(&mut apple, &key);
    assert_eq!(apple.revoke_tokens(CLIENT), 1);
    let refused = apple.token("client_id=x", now()).message.unwrap();
    assert_eq!(refused.body_json().unwrap(), json!({ "error": "invalid_request" }));
}

#[test]
fn a_reset_or_silent_request_has_no_effect_and_a_lost_answer_has_had_it() {
    for (delivery, tokens, status) in
        [(Delivery::Reset, 0, None), (Delivery::Silent, 0, None), (Delivery::Lost, 1, Some(200))]
    {
        let (mut apple, key) = apple();
        apple.fail(Fault::at(Endpoint::Token).delivery(delivery));
        let answer = apple.token(&good_form(&key.secret(now())), now());
        assert_eq!((answer.delivery, answer.received()), (delivery, None));
        assert_eq!(answer.message.map(|message| message.status), status);
        assert_eq!(apple.counts().rows()[0].status, status);
        assert_eq!(apple.counts().undecided().total(), u64::from(status.is_none()));
        assert_eq!(apple.revoke_tokens(CLIENT), tokens, "{delivery:?}");
    }
}

#[test]
fn a_delay_is_told_and_not_slept() {
    let (mut apple, key) = apple();
    apple.fail(Fault::at(Endpoint::Token).delay(Duration::from_hours(1)));
    let answer = apple.token(&good_form(&key.secret(now())), now());
    assert_eq!((answer.delay, answer.received().unwrap().status), (Duration::from_hours(1), 200));
}

#[test]
fn a_header_of_the_fault_goes_before_our_own() {
    let (mut apple, key) = apple();
    apple.fail(Fault::everywhere().header("date", "yesterday"));
    let message = ask(&mut apple, &key);
    let dates = message.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("date")).collect::<Vec<_>>();
    assert_eq!(dates, [&("date".to_owned(), "yesterday".to_owned())]);
}
