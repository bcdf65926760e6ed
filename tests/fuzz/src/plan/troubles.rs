//! What can go wrong.

use std::time::Duration;

use asa_operator::{
    api::{AdsApi, Kind},
    apple::{Class, Endpoint, Error as AppleError, OAuthError},
    credential::{
        failure::{ClusterClass, ClusterFailure, Failure, Side, Subject},
        identity::{self, Verdict},
        target::Target,
    },
};
use jiff::SignedDuration;

use super::{Scene, dice::Dice};

const APIS: [AdsApi; 2] = [AdsApi::PlatformV1, AdsApi::CampaignManagementV5];

/// An attempt failed, or is repeated with other inputs, or succeeds.
pub(super) fn fail(scene: &mut Scene, dice: &mut Dice<'_>) {
    let sides = match scene.object.kind() {
        Kind::Ads => vec![Side::Token, Side::Identity, Side::Cluster],
        Kind::AppStoreConnect => vec![Side::Cluster],
    };
    let side = dice.one_of(&sides);
    if dice.up_to(3) == 3 {
        scene.memory.succeeded(side);
        return;
    }
    let failure = failure(side, dice);
    let (left, inputs) = (scene.seen().published_left(scene.now), scene.seen().inputs(scene.now));
    for _ in 0..=dice.up_to(20) {
        scene.memory.failed(side, failure.clone(), left, inputs.clone(), scene.now);
    }
}

fn failure(side: Side, dice: &mut Dice<'_>) -> Failure {
    match side {
        Side::Token => {
            let endpoint = dice.one_of(&[Endpoint::TokenEndpoint, Endpoint::Me(APIS[0]), Endpoint::Me(APIS[1])]);
            apple(endpoint, dice)
        }
        Side::Identity => apple(Endpoint::Acls(dice.one_of(&APIS)), dice),
        Side::Cluster if dice.up_to(7) == 7 => Failure::Signing,
        Side::Cluster => {
            let words = dice.text();
            let classes = [
                ClusterClass::Unavailable(words.clone()),
                ClusterClass::Refused(words),
                ClusterClass::Immutable,
                ClusterClass::WrongType,
                ClusterClass::NamespaceGoing,
                ClusterClass::Conflict,
            ];
            let subjects = [Target::Managed, Target::ClientSecret].map(Subject::Target);
            let subject = dice.one_of(&[subjects[0], subjects[1], Subject::Key]);
            Failure::Cluster(ClusterFailure { verb: "change", subject, class: dice.one_of(&classes) })
        }
    }
}

fn apple(endpoint: Endpoint, dice: &mut Dice<'_>) -> Failure {
    let class = class(endpoint, dice);
    let skew = dice.maybe(|dice| SignedDuration::from_secs(dice.any() >> 28));
    let retry_after = dice.maybe(|dice| dice.length().clamp(Duration::from_secs(1), Duration::from_mins(10)));
    Failure::Apple(AppleError { skew, retry_after, ..AppleError::new(endpoint, class) })
}

pub(super) fn class(endpoint: Endpoint, dice: &mut Dice<'_>) -> Class {
    let other = OAuthError::Other("x".repeat(64));
    let rejection = dice.one_of(&[OAuthError::InvalidClient, OAuthError::InvalidScope, other]);
    let mut classes = vec![
        Class::TimedOut,
        Class::Unauthorized,
        Class::Forbidden,
        Class::NotFound,
        Class::Gone,
        Class::Throttled,
        Class::Redirected,
        Class::Server(599),
        Class::Status(999),
        Class::Unintelligible("access_token has blanks, line breaks or other than ASCII in it"),
        Class::TooLarge,
        Class::Unreachable("TLS: its certificate is from an unknown authority"),
    ];
    if matches!(endpoint, Endpoint::TokenEndpoint | Endpoint::Probe(_)) {
        classes.push(Class::Rejected(rejection));
    }
    dice.one_of(&classes)
}

/// How a round of questions may end.
pub(super) fn verdict(scene: &Scene, dice: &mut Dice<'_>) -> Verdict {
    let api = dice.one_of(&APIS);
    let class = class(Endpoint::Acls(api), dice);
    let kind = dice.one_of(&[identity::Kind::Organization, identity::Kind::AdAccount]);
    let count = usize::try_from(dice.up_to(3)).unwrap_or_default();
    match dice.up_to(5) {
        0 => Verdict::Ambiguous(kind, count),
        1 => Verdict::NotFound(kind, count),
        2 => Verdict::Unconfirmed(api, class, dice.moment(scene.now.wall)),
        3 => Verdict::Partial(api, class),
        4 => Verdict::Unresolved(api, class),
        _ => Verdict::Resolved,
    }
}
