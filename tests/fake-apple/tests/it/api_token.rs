//! Which tokens App Store Connect and the Enterprise Program accept. Each refusal is checked for its own reason:
//! `NOT_AUTHORIZED` alone would also be the answer to a mistake in the test.

use fake_apple::{Apple, Message, Program, Request, Settings};
use serde_json::{Value, json};

use crate::{
    app_store_connect::{APPS, BUNDLE_IDS, CI_PRODUCTS, ISSUER, KEY_ID, Known, claims_of, get, header_of},
    fixtures::{KeyPair, now, why, with},
};

const DAY: i64 = 86_400;

#[track_caller]
fn accepted(apple: &mut Apple, path: &str, token: &str) {
    assert_eq!(get(apple, path, token).status, 200, "{:?}", apple.refusals().last());
}

#[track_caller]
fn refused(apple: &mut Apple, path: &str, token: &str, reason: &str) {
    is_not_authorized(&get(apple, path, token));
    assert_eq!(why(apple), format!("the token: {reason}"));
}

#[track_caller]
fn is_not_authorized(message: &Message) {
    assert_eq!(message.status, 401);
    assert_eq!(message.body_json().unwrap()["errors"][0]["code"], "NOT_AUTHORIZED");
}

#[test]
fn each_kind_of_key_is_accepted_at_its_own_host_only() {
    let mut known = Known::new();
    for (kind, path, elsewhere) in
        [("team", APPS, BUNDLE_IDS), ("individual", APPS, BUNDLE_IDS), ("enterprise", BUNDLE_IDS, APPS)]
    {
        let token = known.token(kind);
        accepted(&mut known.apple, path, &token);
        refused(&mut known.apple, elsewhere, &token, "kid is not a registered key id");
    }
}

#[test]
fn the_same_key_id_may_stand_for_a_key_of_each_program() {
    let mut known = Known::new();
    let other = KeyPair::new();
    known.apple.register_api_key(fake_apple::ApiKey::enterprise(KEY_ID, ISSUER, other.public_pem())).unwrap();
    let token = known.token("team");
    accepted(&mut known.apple, APPS, &token);
    refused(&mut known.apple, BUNDLE_IDS, &token, "the signature is not by the registered key");
    assert!(known.apple.remove_api_key(Program::AppStore, KEY_ID));
    refused(&mut known.apple, APPS, &token, "kid is not a registered key id");
    let token = other.jwt(&header_of("team"), &with(claims_of("team"), "aud", json!("apple-developer-enterprise-v1")));
    accepted(&mut known.apple, BUNDLE_IDS, &token);
}

#[test]
fn the_header_is_checked() {
    let cases: [(&str, Value, &str); 9] = [
        ("typ", Value::Null, "typ is not JWT"),
        ("typ", json!("jwt"), "typ is not JWT"),
        ("alg", json!("none"), "alg is not ES256"),
        ("alg", json!("ES384"), "alg is not ES256"),
        ("alg", Value::Null, "alg is not ES256"),
        ("kid", json!("another"), "kid is not a registered key id"),
        ("kid", Value::Null, "kid is not a registered key id"),
        ("kid", json!(7), "kid is not a registered key id"),
        ("crit", json!(["b64"]), "crit names extensions"),
    ];
    let mut known = Known::new();
    for (name, value, reason) in cases {
        let token = known.signed(&with(header_of("team"), name, value), &claims_of("team"));
        refused(&mut known.apple, APPS, &token, reason);
    }
}

