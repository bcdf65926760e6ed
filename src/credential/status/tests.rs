use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::{
    api::{AdsApi, AsaCredential},
    apple::{OAuthError, private_key::KeyKind},
    credential::{
        conditions::until_when,
        identity::{Kind as Chosen, Verdict},
        schedule::Life,
        sight::Holder,
        target::Target,
    },
};

fn object(name: &str) -> Credential {
    let object: AsaCredential = serde_json::from_value(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AsaCredential",
        "metadata": {"name": name},
        "spec": {
            "clientId": "SEARCHADS.c", "teamId": "SEARCHADS.t", "keyId": "k",
            "privateKey": {"secretRef": {"name": format!("{name}-key"), "key": "private-key.pem"}},
        },
    }))
    .unwrap();
    object.into()
}

const APIS: [AdsApi; 2] = [AdsApi::PlatformV1, AdsApi::CampaignManagementV5];
const PRINT: &str = "SHA256:9f2c5e0000000000000000000000000000000000000000000000000000000000";

fn classes() -> Vec<Class> {
    let codes = [
        OAuthError::InvalidClient,
        OAuthError::InvalidRequest,
        OAuthError::InvalidGrant,
        OAuthError::UnauthorizedClient,
        OAuthError::UnsupportedGrantType,
        OAuthError::InvalidScope,
        OAuthError::Other("x".repeat(64)),
    ];
    let others = [
        Class::Unauthorized,
        Class::Forbidden,
        Class::NotFound,
        Class::Gone,
        Class::Throttled,
        Class::Redirected,
        Class::Server(503),
        Class::Status(418),
        // The longest that occur at the token endpoint and at /me.
        Class::Unintelligible("expires_in is no integer from 1 to 86400"),
        Class::TooLarge,
        Class::TimedOut,
        Class::Unreachable("TLS: its certificate is from an unknown authority"),
    ];
    codes.map(Class::Rejected).into_iter().chain(others).collect()
}

fn endpoints() -> impl Iterator<Item = Endpoint> {
    [Endpoint::TokenEndpoint].into_iter().chain(APIS.map(Endpoint::Me)).chain(APIS.map(Endpoint::Acls))
}

/// What is said of a key that Apple refuses.
fn refusals() -> Vec<Explanation> {
    let object: AppStoreConnectCredential = serde_json::from_value(json!({
        "apiVersion": "asa-operator.dev/v1alpha1",
        "kind": "AppStoreConnectCredential",
        "metadata": {"name": "acme"},
        "spec": {"keyId": "2X9R4HXF34", "privateKey": {"secretRef": {"name": "key"}}},
    }))
    .unwrap();
    let skews = [None, Some(SignedDuration::from_mins(-5))];
    let of = |was_accepted, skew| {
        let (code, since) = ("NOT_AUTHORIZED".repeat(4), jiff::Timestamp::UNIX_EPOCH);
        Explanation::of_refusal(&Refusal { code, count: 3, since, was_accepted, skew }, &object)
    };
    [true, false].into_iter().flat_map(|was_accepted| skews.map(|skew| of(was_accepted, skew))).collect()
}

#[test]
fn a_refused_key_is_unknown_or_revoked_unless_the_clock_is_to_blame() {
    let reasons: Vec<Reason> = refusals().iter().map(|explanation| explanation.reason).collect();
    assert_eq!(reasons, [Reason::KeyRevoked, Reason::ClockSkewed, Reason::KeyRejected, Reason::ClockSkewed]);
    assert!(refusals()[1].message.contains("300 s ahead"), "{}", refusals()[1].message);
}

/// Every explanation there is, for a resource of this name.
fn all(name: &str) -> Vec<Explanation> {
    let object = object(name);
    let failure = |failure: Failure| Explanation::of_failure(&failure, &object, Some(PRINT));
    let skews = [None, Some(SignedDuration::from_mins(7)), Some(SignedDuration::from_mins(-7))];
    let apple = endpoints().flat_map(|endpoint| {
        classes().into_iter().flat_map(move |class| {
            skews.map(|skew| AppleError {
                skew,
                retry_after: Some(Duration::from_mins(10)),
                ..AppleError::new(endpoint, class.clone())
            })
        })
    });
    let kubernetes = [
        ClusterClass::Refused(format!("secrets is forbidden: exceeded quota: {}", "q".repeat(300))),
        ClusterClass::Immutable,
        ClusterClass::WrongType,
        ClusterClass::NamespaceGoing,
        ClusterClass::Conflict,
        ClusterClass::Unavailable("nothing within 20 s".into()),
    ];
    let subjects = [Subject::Key, Subject::Target(Target::Managed), Subject::Target(Target::ClientSecret)];
    let cluster = kubernetes
        .into_iter()
        .flat_map(|class| subjects.map(|subject| ClusterFailure { verb: "create", subject, class: class.clone() }));
    let keys = [
        KeyFailure::SecretNotFound,
        KeyFailure::EntryNotFound,
        KeyFailure::TypeRefused,
        KeyFailure::Unusable(KeyError::Unsupported(KeyKind::ExplicitCurve)),
        KeyFailure::Unusable(KeyError::SampleKey),
        KeyFailure::Unusable(KeyError::NotAKey),
    ];
    let obstacles = Target::ALL.map(|target| {
        let holder = Holder::Object(format!("AsaCredential {}", "n".repeat(239)));
        [
            Obstacle::NotOwned(target, holder),
            Obstacle::NotOwned(target, Holder::Nobody),
            Obstacle::WrongType(target),
            Obstacle::Going(target),
        ]
    });
    let obstacles = obstacles.concat();
    let kinds = [Chosen::Organization, Chosen::AdAccount];
    let since = jiff::Timestamp::UNIX_EPOCH;
    let choices = kinds
        .into_iter()
        .flat_map(|kind| [Verdict::Ambiguous(kind, 120), Verdict::NotFound(kind, 0), Verdict::NotFound(kind, 120)]);
    let of_lists = Class::Unintelligible("no result.acls where each row has an adAccount id");
    let silences = APIS.into_iter().flat_map(|api| {
        classes().into_iter().chain([of_lists.clone()]).flat_map(move |class| {
            [
                Verdict::Unconfirmed(api, class.clone(), since),
                Verdict::Partial(api, class.clone()),
                Verdict::Unresolved(api, class),
            ]
        })
    });
    let verdicts = choices.chain(silences).filter_map(|verdict| Explanation::of_verdict(&verdict));
    apple
        .map(|error| failure(Failure::Apple(error)))
        .chain(cluster.map(|error| failure(Failure::Cluster(error))))
        .chain(keys.iter().map(|key| Explanation::of_key(key, &object)))
        .chain(obstacles.iter().filter_map(|obstacle| Explanation::of_obstacle(obstacle, &object)))
        .chain([Explanation::of_upload(), Explanation::of_suspension(Kind::Ads)])
        .chain(refusals())
        .chain([failure(Failure::Signing), failure(Failure::Generating)])
        .chain(verdicts)
        .collect()
}

