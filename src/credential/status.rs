//! From what went wrong to a reason and a remedy: the words of every failure stand here, once.
//!
//! Each message says what, why and what to do next, in at most 200 characters.

mod apple;
mod names;

pub(in crate::credential) use apple::said;
use apple::{api_name, notable_skew, patience, rejected, skewed};

use super::{
    failure::{ClusterClass, ClusterFailure, Failure, KeyFailure, Subject, is_passing},
    identity::Verdict,
    probing::Refusal,
    sight::{Holder, Obstacle},
    target::Target,
};
use crate::{
    api::{AppStoreConnectCredential, ConditionType, Credential, KeyType, Kind, Program, Reason},
    apple::error::{Class, Endpoint, Error as AppleError, KeyError},
};

/// The longest message.
pub const LONGEST_MESSAGE: usize = 200;

/// As much of a cause as leaves room for the remedy.
const LONGEST_CAUSE: usize = 72;

/// As much of a code of App Store Connect's as leaves room for the remedy.
const LONGEST_CODE: usize = 24;

/// What a failure means to a reader of the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The condition that it belongs to: which arrow of the data's way is broken.
    pub arrow: ConditionType,
    /// In one word.
    pub reason: Reason,
    /// In a sentence or two.
    pub message: String,
    /// Whether nothing moves until somebody changes something.
    pub is_stalled: bool,
}

impl Explanation {
    fn new(arrow: ConditionType, reason: Reason, is_stalled: bool, message: &str) -> Self {
        Self { arrow, reason, message: cut(message, LONGEST_MESSAGE), is_stalled }
    }

    /// Why there is no key.
    #[must_use]
    pub fn of_key(failure: &KeyFailure, object: &Credential) -> Self {
        let place = object.key_ref();
        let (name, entry) = (short(&place.name), short(&place.key));
        let (reason, message) = match failure {
            KeyFailure::SecretNotFound if object.generates_key() => (
                Reason::KeySecretNotFound,
                format!(
                    "Secret {name} with the private key does not exist, and spec.keyId says that Apple knows it. Restore it; or remove keyId, and a new key is made."
                ),
            ),
            KeyFailure::SecretNotFound => (
                Reason::KeySecretNotFound,
                format!(
                    "Secret {name} with the private key does not exist. Run: kubectl create secret generic {name} --from-file={entry}"
                ),
            ),
            KeyFailure::EntryNotFound => (
                Reason::KeyEntryNotFound,
                format!(
                    "Secret {name} has no entry {entry}. Add it, or name the right one in spec.privateKey.secretRef.key."
                ),
            ),
            KeyFailure::TypeRefused => (
                Reason::KeySecretTypeRefused,
                format!(
                    "Secret {name} is of a type that keys are not read from. Put the key into a Secret of type Opaque."
                ),
            ),
            KeyFailure::Unusable(error) => (key_reason(*error), error.to_string()),
        };
        Self::new(ConditionType::PrivateKeyLoaded, reason, true, &message)
    }

    /// What is in the way of publishing; `None` where it is about to be taken out of the way.
    #[must_use]
    pub fn of_obstacle(obstacle: &Obstacle, object: &Credential) -> Option<Self> {
        let (Obstacle::NotOwned(target, _)
        | Obstacle::ToInspect(target)
        | Obstacle::ToAdopt(target)
        | Obstacle::WrongType(target)
        | Obstacle::Going(target)) = obstacle;
        let subject = Subject::Target(*target);
        let (name, field) = (short(&subject.name(object)), subject.field());
        let (reason, is_stalled, message) = match obstacle {
            Obstacle::NotOwned(_, Holder::Object(holder)) => (
                Reason::SecretNotOwned,
                true,
                format!(
                    "Secret {name} belongs to {}, so it is left alone. Name another Secret in spec.{field}.",
                    short(holder)
                ),
            ),
            Obstacle::NotOwned(Target::Managed, Holder::Nobody) => (
                Reason::SecretNotOwned,
                true,
                format!(
                    "Secret {name} is there and nobody's, so it is left alone. Delete it, set spec.secret.adoption to IfUnowned, or name another in spec.{field}."
                ),
            ),
            Obstacle::NotOwned(Target::ClientSecret, Holder::Nobody) => (
                Reason::SecretNotOwned,
                true,
                format!(
                    "Secret {name} is there and nobody's, so it is left alone. Delete it, or name another in spec.{field}."
                ),
            ),
            Obstacle::WrongType(_) => (
                Reason::SecretTypeMismatch,
                true,
                format!(
                    "Secret {name} cannot be adopted: only Secrets of type {} are. Delete it, or name another in spec.{field}.",
                    target.secret_type(object.kind())
                ),
            ),
            Obstacle::ToInspect(_) | Obstacle::ToAdopt(_) => return None,
            Obstacle::Going(_) => (
                Reason::KubernetesRefused,
                false,
                format!("Secret {name} is being deleted, and a finalizer holds it. It is made again once it is gone."),
            ),
        };
        Some(Self::new(subject.arrow(), reason, is_stalled, &message))
    }

