//! App Store Connect and the Enterprise Program: what is answered, and to whom. Which tokens are taken: `api_token`.

use fake_apple::{
    ApiKey, Apple, Call, Delivery, Endpoint, Fault, Message, Program, Request, Settings, Standing, WindowLimit,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fixtures::{KeyPair, now, why};

pub(crate) const APPS: &str = "/app-store-connect/v1/apps";
pub(crate) const CI_PRODUCTS: &str = "/app-store-connect/v1/ciProducts";
pub(crate) const BUNDLE_IDS: &str = "/enterprise/v1/bundleIds";
pub(crate) const KEY_ID: &str = "2X9R4HXF34";
pub(crate) const ISSUER: &str = "57246542-96fe-1a63-e053-0824d011072a";

/// An Apple that knows one key of each kind, which are the same but for their names.
pub(crate) struct Known {
    pub(crate) apple: Apple,
    key: KeyPair,
}

impl Known {
    pub(crate) fn new() -> Self {
        let (mut apple, key) = (Apple::with_seed(1), KeyPair::new());
        let public = key.public_pem();
        for key in [
            ApiKey::team(KEY_ID, ISSUER, &public),
            ApiKey::individual("INDIVIDUAL", &public),
            ApiKey::enterprise("ENTERPRISE", ISSUER, &public),
        ] {
            apple.register_api_key(key).unwrap();
        }
        Self { apple, key }
    }

    /// A good token of 19 minutes.
    pub(crate) fn token(&self, kind: &str) -> String {
        self.signed(&header_of(kind), &claims_of(kind))
    }

    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
        self.key.jwt(header, claims)
    }

    fn status_at(&mut self, at: Timestamp) -> u16 {
        let token = self.token_at(at);
        self.apple.get(APPS, &[("Authorization", &token)], at).message.unwrap().status
    }

    fn token_at(&self, at: Timestamp) -> String {
        let iat = at.as_second() - 60;
        let claims = json!({ "iss": ISSUER, "aud": "appstoreconnect-v1", "iat": iat, "exp": iat + 1200 });
        format!("Bearer {}", self.key.jwt(&header_of("team"), &claims))
    }
}

pub(crate) fn header_of(kind: &str) -> Value {
    let key_id = match kind {
        "individual" => "INDIVIDUAL",
        "enterprise" => "ENTERPRISE",
        _ => KEY_ID,
    };
    json!({ "alg": "ES256", "kid": key_id, "typ": "JWT" })
}

pub(crate) fn claims_of(kind: &str) -> Value {
    let iat = now().as_second() - 60;
    let exp = iat + 1200;
    match kind {
        "individual" => json!({ "sub": "user", "aud": "appstoreconnect-v1", "iat": iat, "exp": exp }),
        "enterprise" => json!({ "iss": ISSUER, "aud": "apple-developer-enterprise-v1", "iat": iat, "exp": exp }),
        _ => json!({ "iss": ISSUER, "aud": "appstoreconnect-v1", "iat": iat, "exp": exp }),
    }
}

pub(crate) fn get(apple: &mut Apple, path: &str, token: &str) -> Message {
    apple.get(path, &[("Authorization", &format!("Bearer {token}"))], now()).message.unwrap()
}

fn said(message: &Message) -> (u16, String) {
    let body = message.body_json().unwrap();
    assert_eq!(body["errors"][0]["status"], message.status.to_string());
    (message.status, body["errors"][0]["code"].as_str().unwrap().to_owned())
}

#[test]
fn a_list_has_one_of_what_is_asked_for() {
    let mut known = Known::new();
    for (kind, path, of) in
        [("team", APPS, "apps"), ("individual", CI_PRODUCTS, "ciProducts"), ("enterprise", BUNDLE_IDS, "bundleIds")]
    {
        let token = known.token(kind);
        let message = get(&mut known.apple, &format!("{path}?limit=1"), &token);
        let body = message.body_json().unwrap();
        assert_eq!((message.status, &body["data"][0]["type"]), (200, &json!(of)));
        assert_eq!(body["meta"]["paging"], json!({ "total": 1, "limit": 1 }));
    }
}

#[test]
fn what_is_against_a_key_is_said_in_apples_words() {
    let cases = [
        (Standing::Revoked, 401, "NOT_AUTHORIZED"),
        (Standing::RevokedAsForbidden, 403, "NOT_AUTHORIZED"),
        (Standing::NarrowRole, 403, "FORBIDDEN_ERROR"),
        (Standing::AgreementMissing, 403, "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED"),
    ];
    let mut known = Known::new();
    for (kind, program, key_id, path) in
        [("team", Program::AppStore, KEY_ID, APPS), ("enterprise", Program::Enterprise, "ENTERPRISE", BUNDLE_IDS)]
    {
        let token = known.token(kind);
        for (standing, status, code) in cases {
            assert!(known.apple.set_standing(program, key_id, standing));
            assert_eq!(said(&get(&mut known.apple, path, &token)), (status, code.to_owned()), "{standing:?}");
        }
        known.apple.set_standing(program, key_id, Standing::Good);
        assert_eq!(get(&mut known.apple, path, &token).status, 200);
    }
}

#[test]
fn a_bad_token_of_a_key_tells_nothing_of_what_is_against_it() {
    let mut known = Known::new();
    known.apple.set_standing(Program::AppStore, KEY_ID, Standing::NarrowRole);
    let forged = KeyPair::new().jwt(&header_of("team"), &claims_of("team"));
    assert_eq!(said(&get(&mut known.apple, APPS, &forged)), (401, "NOT_AUTHORIZED".to_owned()));
}