#[test]
fn every_message_fits_with_names_of_usual_length_and_is_a_whole_sentence() {
    let ends = |message: &str| message.ends_with('.') || message.contains(": openssl") || message.contains(": kubectl");
    let mut cut_off: Vec<String> = all("acme-europe-marketing")
        .into_iter()
        .map(|explanation| explanation.message)
        .filter(|message| message.chars().count() >= LONGEST_MESSAGE || !ends(message))
        .collect();
    cut_off.dedup();
    assert_eq!(cut_off, Vec::<String>::new());
}

/// Where nothing stalls, no other condition has the whole message.
#[test]
fn a_renewal_that_fails_tells_the_remedy_behind_the_end_of_the_token() {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let prefix = until_when(Life { issued_at: now, expires_at: now }, true).chars().count();
    let renewals = all("acme").into_iter().filter(|explanation| {
        let of_token = explanation.arrow == ConditionType::AccessTokenIssued && !explanation.is_stalled;
        of_token || explanation.reason == Reason::AwaitingUpload
    });
    let mut cut_off: Vec<String> = renewals
        .map(|explanation| explanation.message)
        .filter(|message| prefix + message.chars().count() > LONGEST_MESSAGE)
        .collect();
    cut_off.dedup();
    assert_eq!(cut_off, Vec::<String>::new());
}

#[test]
fn no_message_is_too_long_whatever_the_names() {
    for explanation in all(&"n".repeat(239)) {
        assert!(explanation.message.chars().count() <= LONGEST_MESSAGE, "{}", explanation.message);
    }
}

#[test]
fn a_rejected_client_is_told_which_key_and_what_to_compare() {
    let error = AppleError::new(Endpoint::TokenEndpoint, Class::Rejected(OAuthError::InvalidClient));
    let explanation = Explanation::of_failure(&Failure::Apple(error), &object("acme"), Some(PRINT));
    assert_eq!((explanation.reason, explanation.is_stalled), (Reason::ClientRejected, true));
    for word in ["invalid_client", "SHA256:9f2c5e00", "clientId, teamId, keyId", "status.privateKey"] {
        assert!(explanation.message.contains(word), "{word}: {}", explanation.message);
    }
}

#[test]
fn a_clock_that_is_off_is_named_with_its_size_and_side() {
    let rejected = |minutes| {
        let error = AppleError::new(Endpoint::TokenEndpoint, Class::Rejected(OAuthError::InvalidClient));
        let error = AppleError { skew: Some(SignedDuration::from_mins(minutes)), ..error };
        Explanation::of_failure(&Failure::Apple(error), &object("acme"), Some(PRINT))
    };
    assert_eq!(rejected(0).reason, Reason::ClientRejected);
    assert!(rejected(7).message.contains("420 s behind Apple's"), "{}", rejected(7).message);
    assert!(rejected(-7).message.contains("420 s ahead of Apple's"), "{}", rejected(-7).message);
    assert_eq!(rejected(7).reason, Reason::ClockSkewed);
}

#[test]
fn the_end_of_api_v5_is_told_with_its_date() {
    let verdict = Verdict::Partial(AdsApi::CampaignManagementV5, Class::Gone);
    let explanation = Explanation::of_verdict(&verdict).unwrap();
    assert_eq!(explanation.reason, Reason::ApiGone);
    assert!(explanation.message.contains("2027-01-26"), "{}", explanation.message);
}

#[test]
fn words_of_others_lose_control_characters() {
    assert_eq!(cut("a\nb\u{7}c", 10), "a b c");
    assert_eq!(cut("äöü", 2), "äö");
}