#[test]
fn the_claims_are_checked() {
    let now = now().as_second();
    let (not_issuer, not_user) = ("iss is not the issuer id", "sub is not the string user");
    let (not_aud, not_aud_of_enterprise) =
        ("aud is not the string appstoreconnect-v1", "aud is not the string apple-developer-enterprise-v1");
    let cases: [(&str, &str, Value, &str); 24] = [
        ("team", "iss", Value::Null, not_issuer),
        ("team", "iss", json!("another"), not_issuer),
        ("team", "sub", json!("user"), "sub is there, and the key is a team's"),
        ("enterprise", "iss", Value::Null, not_issuer),
        ("individual", "iss", json!(ISSUER), "iss is there, and the key is an individual one"),
        ("individual", "sub", Value::Null, not_user),
        ("individual", "sub", json!(ISSUER), not_user),
        ("team", "aud", Value::Null, not_aud),
        ("team", "aud", json!(["appstoreconnect-v1"]), not_aud),
        ("team", "aud", json!("apple-developer-enterprise-v1"), not_aud),
        ("team", "aud", json!("https://appleid.apple.com"), not_aud),
        ("enterprise", "aud", json!("appstoreconnect-v1"), not_aud_of_enterprise),
        ("team", "iat", Value::Null, "iat is not a whole number of seconds"),
        ("team", "iat", json!(1.5), "iat is not a whole number of seconds"),
        ("team", "iat", json!(now), ""),
        ("team", "iat", json!(now + 1), "iat lies 1 s ahead of Apple's clock"),
        ("team", "exp", Value::Null, "exp is not a whole number of seconds"),
        ("team", "exp", json!(now), "expired 0 s ago by Apple's clock"),
        ("team", "exp", json!(now + 1), ""),
        ("team", "exp", json!(now - 60 + 1200), ""),
        ("team", "exp", json!(now - 60 + 1201), "exp - iat is 1201 s, more than 20 minutes, and there is no scope"),
        (
            "enterprise",
            "exp",
            json!(now - 60 + 1201),
            "exp - iat is 1201 s, more than 20 minutes, which the Enterprise Program never allows",
        ),
        ("team", "scope", json!([]), "scope is not a list with something in it"),
        ("team", "scope", json!("GET /v1/apps"), "scope is not a list with something in it"),
    ];
    let mut known = Known::new();
    for (kind, name, value, reason) in cases {
        let token = known.signed(&header_of(kind), &with(claims_of(kind), name, value.clone()));
        let path = if kind == "enterprise" { BUNDLE_IDS } else { APPS };
        if reason.is_empty() {
            accepted(&mut known.apple, path, &token);
        } else {
            refused(&mut known.apple, path, &token, reason);
        }
    }
}

#[test]
fn a_scope_has_the_request_or_the_token_is_refused() {
    let none = "the scope does not have this request";
    let not_get = "scope has what is not GET and a path";
    let filtered = "/app-store-connect/v1/apps?limit=5&filter%5Bplatform%5D=IOS&filter[name]=A";
    let cases = [
        (APPS, json!(["GET /v1/apps"]), ""),
        (APPS, json!(["GET /v1/builds", "GET /v1/apps"]), ""),
        (APPS, json!(["GET /v1/apps?limit=200&sort=name&cursor=x"]), ""),
        (filtered, json!(["GET /v1/apps?filter[name]=A&filter[platform]=IOS"]), ""),
        (filtered, json!(["GET /v1/apps?filter[platform]=IOS"]), none),
        (filtered, json!(["GET /v1/apps"]), none),
        (APPS, json!(["GET /v1/apps?filter[platform]=IOS"]), none),
        (APPS, json!(["GET /v1/apps/"]), none),
        (APPS, json!(["GET /v1/builds"]), none),
        (APPS, json!(["GET /app-store-connect/v1/apps"]), none),
        (APPS, json!(["POST /v1/apps"]), not_get),
        (APPS, json!(["GET /v1/apps", "POST /v1/apps"]), not_get),
        (APPS, json!(["GET v1/apps"]), not_get),
        (APPS, json!(["/v1/apps"]), not_get),
        (APPS, json!([7]), not_get),
    ];
    let mut known = Known::new();
    for (path, scope, reason) in cases {
        let token = known.signed(&header_of("team"), &with(claims_of("team"), "scope", scope.clone()));
        if reason.is_empty() {
            accepted(&mut known.apple, path, &token);
        } else {
            refused(&mut known.apple, path, &token, reason);
        }
    }
}