#[test]
fn what_is_not_served_is_refused_in_the_same_shape() {
    let mut known = Known::new();
    let (team, enterprise) = (known.token("team"), known.token("enterprise"));
    for (path, token, status, code) in [
        ("/app-store-connect/v1/apps/", &team, 404, "NOT_FOUND"),
        ("/app-store-connect/v1/bundleIds", &team, 404, "NOT_FOUND"),
        ("/enterprise/v1/apps", &enterprise, 404, "NOT_FOUND"),
        ("/app-store-connect/v1/apps?limit=0", &team, 400, "PARAMETER_ERROR.INVALID"),
        ("/app-store-connect/v1/apps?limit=201", &team, 400, "PARAMETER_ERROR.INVALID"),
        ("/app-store-connect/v1/apps?limit=1&limit=1", &team, 400, "PARAMETER_ERROR.INVALID"),
    ] {
        assert_eq!(said(&get(&mut known.apple, path, token)), (status, code.to_owned()), "{path}");
    }
    let request = Request {
        method: "POST".to_owned(),
        path: APPS.to_owned(),
        headers: vec![("Authorization".to_owned(), format!("Bearer {team}"))],
        ..Request::default()
    };
    let message = known.apple.answer(&request, now()).message.unwrap();
    assert_eq!((message.header("allow"), said(&message).0), (Some("GET"), 405));
}

#[test]
fn the_hour_rolls_and_each_answer_tells_what_is_left_of_it() {
    let mut known = Known::new();
    known.apple.set_settings(Settings { hourly_limit: 2, ..Settings::default() });
    let limit = |known: &mut Known, minutes: i64| {
        let at = now() + SignedDuration::from_mins(minutes);
        let token = known.token_at(at);
        let message = known.apple.get(APPS, &[("Authorization", &token)], at).message.unwrap();
        (message.status, message.header("x-rate-limit").unwrap().to_owned())
    };
    let left = |remaining| format!("user-hour-lim:2;user-hour-rem:{remaining};");
    assert_eq!(limit(&mut known, 0), (200, left(1)));
    assert_eq!(limit(&mut known, 30), (200, left(0)));
    assert_eq!(limit(&mut known, 59), (429, left(0)));
    assert_eq!(why(&known.apple), "more requests within an hour than 2");
    // The first of them is an hour ago; the refused one was none.
    assert_eq!(limit(&mut known, 60), (200, left(0)));
    assert_eq!(limit(&mut known, 89), (429, left(0)));
    assert_eq!(limit(&mut known, 90), (200, left(0)));
}

#[test]
fn the_hour_is_a_keys_own_and_strangers_have_all_of_it() {
    let mut known = Known::new();
    let (team, individual) = (known.token("team"), known.token("individual"));
    get(&mut known.apple, APPS, &team);
    let mut limit = |token: &str| get(&mut known.apple, APPS, token).header("x-rate-limit").unwrap().to_owned();
    assert_eq!(limit(&team), "user-hour-lim:3500;user-hour-rem:3498;");
    assert_eq!(limit(&individual), "user-hour-lim:3500;user-hour-rem:3499;");
    assert_eq!(limit("no-jwt"), "user-hour-lim:3500;user-hour-rem:3500;");
}

#[test]
fn a_burst_is_refused_though_the_hour_has_room() {
    let mut known = Known::new();
    let burst_limit = WindowLimit { requests: 2, window_seconds: 5 };
    known.apple.set_settings(Settings { burst_limit, ..Settings::default() });
    assert_eq!([(); 3].map(|()| known.status_at(now())), [200, 200, 429]);
    let token = known.token("team");
    let message = get(&mut known.apple, APPS, &token);
    assert_eq!(said(&message), (429, "RATE_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(message.header("x-rate-limit"), Some("user-hour-lim:3500;user-hour-rem:3498;"));
    assert_eq!(message.header("retry-after"), None);
    assert_eq!(known.status_at(now() + SignedDuration::from_secs(5)), 200);
}

#[test]
fn stray_refusals_meet_the_next_calls_or_each_third() {
    let mut known = Known::new();
    known.apple.fail(Fault::stray_401(Endpoint::Apps).of(KEY_ID).times(2));
    assert_eq!([(); 3].map(|()| known.status_at(now())), [401, 401, 200]);
    known.apple.fail(Fault::stray_401(Endpoint::Apps).every(3));
    assert_eq!([(); 6].map(|()| known.status_at(now())), [200, 200, 401, 200, 200, 401]);
    known.apple.fail(Fault::stray_401(Endpoint::CiProducts));
    let token = known.token("team");
    let message = get(&mut known.apple, CI_PRODUCTS, &token);
    assert_eq!(said(&message), (401, "NOT_AUTHORIZED".to_owned()));
    assert!(message.header("x-rate-limit").is_some());
}

#[test]
fn calls_are_told_by_key_id_known_or_not() {
    let mut known = Known::new();
    let (team, stranger) = (known.token("team"), known.signed(&json!({ "kid": "STRANGER" }), &json!({})));
    for token in [&team, &stranger, &"no-jwt".to_owned()] {
        get(&mut known.apple, APPS, token);
    }
    let call = |client: Option<&str>, status| Call {
        at: now(),
        client: client.map(str::to_owned),
        endpoint: Some(Endpoint::Apps),
        status: Some(status),
    };
    assert_eq!(known.apple.calls(), [call(Some(KEY_ID), 200), call(Some("STRANGER"), 401), call(None, 401)]);
    assert_eq!(known.apple.counts().of(KEY_ID).at(Endpoint::Apps).with_status(200).total(), 1);
    known.apple.fail(Fault::everywhere().of(KEY_ID).delivery(Delivery::Silent));
    assert_eq!(known.apple.get(APPS, &[("Authorization", &format!("Bearer {team}"))], now()).message, None);
}