    /// What holds everything up while Apple does not know the key.
    #[must_use]
    pub fn of_upload() -> Self {
        Self::new(
            ConditionType::ClientSecretIssued,
            Reason::AwaitingUpload,
            false,
            "Paste status.privateKey.publicKey into Apple Ads › Account Settings › API as a user with an API role; put the three ids from there into the spec.",
        )
    }

    /// Why nothing happens to a resource that is suspended.
    #[must_use]
    pub fn of_suspension(kind: Kind) -> Self {
        Self::new(
            match kind {
                Kind::Ads => ConditionType::AccessTokenIssued,
                Kind::AppStoreConnect => ConditionType::TokenIssued,
            },
            Reason::Suspended,
            false,
            "The resource is suspended: nothing is renewed or mended. Set spec.suspend to false to go on.",
        )
    }

    /// Why an attempt did not succeed.
    #[must_use]
    pub fn of_failure(failure: &Failure, object: &Credential, fingerprint: Option<&str>) -> Self {
        match failure {
            Failure::Signing => {
                let arrow = match object.kind() {
                    Kind::Ads => ConditionType::ClientSecretIssued,
                    Kind::AppStoreConnect => ConditionType::TokenIssued,
                };
                Self::new(
                    arrow,
                    Reason::SigningFailed,
                    true,
                    "Nothing could be signed with this key. Make a new key that Apple knows, and replace the Secret.",
                )
            }
            Failure::Generating => Self::new(
                ConditionType::PrivateKeyLoaded,
                Reason::KeyNotMade,
                false,
                "No key could be made: the operator's node gives no randomness. It tries again by itself.",
            ),
            Failure::Apple(error) => Self::of_apple(error, fingerprint),
            Failure::Cluster(failure) => Self::of_cluster(failure, object),
        }
    }

    /// Why Apple does not take the key.
    #[must_use]
    pub fn of_refusal(refusal: &Refusal, object: &AppStoreConnectCredential) -> Self {
        let code = cut(&refusal.code, LONGEST_CODE);
        let (reason, message) = if let Some(skew) = notable_skew(refusal.skew) {
            (Reason::ClockSkewed, skewed("refuses the key", &code, skew))
        } else if refusal.was_accepted {
            let message = format!(
                "Apple accepted this key before and refuses it now ({code}): it was revoked. Make a new key and replace the Secret and keyId; a .p8 downloads once."
            );
            (Reason::KeyRevoked, message)
        } else {
            let other = match object.spec.program {
                Program::AppStore => "Enterprise",
                Program::Enterprise => "AppStore",
            };
            let ids = match object.spec.key_type {
                KeyType::Team => "keyId and issuerId",
                KeyType::Individual => "keyId",
            };
            let message = format!(
                "Apple refuses the key ({code}). Compare {ids} with Users and Access › Integrations, and the .p8 with its keyId; or it is of program {other}, or revoked."
            );
            (Reason::KeyRejected, message)
        };
        Self::new(ConditionType::KeyVerified, reason, true, &message)
    }

    fn of_apple(error: &AppleError, fingerprint: Option<&str>) -> Self {
        let arrow = match error.endpoint {
            Endpoint::TokenEndpoint | Endpoint::Me(_) => ConditionType::AccessTokenIssued,
            Endpoint::Acls(_) => ConditionType::OrganizationResolved,
            Endpoint::Probe(_) => ConditionType::KeyVerified,
        };
        let (reason, message) = match (&error.class, notable_skew(error.skew)) {
            (Class::Rejected(code), Some(skew)) => {
                (Reason::ClockSkewed, skewed("rejected the client", code.code(), skew))
            }
            (Class::Rejected(code), None) => rejected(code, fingerprint),
            (class, _) => said(error.endpoint, class, error.retry_after),
        };
        let is_stalled = matches!(error.class, Class::Rejected(_));
        Self::new(arrow, reason, is_stalled, &message)
    }

