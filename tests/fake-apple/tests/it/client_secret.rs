//! Which client secrets are accepted. Each refusal is checked for its own reason: `invalid_client` alone would also be
//! the answer to a mistake in the test.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fake_apple::{Apple, Settings};
use serde_json::{Value, json};

use crate::fixtures::{CLIENT, KEY, KeyPair, TEAM, apple, claims, good_form, header, now, why, with};

const DAY: i64 = 86_400;

#[track_caller]
fn accepted(apple: &mut Apple, secret: &str) {
    let message = apple.token(&good_form(secret), now()).message.unwrap();
    assert_eq!(message.status, 200, "{:?}", apple.refusals().last());
}

#[track_caller]
fn refused(apple: &mut Apple, secret: &str, reason: &str) {
    let message = apple.token(&good_form(secret), now()).message.unwrap();
    assert_eq!((message.status, message.body_json()), (400, Some(json!({ "error": "invalid_client" }))));
    assert_eq!(why(apple), format!("client_secret: {reason}"));
}

#[test]
fn a_client_secret_as_apples_sample_makes_it_is_accepted_again_and_again() {
    let (mut apple, key) = apple();
    let secret = key.secret(now());
    accepted(&mut apple, &secret);
    accepted(&mut apple, &secret);
    accepted(&mut apple, &key.secret(now()));
}

#[test]
fn a_remembered_signature_does_not_excuse_the_claims() {
    let (mut apple, key) = apple();
    let secret = key.jwt(&header(), &with(claims(now()), "exp", json!(now().as_second() + 1)));
    accepted(&mut apple, &secret);
    apple.set_settings(Settings { clock_offset_seconds: 1, ..Settings::default() });
    refused(&mut apple, &secret, "expired 0 s ago by Apple's clock");
}

#[test]
fn the_header_is_checked() {
    let cases: [(&str, Value, Option<&str>); 9] = [
        ("typ", Value::Null, None),
        ("typ", json!("jwt"), Some("typ is neither absent nor JWT")),
        ("typ", json!(["JWT"]), Some("typ is neither absent nor JWT")),
        ("alg", json!("none"), Some("alg is not ES256")),
        ("alg", json!("ES384"), Some("alg is not ES256")),
        ("alg", Value::Null, Some("alg is not ES256")),
        ("kid", json!("another"), Some("kid is not a registered key id")),
        ("kid", Value::Null, Some("kid is not a registered key id")),
        ("crit", json!(["b64"]), Some("crit names extensions")),
    ];
    let (mut apple, key) = apple();
    for (name, value, reason) in cases {
        let secret = key.jwt(&with(header(), name, value), &claims(now()));
        match reason {
            None => accepted(&mut apple, &secret),
            Some(reason) => refused(&mut apple, &secret, reason),
        }
    }
}

#[test]
fn the_claims_are_checked() {
    let now_seconds = now().as_second();
    let not_aud = Some("aud is not the string https://appleid.apple.com");
    let cases: [(&str, Value, Option<&str>); 19] = [
        ("iss", json!(CLIENT), Some("iss is not the team id")),
        ("iss", Value::Null, Some("iss is not the team id")),
        ("sub", json!(TEAM), Some("sub is not the client id")),
        ("sub", Value::Null, Some("sub is not the client id")),
        ("aud", json!(["https://appleid.apple.com"]), not_aud),
        ("aud", json!("https://appleid.apple.com/"), not_aud),
        ("aud", json!("appstoreconnect-v1"), not_aud),
        ("aud", Value::Null, not_aud),
        ("iat", Value::Null, Some("iat is not a whole number of seconds")),
        ("iat", json!("1"), Some("iat is not a whole number of seconds")),
        ("iat", json!(now_seconds + 60), None),
        ("iat", json!(now_seconds + 61), Some("iat lies 61 s ahead of Apple's clock")),
        ("iat", json!(now_seconds + 7200), Some("iat lies 7200 s ahead of Apple's clock")),
        ("exp", Value::Null, Some("exp is not a whole number of seconds")),
        ("exp", json!(0.5), Some("exp is not a whole number of seconds")),
        ("exp", json!(now_seconds), Some("expired 0 s ago by Apple's clock")),
        ("exp", json!(now_seconds + 1), None),
        ("exp", json!(now_seconds + 180 * DAY), None),
        ("exp", json!(now_seconds + 180 * DAY + 1), Some("exp - iat is 15552001 s, more than 180 days")),
    ];
    let (mut apple, key) = apple();
    for (name, value, reason) in cases {
        let secret = key.jwt(&header(), &with(claims(now()), name, value));
        match reason {
            None => accepted(&mut apple, &secret),
            Some(reason) => refused(&mut apple, &secret, reason),
        }
    }
}

