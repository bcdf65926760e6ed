use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

const APP_STORE: ApiKey<'static> = ApiKey {
    program: Program::AppStore,
    key_id: "2X9R4HXF34",
    issuer_id: Some("57246542-96fe-1a63-e053-0824d011072a"),
};
const INDIVIDUAL: ApiKey<'static> = ApiKey { issuer_id: None, ..APP_STORE };
const ENTERPRISE: ApiKey<'static> = ApiKey { program: Program::Enterprise, ..APP_STORE };

const DAY: u64 = 24 * 3600;

/// A key that is made here: a PKCS#8 of a scalar that anybody can guess.
fn private() -> PrivateKey {
    use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
    let pem = p256::SecretKey::from_slice(&[1; 32]).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap();
    PrivateKey::parse(pem.as_bytes()).unwrap()
}

fn now() -> Timestamp {
    "2026-09-01T12:00:00.75Z".parse().unwrap()
}

fn scoped() -> Vec<String> {
    vec!["GET /v1/ciProducts".to_owned()]
}

fn signed(key: &ApiKey<'_>, scope: &[String], seconds: u64) -> Token {
    sign(&private(), key, scope, Duration::from_secs(seconds), now()).unwrap()
}

fn part(token: &Token, index: usize) -> Value {
    let part = token.expose().split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn each_kind_of_key_says_who_it_is_in_its_own_way() {
    let (iat, exp) = (now().as_second() - 60, now().as_second() + 600);
    let issuer = APP_STORE.issuer_id;
    let table = [
        (APP_STORE, vec![], json!({"iss": issuer, "aud": "appstoreconnect-v1", "iat": iat, "exp": exp})),
        (INDIVIDUAL, vec![], json!({"sub": "user", "aud": "appstoreconnect-v1", "iat": iat, "exp": exp})),
        (ENTERPRISE, vec![], json!({"iss": issuer, "aud": "apple-developer-enterprise-v1", "iat": iat, "exp": exp})),
        (
            APP_STORE,
            scoped(),
            json!({"iss": issuer, "aud": "appstoreconnect-v1", "iat": iat, "exp": exp, "scope": ["GET /v1/ciProducts"]}),
        ),
    ];
    for (key, scope, claims) in table {
        let token = signed(&key, &scope, 600);
        assert_eq!(part(&token, 0), json!({"alg": "ES256", "kid": "2X9R4HXF34", "typ": "JWT"}));
        assert_eq!(part(&token, 1), claims);
    }
}

#[test]
fn life_runs_from_signing_and_never_beyond_apples_limit() {
    let now = now().as_second();
    let month = 30 * DAY;
    let half_a_year = now - 60 + 180 * 24 * 3600;
    let table = [
        (APP_STORE, vec![], 1, now + 1),
        (APP_STORE, vec![], 60, now + 60),
        (APP_STORE, vec![], 19 * 60, now + 19 * 60),
        (APP_STORE, vec![], 19 * 60 + 1, now + 19 * 60),
        (APP_STORE, vec![], 20 * 60, now + 19 * 60),
        (APP_STORE, vec![], u64::MAX, now + 19 * 60),
        (INDIVIDUAL, vec![], 20 * 60, now + 19 * 60),
        (ENTERPRISE, vec![], 20 * 60, now + 19 * 60),
        (ENTERPRISE, scoped(), month, now + 19 * 60),
        (APP_STORE, scoped(), 20 * 60, now + 19 * 60),
        (APP_STORE, scoped(), 20 * 60 + 1, now + 20 * 60 + 1),
        (APP_STORE, scoped(), month, now + 30 * 24 * 3600),
        (INDIVIDUAL, scoped(), month, now + 30 * 24 * 3600),
        (APP_STORE, scoped(), 180 * DAY, half_a_year),
        (APP_STORE, scoped(), u64::MAX, half_a_year),
    ];
    for (key, scope, lifetime, expires_at) in table {
        let token = signed(&key, &scope, lifetime);
        assert_eq!(token.expires_at().as_second(), expires_at, "{lifetime} {scope:?}");
        assert_eq!(token.issued_at().as_second(), now, "{lifetime} {scope:?}");
        assert_eq!(token.issued_at().subsec_nanosecond() + token.expires_at().subsec_nanosecond(), 0);
        assert_eq!(part(&token, 1)["iat"], now - 60);
        assert_eq!(part(&token, 1)["exp"], expires_at);
        let claimed = u64::try_from(expires_at - (now - 60)).unwrap();
        assert!(claimed <= lifetime.saturating_add(60), "{lifetime} {scope:?}");
    }
}

#[test]
fn times_that_cannot_be_written_are_errors() {
    let at = |now| sign(&private(), &APP_STORE, &[], Duration::from_mins(20), now).unwrap_err();
    assert_eq!(at(Timestamp::MIN), SigningError::OutOfTime);
    assert_eq!(at(Timestamp::MAX), SigningError::OutOfTime);
    let short = sign(&private(), &APP_STORE, &[], Duration::from_millis(999), now());
    assert_eq!(short.unwrap_err(), SigningError::TooShort);
}

#[test]
fn it_does_not_show_itself() {
    let token = signed(&APP_STORE, &scoped(), 600);
    assert_eq!(token.secret().expose_secret(), token.expose());
    let shown = format!("{token:?} {token:#?} {:?}", token.secret());
    for window in token.expose().as_bytes().windows(12) {
        assert!(!shown.contains(std::str::from_utf8(window).unwrap()));
    }
}