    fn of_cluster(failure: &ClusterFailure, object: &Credential) -> Self {
        let name = short(&failure.subject.name(object));
        let verb = failure.verb;
        let field = failure.subject.field();
        let (reason, message) = match &failure.class {
            ClusterClass::Refused(words) => (
                Reason::KubernetesRefused,
                format!(
                    "The API server refused to {verb} Secret {name}: {}. Check RBAC, quota and admission.",
                    shortened(why(words), 76)
                ),
            ),
            ClusterClass::Immutable => (
                Reason::SecretImmutable,
                format!(
                    "Secret {name} is immutable and cannot be renewed. Delete it; the operator makes it again at once."
                ),
            ),
            ClusterClass::WrongType => (
                Reason::SecretTypeMismatch,
                format!(
                    "Secret {name} has another type than the operator's. Delete it, or name another Secret in spec.{field}."
                ),
            ),
            ClusterClass::NamespaceGoing => {
                (Reason::KubernetesRefused, "The namespace is being deleted; nothing can be created in it.".to_owned())
            }
            ClusterClass::Conflict => (
                Reason::KubernetesUnavailable,
                format!("Secret {name} changed while the operator was about to {verb} it. It looks again by itself."),
            ),
            ClusterClass::Unavailable(broken) => (
                Reason::KubernetesUnavailable,
                format!(
                    "The API server did not {verb} Secret {name}: {}. The operator tries again by itself.",
                    cut(broken, 80)
                ),
            ),
        };
        let is_stalled = matches!(failure.class, ClusterClass::Immutable | ClusterClass::WrongType);
        Self::new(failure.subject.arrow(), reason, is_stalled, &message)
    }

    /// Why organization or ad account is not (or no longer) known; `None` where all is well.
    #[must_use]
    pub fn of_verdict(verdict: &Verdict) -> Option<Self> {
        let (reason, stalled, message) = match verdict {
            Verdict::Resolved | Verdict::Recalled => return None,
            Verdict::Ambiguous(kind, count) => (
                Reason::Ambiguous,
                true,
                format!(
                    "The API user has {count} {}, and choosing wrongly spends the wrong money. Set {} to one of {}.",
                    kind.plural(),
                    kind.field(),
                    kind.choices()
                ),
            ),
            Verdict::NotFound(kind, 0) => (
                Reason::NotFound,
                true,
                format!(
                    "The API user has no {}. Give it access in Apple Ads › Account Settings, then annotate the resource with asa-operator.dev/requestedAt.",
                    kind.plural()
                ),
            ),
            Verdict::NotFound(kind, count) => (
                Reason::NotFound,
                true,
                format!(
                    "The chosen id is not among the {count} {} of the API user. Set {} to one of {}.",
                    kind.plural(),
                    kind.field(),
                    kind.choices()
                ),
            ),
            Verdict::Unconfirmed(api, class, since) => (
                Reason::Unconfirmed,
                false,
                format!(
                    "The ids stand as of {since:.0}; {} did not confirm them since ({}). {}",
                    api_name(*api),
                    cut(&class.to_string(), LONGEST_CAUSE),
                    patience(class, *api)
                ),
            ),
            Verdict::Partial(api, class) | Verdict::Unresolved(api, class) => (
                said(Endpoint::Acls(*api), class, None).0,
                // Tools that read kstatus take a stalled resource for a failed one, and with the other API's ids it is not.
                matches!(verdict, Verdict::Unresolved(..)) && !is_passing(class),
                format!("{} told no ids: {class}. {}", api_name(*api), patience(class, *api)),
            ),
        };
        Some(Self::new(ConditionType::OrganizationResolved, reason, stalled, &message))
    }
}

fn key_reason(error: KeyError) -> Reason {
    match error {
        KeyError::SampleKey => Reason::SampleKey,
        KeyError::Unsupported(_) | KeyError::Encrypted | KeyError::PublicKey | KeyError::Certificate => {
            Reason::KeyUnsupported
        }
        KeyError::Empty
        | KeyError::TooLarge
        | KeyError::NotText
        | KeyError::NotAKey
        | KeyError::CutOff
        | KeyError::Damaged
        | KeyError::NotAScalar
        | KeyError::PublicHalfDiffers
        | KeyError::Several
        | KeyError::ParametersOnly => Reason::KeyInvalid,
    }
}

/// A name as it fits into a sentence.
fn short(name: &str) -> String {
    shortened(name, 48)
}

/// Likewise, with at most so many characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most { cut(text, most) } else { format!("{}…", cut(text, most - 1)) }
}

/// What an API server says after naming the Secret and that it is forbidden.
fn why(words: &str) -> &str {
    words.split_once(" is forbidden: ").map_or(words, |(_, why)| why)
}

/// At most so many characters of `text`, none of them a control character.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
}

#[cfg(test)]
mod tests;
