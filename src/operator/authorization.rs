//! Who may read /metrics: whoever the API server knows by a bearer token and lets GET the path.
//!
//! As controller-runtime does it: `TokenReview`, then `SubjectAccessReview`.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use k8s_openapi::api::{
    authentication::v1::{TokenReview, TokenReviewSpec, UserInfo},
    authorization::v1::{NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
};
use kube::{Api, Client, api::PostParams};
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, time::timeout};

use crate::controller::clock::Clock;

/// A decision is good for so long; whoever loses a right keeps it for no longer than this.
const LIFE: Duration = Duration::from_mins(1);

/// Decisions that are kept. A cluster has a handful of scrapers.
const MOST_KEPT: usize = 256;

/// Questions to the API server at once; who comes then is sent away rather than let pile up.
const MOST_AT_ONCE: usize = 8;

/// Both questions together take at most this long.
const DEADLINE: Duration = Duration::from_secs(10);

/// The path that is asked about.
const PATH: &str = "/metrics";

/// The hash of a token; the token itself is not kept.
type Key = [u8; 32];

/// Decides, and remembers for a minute. Cheap to clone.
#[derive(Clone)]
pub(super) struct Gate {
    client: Client,
    clock: Clock,
    kept: Arc<Mutex<HashMap<Key, (Duration, StatusCode)>>>,
    places: Arc<Semaphore>,
    has_failed: Arc<AtomicBool>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// Asks the API server of `client`.
    pub(super) fn new(client: Client, clock: Clock) -> Self {
        let places = Arc::new(Semaphore::new(MOST_AT_ONCE));
        Self { client, clock, kept: Arc::default(), places, has_failed: Arc::default() }
    }

    /// Nothing for whoever may read; else 401 without a token that the API server knows, 403 for one that may not, and 503
    /// where the API server does not say.
    pub(super) async fn refusal(&self, headers: &HeaderMap) -> Option<StatusCode> {
        let Some(token) = bearer(headers) else { return Some(StatusCode::UNAUTHORIZED) };
        let decision = self.decide(token).await;
        (decision != StatusCode::OK).then_some(decision)
    }

    async fn decide(&self, token: &str) -> StatusCode {
        let key = Sha256::digest(token).into();
        if let Some(decision) = self.recall(&key) {
            return decision;
        }
        let Ok(_place) = self.places.try_acquire() else { return StatusCode::SERVICE_UNAVAILABLE };
        let answer = timeout(DEADLINE, self.ask(token)).await.ok().and_then(Result::ok);
        // Once is enough: scrapers come back every few seconds.
        let had_failed = self.has_failed.swap(answer.is_none(), Ordering::Relaxed);
        if answer.is_none() && !had_failed {
            tracing::warn!("the API server does not say who may read metrics");
        }
        let Some(decision) = answer else { return StatusCode::SERVICE_UNAVAILABLE };
        self.keep(key, decision);
        decision
    }

    async fn ask(&self, token: &str) -> Result<StatusCode, kube::Error> {
        let review = TokenReview {
            spec: TokenReviewSpec { token: Some(token.to_owned()), audiences: None },
            ..TokenReview::default()
        };
        let reviews: Api<TokenReview> = Api::all(self.client.clone());
        let status = reviews.create(&PostParams::default(), &review).await?.status.unwrap_or_default();
        let (Some(true), Some(user)) = (status.authenticated, status.user) else {
            return Ok(StatusCode::UNAUTHORIZED);
        };
        let reviews: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let answer = reviews.create(&PostParams::default(), &access_of(user)).await?;
        let is_allowed = answer.status.is_some_and(|status| status.allowed && status.denied != Some(true));
        Ok(if is_allowed { StatusCode::OK } else { StatusCode::FORBIDDEN })
    }

    fn recall(&self, key: &Key) -> Option<StatusCode> {
        let now = self.clock.now().steady;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|(until, _)| now < *until).map(|(_, decision)| *decision)
    }

    fn keep(&self, key: Key, decision: StatusCode) {
        let now = self.clock.now().steady;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, (until, _)| now < *until);
        }
        if kept.len() >= MOST_KEPT {
            // Somebody tries many tokens; the few good ones are asked about again.
            kept.clear();
        }
        kept.insert(key, (now + LIFE, decision));
    }
}

/// Whether `user` may GET the path.
fn access_of(user: UserInfo) -> SubjectAccessReview {
    let spec = SubjectAccessReviewSpec {
        user: user.username,
        uid: user.uid,
        groups: user.groups,
        extra: user.extra,
        non_resource_attributes: Some(NonResourceAttributes {
            path: Some(PATH.to_owned()),
            verb: Some("get".to_owned()),
        }),
        ..SubjectAccessReviewSpec::default()
    };
    SubjectAccessReview { spec, ..SubjectAccessReview::default() }
}

/// The token of `Authorization: Bearer …` (RFC 6750, section 2.1; the scheme in any case, RFC 9110, section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
