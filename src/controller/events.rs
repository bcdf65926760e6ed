//! Which changes of a status are worth an Event. A renewal that goes well is none.

use crate::api::{Condition, ConditionStatus, ConditionType, CredentialStatus, conditions::find};

/// An Event to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether somebody should look.
    pub is_warning: bool,
    /// The condition's reason.
    pub reason: String,
    /// The condition's message.
    pub message: String,
    /// Which condition changed.
    pub action: ConditionType,
}

/// The conditions whose changes are told: the two that sum up the others.
const TOLD: [ConditionType; 2] = [ConditionType::Ready, ConditionType::RenewalHealthy];

/// What changed from `old` to `new` that people want to hear of.
#[must_use]
pub fn notes(old: Option<&CredentialStatus>, new: &CredentialStatus) -> Vec<Note> {
    let before = |type_| find(old.map_or(&[], |old| &old.conditions), type_);
    let mut notes: Vec<Note> = Vec::new();
    for type_ in TOLD {
        let Some(now) = find(&new.conditions, type_) else { continue };
        let note = note(type_, before(type_), now);
        // While nothing is published both conditions say the same; once is enough.
        if let Some(note) = note.filter(|note| !notes.iter().any(|told| told.reason == note.reason)) {
            notes.push(note);
        }
    }
    notes
}

fn note(type_: ConditionType, before: Option<&Condition>, now: &Condition) -> Option<Note> {
    let changed = before.is_none_or(|before| before.status != now.status || before.reason != now.reason);
    let was_false = before.is_some_and(|before| before.status == ConditionStatus::False);
    let worth_telling = match (now.status, type_) {
        (ConditionStatus::False, _) | (ConditionStatus::True, ConditionType::Ready) => true,
        // That renewals go well is told when they did not.
        (ConditionStatus::True, _) => was_false,
        (ConditionStatus::Unknown, _) => false,
    };
    (changed && worth_telling).then(|| Note {
        is_warning: now.status == ConditionStatus::False,
        reason: now.reason.clone(),
        message: now.message.clone(),
        action: type_,
    })
}