#[test]
fn life_counts_from_iat_and_not_from_the_request() {
    let (mut apple, key) = apple();
    let back_dated = with(claims(now()), "iat", json!(now().as_second() - 60));
    refused(&mut apple, &key.jwt(&header(), &back_dated), "exp - iat is 15552060 s, more than 180 days");
}

#[test]
fn apples_clock_decides_and_not_ours() {
    let (mut apple, key) = apple();
    apple.set_settings(Settings { clock_offset_seconds: -300, ..Settings::default() });
    refused(&mut apple, &key.secret(now()), "iat lies 300 s ahead of Apple's clock");
    apple.set_settings(Settings { clock_offset_seconds: 180 * DAY, ..Settings::default() });
    refused(&mut apple, &key.secret(now()), "expired 0 s ago by Apple's clock");
}

#[test]
fn the_signature_must_be_by_the_registered_key() {
    let (mut apple, _) = apple();
    let other = KeyPair::new();
    refused(&mut apple, &other.secret(now()), "the signature is not by the registered key");
}

#[test]
fn a_signature_covers_header_and_claims() {
    let (mut apple, key) = apple();
    let (mine, later) = (key.secret(now()), key.jwt(&header(), &with(claims(now()), "jti", json!("x"))));
    let mine = mine.split('.').collect::<Vec<_>>();
    let later = later.split('.').collect::<Vec<_>>();
    let spliced = [mine[0], later[1], mine[2]].join(".");
    refused(&mut apple, &spliced, "the signature is not by the registered key");
}

#[test]
fn the_signature_is_raw_and_never_der() {
    let (mut apple, key) = apple();
    let secret = key.secret(now());
    let (signed, signature) = secret.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let der = p256::ecdsa::Signature::from_slice(&raw).unwrap().to_der();
    let der_secret = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(der.as_bytes()));
    refused(&mut apple, &der_secret, &format!("the signature has {} bytes instead of 64", der.as_bytes().len()));
    let zeros = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 64]));
    refused(&mut apple, &zeros, "the signature is not by the registered key");
}

#[test]
fn a_client_secret_has_three_parts_of_base64url_json() {
    let (mut apple, key) = apple();
    let secret = key.secret(now());
    let parts = secret.split('.').collect::<Vec<_>>();
    let standard = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256""#);
    let cases = [
        ("nonsense".to_owned(), "not three parts joined by dots"),
        (format!("{}.{}", parts[0], parts[1]), "not three parts joined by dots"),
        (format!("{secret}.x"), "not three parts joined by dots"),
        (format!("{}=.{}.{}", parts[0], parts[1], parts[2]), "the header is not base64url"),
        (format!("{standard}.{}.{}", parts[1], parts[2]), "the header is not a JSON object"),
        (format!("{}.{}.{}==", parts[0], parts[1], parts[2]), "the signature is not base64url"),
    ];
    for (secret, reason) in cases {
        refused(&mut apple, &secret, reason);
    }
}

#[test]
fn during_a_rollover_both_keys_are_good() {
    let (old, new, other) = (KeyPair::new(), KeyPair::new(), KeyPair::new());
    let mut apple = Apple::with_seed(1);
    // The same key id twice, as where a key was replaced in place, and another id beside it.
    apple.register(old.client().key(KEY, new.public_pem()).key("second", other.public_pem())).unwrap();
    accepted(&mut apple, &old.secret(now()));
    accepted(&mut apple, &new.secret(now()));
    accepted(&mut apple, &other.jwt(&with(header(), "kid", json!("second")), &claims(now())));
    refused(&mut apple, &other.secret(now()), "the signature is not by the registered key");
}

#[test]
fn replacing_the_key_ends_its_client_secrets_and_no_token() {
    let (mut apple, old) = apple();
    let token = crate::fixtures::token(&mut apple, &old);
    let new = KeyPair::new();
    apple.register(new.client()).unwrap();
    refused(&mut apple, &old.secret(now()), "the signature is not by the registered key");
    accepted(&mut apple, &new.secret(now()));
    let answer = apple.get("/v1/me", &[("Authorization", &format!("Bearer {token}"))], now());
    assert_eq!(answer.message.unwrap().status, 200);
}

#[test]
fn a_key_that_is_not_p256_cannot_be_registered() {
    let mut apple = Apple::with_seed(1);
    let mut client = KeyPair::new().client();
    for bad in ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", ED25519] {
        client.keys[0].public_key = bad.to_owned();
        let error = apple.register(client.clone()).unwrap_err();
        assert!(error.to_string().contains(KEY), "{error}");
    }
    assert!(apple.clients().is_empty());
}

const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";
