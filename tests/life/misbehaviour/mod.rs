//! Apple misbehaves, at each endpoint and in every way: what is told, when it is tried again, and what stays.
//!
//! The rows of a table are credentials of one stage, each another client at Apple, so that all of them fail side by side.
//! A fault ends after so many requests, and the history of each credential is judged when it is over.

mod first;
mod gone;
mod identity;
mod pace;
mod pause;
mod renewal;
mod table;
mod trust;

use asa_operator::api::conditions::find;
use asa_operator::api::{AsaCredential, ConditionStatus, ConditionType, Life, Reason};

use crate::support::awaited::conditions;

/// What a condition says: status, reason and message; `None` where it is absent.
fn said(credential: &AsaCredential, type_: ConditionType) -> Option<(ConditionStatus, &str, &str)> {
    let condition = find(conditions(credential), type_)?;
    Some((condition.status, &condition.reason, &condition.message))
}

/// Whether a condition has this status, for this reason.
fn is(credential: &AsaCredential, type_: ConditionType, status: ConditionStatus, reason: Reason) -> bool {
    said(credential, type_).is_some_and(|said| (said.0, said.1) == (status, reason.as_str()))
}

/// Whether what is published works.
fn is_ready(credential: &AsaCredential) -> bool {
    is(credential, ConditionType::Ready, ConditionStatus::True, Reason::Available)
}

/// Whether it also works with all ids that there are.
fn is_complete(credential: &AsaCredential) -> bool {
    is_ready(credential) && is(credential, ConditionType::OrganizationResolved, ConditionStatus::True, Reason::Resolved)
}

/// Whether the last state is complete.
fn is_complete_now(past: &[AsaCredential]) -> bool {
    past.last().is_some_and(is_complete)
}

/// The first state with this condition False.
fn first_without(past: &[AsaCredential], type_: ConditionType) -> Option<&AsaCredential> {
    past.iter().find(|state| said(state, type_).is_some_and(|said| said.0 == ConditionStatus::False))
}

/// The states from the first one that was Ready.
fn since_ready(past: &[AsaCredential]) -> &[AsaCredential] {
    let first = past.iter().position(is_ready).unwrap_or(past.len());
    &past[first..]
}

/// Whether a renewal failed and was made up for.
fn has_recovered(past: &[AsaCredential]) -> bool {
    let past = since_ready(past);
    let healthy = |state| is(state, ConditionType::RenewalHealthy, ConditionStatus::True, Reason::OnSchedule);
    first_without(past, ConditionType::RenewalHealthy).is_some() && past.last().is_some_and(healthy)
}

/// Ready stays True throughout, from the same moment on.
fn stays_ready(name: &str, past: &[AsaCredential]) {
    let past = since_ready(past);
    let since = |state: &AsaCredential| find(conditions(state), ConditionType::Ready).unwrap().last_transition_time;
    for state in past {
        let ready = said(state, ConditionType::Ready);
        assert!(is_ready(state) && since(state) == since(&past[0]), "{name}: {ready:?}");
    }
}

/// The life of the published token.
fn life(state: &AsaCredential) -> Life {
    state.status.as_ref().unwrap().access_token.unwrap()
}

/// What is told of a renewal while the token lives.
fn while_it_works(state: &AsaCredential, words: &str) -> String {
    format!("The published token works until {}. {words}", life(state).expires_at)
}
