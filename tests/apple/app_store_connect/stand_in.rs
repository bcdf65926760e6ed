//! Against the strict stand-in for Apple, which verifies tokens with another library.

use std::time::Duration;

use asa_operator::api::Program;
use asa_operator::apple::RateLimit;
use asa_operator::apple::app_store_connect::{ApiKey, Probed, Proof, Token, sign};
use asa_operator::apple::error::{Class, Error};
use asa_operator::apple::http::{Http, Reply};
use asa_operator::apple::private_key::PrivateKey;
use fake_apple::{Clock, Endpoint, FakeApple, Fault, Options, Settings, Standing, State, WindowLimit};
use jiff::SignedDuration;

use super::{ask, path, refused, token};
use crate::support::openssl::sec1;
use crate::support::{ENTERPRISE, INDIVIDUAL, TEAM, http, key, now};

const KINDS: [ApiKey<'static>; 3] = [TEAM, INDIVIDUAL, ENTERPRISE];

/// Knows one key of each kind, all with the same private half.
pub(super) async fn apple() -> FakeApple {
    let options = Options { clock: Clock::new(now), ..Options::default() };
    let apple = FakeApple::start_with(options).await.unwrap();
    for by in KINDS {
        apple.state().register_api_key(registered(&by)).unwrap();
    }
    apple
}

fn registered(by: &ApiKey<'_>) -> fake_apple::ApiKey {
    let public = key().public_key_pem();
    match (by.program, by.issuer_id) {
        (Program::Enterprise, issuer) => fake_apple::ApiKey::enterprise(by.key_id, issuer.unwrap(), public),
        (Program::AppStore, Some(issuer)) => fake_apple::ApiKey::team(by.key_id, issuer, public),
        (Program::AppStore, None) => fake_apple::ApiKey::individual(by.key_id, public),
    }
}

fn stand(state: &State, by: &ApiKey<'_>, standing: Standing) {
    let program = match by.program {
        Program::AppStore => fake_apple::Program::AppStore,
        Program::Enterprise => fake_apple::Program::Enterprise,
    };
    assert!(state.set_standing(program, by.key_id, standing));
}

async fn ask_with(apple: &FakeApple, program: Program, token: &Token) -> Result<Reply<Probed>, Error> {
    ask(&http(), &format!("{}{}", apple.url(), path(program)), program, token).await
}

async fn told(apple: &FakeApple, program: Program, token: &Token) -> Result<Proof, Class> {
    ask_with(apple, program, token).await.map(|reply| reply.value.proof).map_err(|error| error.class)
}

/// Why the stand-in refused what it refused last.
fn why(apple: &FakeApple) -> String {
    apple.state().refusals().pop().unwrap().why
}

#[tokio::test]
async fn each_kind_of_key_is_accepted_over_http_and_https() {
    let apple = apple().await;
    let trusting = Http::new(Some(apple.ca_pem().as_bytes())).unwrap();
    for by in KINDS {
        for (url, remaining) in [(apple.url(), 3499), (apple.https_url(), 3498)] {
            let reply = ask(&trusting, &format!("{url}{}", path(by.program)), by.program, &token(&by)).await.unwrap();
            let rate_limit = Some(RateLimit { limit: 3500, remaining });
            assert_eq!(reply.value, Probed { proof: Proof::Accepted, rate_limit });
            assert!(reply.skew.unwrap().is_zero());
        }
        assert_eq!(apple.state().counts().of(by.key_id).with_status(200).total(), 2);
    }
}

#[tokio::test]
async fn what_is_against_a_key_is_told_apart() {
    let apple = apple().await;
    let table = [
        (Standing::Good, Ok(Proof::Accepted)),
        (Standing::Revoked, Err(refused("NOT_AUTHORIZED"))),
        (Standing::RevokedAsForbidden, Err(refused("NOT_AUTHORIZED"))),
        (Standing::NarrowRole, Ok(Proof::RoleTooNarrow)),
        (Standing::AgreementMissing, Ok(Proof::AgreementMissing)),
    ];
    for by in KINDS {
        for (standing, expected) in &table {
            stand(apple.state(), &by, *standing);
            assert_eq!(told(&apple, by.program, &token(&by)).await, *expected, "{by:?} {standing:?}");
        }
    }
}

#[tokio::test]
async fn a_key_that_apple_does_not_know_so_is_refused() {
    let apple = apple().await;
    let stranger = PrivateKey::parse(&sec1("prime256v1")).unwrap();
    let not_known = "the token: kid is not a registered key id";
    let other_program = |by: ApiKey<'static>, program| ApiKey { program, ..by };
    let table = [
        (key(), ApiKey { key_id: "OTHER", ..TEAM }, not_known),
        // Made for the one program, used for the other.
        (key(), other_program(TEAM, Program::Enterprise), not_known),
        (key(), other_program(ENTERPRISE, Program::AppStore), not_known),
        (key(), ApiKey { issuer_id: ENTERPRISE.issuer_id, ..TEAM }, "the token: iss is not the issuer id"),
        (key(), ApiKey { issuer_id: None, ..TEAM }, "the token: iss is not the issuer id"),
        (
            key(),
            ApiKey { issuer_id: TEAM.issuer_id, ..INDIVIDUAL },
            "the token: iss is there, and the key is an individual one",
        ),
        (&stranger, TEAM, "the token: the signature is not by the registered key"),
    ];
    for (private, by, reason) in table {
        let token = sign(private, &by, &[], Duration::from_mins(20), now()).unwrap();
        assert_eq!(told(&apple, by.program, &token).await, Err(refused("NOT_AUTHORIZED")), "{by:?}");
        assert_eq!(why(&apple), reason, "{by:?}");
    }
}

#[tokio::test]
async fn no_lifetime_makes_a_token_that_lives_too_long_or_not_long_enough() {
    let apple = apple().await;
    for seconds in [1, 60, 600, 1139, 1140, 1141, 1200, 1201, 86_400, u64::MAX] {
        for by in KINDS {
            let token = sign(key(), &by, &[], Duration::from_secs(seconds), now()).unwrap();
            assert_eq!(told(&apple, by.program, &token).await, Ok(Proof::Accepted), "{seconds} s");
        }
    }
}

#[tokio::test]
async fn a_scope_allows_what_it_names_and_for_long_only_what_apple_allows() {
    let apple = apple().await;
    let (minutes, half_a_year) = (Duration::from_mins(20), Duration::MAX);
    let none = "the token: the scope does not have this request";
    let table = [
        (TEAM, "GET /v1/apps", minutes, Ok(())),
        (INDIVIDUAL, "GET /v1/apps?limit=200", minutes, Ok(())),
        (ENTERPRISE, "GET /v1/bundleIds", minutes, Ok(())),
        (ENTERPRISE, "GET /v1/bundleIds", half_a_year, Ok(())),
        (TEAM, "GET /v1/ciProducts", minutes, Err(none)),
        (ENTERPRISE, "GET /v1/apps", minutes, Err(none)),
    ];
    for (by, scope, lifetime, expected) in table {
        let token = sign(key(), &by, &[scope.to_owned()], lifetime, now()).unwrap();
        let told = told(&apple, by.program, &token).await.map(|_| ());
        assert_eq!(told, expected.map_err(|_| refused("NOT_AUTHORIZED")), "{by:?} {scope}");
        assert_eq!(expected.err().map(str::to_owned), expected.is_err().then(|| why(&apple)), "{by:?} {scope}");
    }
    // A probe asks for what no long-lived token may; it serves where it is for.
    let scope = ["GET /v1/ciProducts".to_owned()];
    for by in [TEAM, INDIVIDUAL] {
        let token = sign(key(), &by, &scope, half_a_year, now()).unwrap();
        assert_eq!(told(&apple, by.program, &token).await, Err(refused("NOT_AUTHORIZED")), "{by:?}");
        let mut known = fake_apple::Apple::with_seed(1);
        known.register_api_key(registered(&by)).unwrap();
        let bearer = format!("Bearer {}", token.expose());
        let answer = known.get("/app-store-connect/v1/ciProducts", &[("Authorization", &bearer)], now());
        assert_eq!(answer.message.unwrap().status, 200, "{by:?}");
        let later = token.expires_at() - SignedDuration::from_secs(1);
        let answer = known.get("/app-store-connect/v1/ciProducts", &[("Authorization", &bearer)], later);
        assert_eq!(answer.message.unwrap().status, 200, "{by:?}");
    }
}

#[tokio::test]
async fn a_clock_that_differs_is_borne_for_a_minute_and_measured() {
    let apple = apple().await;
    for (offset, accepted) in [(0, true), (-60, true), (-61, false), (1139, true), (1140, false)] {
        apple.state().set_clock_offset(offset);
        let (proof, skew) = match ask_with(&apple, Program::AppStore, &token(&TEAM)).await {
            Ok(reply) => (true, reply.skew),
            Err(error) => {
                assert_eq!(error.class, refused("NOT_AUTHORIZED"));
                (false, error.skew)
            }
        };
        assert_eq!((proof, skew.unwrap().as_secs()), (accepted, offset));
    }
}

#[tokio::test]
async fn both_limits_are_a_pause_and_tell_what_is_left_of_the_hour() {
    let apple = apple().await;
    let burst_limit = WindowLimit { requests: 1, window_seconds: 60 };
    for (settings, limit, remaining) in [
        (Settings { hourly_limit: 1, ..Settings::default() }, 1, 0),
        (Settings { burst_limit, ..Settings::default() }, 3500, 3499),
    ] {
        apple.state().set_settings(settings);
        let rate_limit = Some(RateLimit { limit, remaining });
        apple.state().register_api_key(registered(&TEAM)).unwrap();
        let reply = ask_with(&apple, Program::AppStore, &token(&TEAM)).await.unwrap();
        assert_eq!(reply.value.rate_limit, rate_limit);
        let error = ask_with(&apple, Program::AppStore, &token(&TEAM)).await.unwrap_err();
        assert_eq!((error.class, error.code.as_deref()), (Class::Throttled, Some("RATE_LIMIT_EXCEEDED")));
        assert_eq!((error.rate_limit, error.retry_after), (rate_limit, None));
    }
}

#[tokio::test]
async fn a_stray_refusal_looks_like_a_revocation_and_the_next_token_does_not() {
    let apple = apple().await;
    for (by, endpoint) in [(TEAM, Endpoint::Apps), (ENTERPRISE, Endpoint::BundleIds)] {
        apple.state().fail(Fault::stray_401(endpoint).of(by.key_id).times(2));
        for expected in [Err(refused("NOT_AUTHORIZED")), Err(refused("NOT_AUTHORIZED")), Ok(Proof::Accepted)] {
            assert_eq!(told(&apple, by.program, &token(&by)).await, expected);
        }
    }
}
