//! What can go wrong with one credential, and what each failure asks of the next attempt. Its words are in
//! [`super::status`].

use std::{fmt, time::Duration};

use jiff::Timestamp;

use super::{
    memory::Inputs,
    now::Now,
    schedule::{Retry, retry},
    target::Target,
};
use crate::apple::error::{Class, Error as AppleError, KeyError};

/// Why an attempt did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The key could not sign.
    #[error("the key could not sign")]
    Signing,
    /// No key could be made.
    #[error("no key could be made: the system gives no randomness")]
    Generating,
    /// Apple did not do what was asked.
    #[error("{0}")]
    Apple(AppleError),
    /// The API server did not.
    #[error("{0}")]
    Cluster(ClusterFailure),
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFailure {
    /// No such Secret.
    #[error("no such Secret")]
    SecretNotFound,
    /// The Secret has no entry of that name.
    #[error("no such entry")]
    EntryNotFound,
    /// The Secret's type is not one that keys are read from.
    #[error("keys are not read from a Secret of this type")]
    TypeRefused,
    /// The entry is no usable key.
    #[error("{0}")]
    Unusable(KeyError),
}

/// A request to the API server that gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the API server did not {verb} the {subject}: {class}")]
pub struct ClusterFailure {
    /// What was to be done, for example "create".
    pub verb: &'static str,
    /// With which Secret.
    pub subject: Subject,
    /// How it ended.
    pub class: ClusterClass,
}

/// Which Secret of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The one with the key.
    Key,
    /// One of ours.
    Target(Target),
}

/// How a request to the API server ended that gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterClass {
    /// 403, or any other refusal that stays until somebody changes something; the API server's own words.
    #[error("refused: {0}")]
    Refused(String),
    /// The Secret is immutable.
    #[error("it is immutable")]
    Immutable,
    /// The Secret has another type.
    #[error("it has another type")]
    WrongType,
    /// The namespace is being deleted: nothing can be created there.
    #[error("its namespace is being deleted")]
    NamespaceGoing,
    /// The object changed since it was looked at, or is gone, or is there already: look again.
    #[error("it changed meanwhile")]
    Conflict,
    /// No answer, or one that may be different next time; what broke.
    #[error("no answer: {0}")]
    Unavailable(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "private key's Secret",
            Self::Target(Target::Managed) => "managed Secret",
            Self::Target(Target::ClientSecret) => "client secret's Secret",
        })
    }
}

/// Which steps a failure holds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Asking for a token, and verifying it.
    Token,
    /// Resolving organization and ad account.
    Identity,
    /// Reading and writing the cluster's objects.
    Cluster,
}

/// A failure that is waited out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The last failure.
    pub failure: Failure,
    /// How many in a row.
    pub count: u32,
    /// When the first of them happened.
    pub since: Timestamp,
    /// When the next attempt is due, on the steady clock.
    pub next_try: Duration,
    /// What the attempt was made with: a change ends the wait.
    pub inputs: Inputs,
}

impl Failure {
    /// Whether Apple refused the client itself.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        matches!(self, Self::Apple(AppleError { class: Class::Rejected(_), .. }))
    }

    /// What it asks of the next attempt.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Apple(AppleError { retry_after: Some(pause), .. }) => Retry::After(*pause),
            Self::Apple(AppleError { class: Class::Rejected(_), .. }) | Self::Signing => Retry::Rejected,
            Self::Apple(_) | Self::Cluster(_) | Self::Generating => Retry::Soon,
        }
    }
}

impl Trouble {
    /// Takes `failure` into account, the next one after `previous`, while the published token has so much life `left`.
    #[must_use]
    pub fn after(previous: Option<&Self>, failure: Failure, left: Duration, inputs: Inputs, now: Now) -> Self {
        // What was tried with other inputs tells nothing about these.
        let previous = previous.filter(|trouble| trouble.inputs == inputs);
        let count = previous.map_or(0, |trouble| trouble.count).saturating_add(1);
        let next_try = now.steady + retry(failure.retry(), count, left);
        Self { failure, count, since: previous.map_or(now.wall, |trouble| trouble.since), next_try, inputs }
    }
}

/// Whether asking again soon may help: a matter of load, network or a passing fault, not of rights or of an API's end.
#[must_use]
pub fn is_passing(class: &Class) -> bool {
    match class {
        Class::Throttled
        | Class::Server(_)
        | Class::Unintelligible(_)
        | Class::TooLarge
        | Class::TimedOut
        | Class::Unreachable(_)
        // Not Apple's own: a proxy's, or that of a host that is being rebuilt.
        | Class::Redirected
        | Class::Status(_)
        // Of a token that was proved a moment ago.
        | Class::Unauthorized => true,
        Class::Rejected(_) | Class::Forbidden | Class::NotFound | Class::Gone => false,
    }
}