#[test]
fn a_long_life_needs_a_scope_of_what_is_allowed_for_so_long() {
    let lives = |seconds: i64, why: &str| format!("exp - iat is {seconds} s, more than {why}");
    let cases = [
        ("team", CI_PRODUCTS, json!(["GET /v1/ciProducts"]), 1201, String::new()),
        ("individual", CI_PRODUCTS, json!(["GET /v1/ciProducts", "GET /v1/scmProviders"]), 180 * DAY, String::new()),
        ("team", CI_PRODUCTS, json!(["GET /v1/ciProducts"]), 181 * DAY + 1, lives(181 * DAY + 1, "six months")),
        (
            "team",
            CI_PRODUCTS,
            json!(["GET /v1/ciProducts", "GET /v1/apps"]),
            1201,
            lives(1201, "20 minutes, and the scope has what is not allowed for so long"),
        ),
        ("team", CI_PRODUCTS, Value::Null, 1201, lives(1201, "20 minutes, and there is no scope")),
        ("team", APPS, json!(["GET /v1/ciProducts"]), 1201, "the scope does not have this request".to_owned()),
        (
            "enterprise",
            BUNDLE_IDS,
            json!(["GET /v1/bundleIds"]),
            1201,
            lives(1201, "20 minutes, which the Enterprise Program never allows"),
        ),
    ];
    let mut known = Known::new();
    for (kind, path, scope, life, reason) in cases {
        let exp = now().as_second() - 60 + life;
        let claims = with(with(claims_of(kind), "exp", json!(exp)), "scope", scope);
        let token = known.signed(&header_of(kind), &claims);
        if reason.is_empty() {
            accepted(&mut known.apple, path, &token);
        } else {
            refused(&mut known.apple, path, &token, &reason);
        }
    }
}

#[test]
fn the_signature_must_be_by_the_registered_key() {
    let mut known = Known::new();
    let token = KeyPair::new().jwt(&header_of("team"), &claims_of("team"));
    refused(&mut known.apple, APPS, &token, "the signature is not by the registered key");
    let (mine, later) =
        (known.token("team"), known.signed(&header_of("team"), &with(claims_of("team"), "x", json!(1))));
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let spliced = [&*parts(&mine)[0], &parts(&later)[1], &parts(&mine)[2]].join(".");
    refused(&mut known.apple, APPS, &spliced, "the signature is not by the registered key");
    refused(&mut known.apple, APPS, "no-jwt", "not three parts joined by dots");
}

#[test]
fn apples_clock_decides_and_not_ours() {
    let mut known = Known::new();
    let token = known.token("team");
    for (offset, reason) in [
        (-60, ""),
        (-61, "iat lies 1 s ahead of Apple's clock"),
        (1139, ""),
        (1140, "expired 0 s ago by Apple's clock"),
    ] {
        known.apple.set_settings(Settings { clock_offset_seconds: offset, ..Settings::default() });
        if reason.is_empty() {
            accepted(&mut known.apple, APPS, &token);
        } else {
            refused(&mut known.apple, APPS, &token, reason);
        }
    }
}

#[test]
fn exactly_one_bearer_token_is_taken() {
    let mut known = Known::new();
    let token = known.token("team");
    let bearer = ("Authorization".to_owned(), format!("Bearer {token}"));
    let basic = ("Authorization".to_owned(), format!("Basic {token}"));
    for headers in [vec![], vec![bearer.clone(), bearer], vec![basic]] {
        let request = Request { method: "GET".to_owned(), path: APPS.to_owned(), headers, ..Request::default() };
        is_not_authorized(&known.apple.answer(&request, now()).message.unwrap());
        assert_eq!(why(&known.apple), "not exactly one header Authorization with a Bearer token");
    }
}
