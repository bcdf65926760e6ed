//! Words for the state of a credential.

use std::fmt;

use asa_operator::api::conditions::find;
use asa_operator::api::{
    AppStoreConnectCredential, AsaCredential, Condition, ConditionStatus, ConditionType, CredentialStatus, Reason,
};
use kube::Resource;

/// A credential of either kind.
pub(crate) trait Reported: Resource<DynamicType = ()> {
    /// What is reported of it.
    fn status(&self) -> Option<&CredentialStatus>;
}

impl Reported for AsaCredential {
    fn status(&self) -> Option<&CredentialStatus> {
        self.status.as_ref()
    }
}

impl Reported for AppStoreConnectCredential {
    fn status(&self) -> Option<&CredentialStatus> {
        self.status.as_ref()
    }
}

/// A condition that a test waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited {
    type_: ConditionType,
    status: ConditionStatus,
    reason: Reason,
}

/// What is published works.
pub(crate) fn ready() -> Awaited {
    is(ConditionType::Ready, Reason::Available)
}

/// This condition is Unknown.
pub(crate) fn unknown(type_: ConditionType, reason: Reason) -> Awaited {
    Awaited { type_, status: ConditionStatus::Unknown, reason }
}

/// What is published does not work, or nothing is published.
pub(crate) fn not_ready(reason: Reason) -> Awaited {
    is_not(ConditionType::Ready, reason)
}

/// This condition is True.
pub(crate) fn is(type_: ConditionType, reason: Reason) -> Awaited {
    Awaited { type_, status: ConditionStatus::True, reason }
}

/// This condition is False.
pub(crate) fn is_not(type_: ConditionType, reason: Reason) -> Awaited {
    Awaited { type_, status: ConditionStatus::False, reason }
}

impl Awaited {
    /// Whether it is so for the present generation of `credential`.
    pub(crate) fn holds(self, credential: &impl Reported) -> bool {
        let condition = find(conditions(credential), self.type_);
        condition.is_some_and(|condition| {
            condition.status == self.status
                && condition.reason == self.reason.as_str()
                && condition.observed_generation == credential.meta().generation
        })
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { type_, status, reason } = self;
        write!(f, "{type_} {status:?} {reason}")
    }
}

/// The conditions that are reported.
pub(crate) fn conditions(credential: &impl Reported) -> &[Condition] {
    credential.status().map_or(&[], |status| &status.conditions)
}

/// What a condition says.
pub(crate) fn message(credential: &impl Reported, type_: ConditionType) -> &str {
    &find(conditions(credential), type_).unwrap().message
}

/// All conditions, a line each.
pub(crate) fn told(credential: &impl Reported) -> String {
    let line = |condition: &Condition| {
        let Condition { type_, status, reason, message, observed_generation, .. } = condition;
        format!("\n  {type_} {status:?} {reason}: {message} (generation {observed_generation:?})")
    };
    let lines: String = conditions(credential).iter().map(line).collect();
    format!("generation {:?}{lines}", credential.meta().generation)
}
