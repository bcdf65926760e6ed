//! Conditions: their types, their reasons and the list they stand in. A closed vocabulary, because scripts, alerts and
//! people match on it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema::{MAX_ID, timestamp};
use super::status::whole_seconds;

/// At most so many conditions stand in a status.
pub(super) const MAX_CONDITIONS: usize = 16;

/// Writes an enum whose variants' names are what stands in the object, with `ALL`, `as_str` and `Display`.
macro_rules! vocabulary {
    ($(#[$docs:meta])* $name:ident { $($(#[$variant_docs:meta])* $variant:ident,)+ }) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_docs])* $variant,)+
        }

        impl $name {
            /// Every one of them, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word in the object.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

vocabulary! {
    /// What a condition speaks of, in the order in which status lists them.
    ConditionType {
        /// What is in the managed Secret works now.
        Ready,
        /// The private key was found and is usable.
        PrivateKeyLoaded,
        /// A client secret is signed and published.
        ClientSecretIssued,
        /// Apple issued an access token.
        AccessTokenIssued,
        /// A token for App Store Connect is signed.
        TokenIssued,
        /// App Store Connect knows the key.
        KeyVerified,
        /// The ids of organization and ad account are known.
        OrganizationResolved,
        /// The managed Secret holds the newest token.
        SecretPublished,
        /// The next renewal is going well; its message says until when the present token lasts.
        RenewalHealthy,
        /// Work is under way (kstatus). Present only while True.
        Reconciling,
        /// Nothing moves until somebody changes something (kstatus). Present only while True.
        Stalled,
    }
}

vocabulary! {
    /// Why a condition is what it is.
    Reason {
        /// Nothing was tried yet.
        Pending,
        /// The key is there; its public half has to be uploaded to Apple, and the ids that Apple then shows go into the spec.
        AwaitingUpload,
        /// The resource is suspended: nothing is renewed.
        Suspended,
        /// The private key was found and is usable.
        Loaded,
        /// Signed by the operator or issued by Apple.
        Issued,
        /// The ids are known.
        Resolved,
        /// Apple accepted a token of this key.
        Verified,
        /// The resource asks not to ask Apple whether it knows the key.
        NotVerified,
        /// Apple knows the key, and the account has an agreement to accept before the API answers.
        AgreementMissing,
        /// The Secret holds what it should.
        Published,
        /// The last renewal went well and the next one is due in time.
        OnSchedule,
        /// A live, verified token is published.
        Available,
        /// A token is published that no API had confirmed before the old one ran out.
        Unverified,
        /// The ids stand as last resolved: no API confirmed them since.
        Unconfirmed,
        /// A renewal is under way.
        Renewing,
        /// The private key's Secret does not exist.
        KeySecretNotFound,
        /// The private key's Secret lacks the named entry.
        KeyEntryNotFound,
        /// The private key's Secret is of a type that keys are not read from.
        KeySecretTypeRefused,
        /// The entry holds nothing that can be read as a private key.
        KeyInvalid,
        /// The entry holds a key, but none on P-256 that can sign: RSA, another curve, encrypted, public.
        KeyUnsupported,
        /// The key is the sample from Apple's documentation, which everybody has.
        SampleKey,
        /// No key pair could be made.
        KeyNotMade,
        /// The client secret could not be signed.
        SigningFailed,
        /// Apple answered `invalid_client`: ids and key do not match, or the API user is gone.
        ClientRejected,
        /// Apple refused the request for a token with another error than `invalid_client`.
        RequestRefused,
        /// Apple issued a token and then refused it.
        TokenRefused,
        /// App Store Connect does not know the key, or not with these ids.
        KeyRejected,
        /// App Store Connect knew the key and refuses it now.
        KeyRevoked,
        /// Apple asked for a pause.
        Throttled,
        /// Apple answered with a server error.
        AppleUnavailable,
        /// Apple could not be reached, or did not answer in time.
        AppleUnreachable,
        /// Apple answered with something that is no such answer.
        UnexpectedAnswer,
        /// The clock of this machine and Apple's are too far apart.
        ClockSkewed,
        /// There are several organizations or ad accounts, and the resource chooses none.
        Ambiguous,
        /// The chosen organization or ad account is not among those of the API user.
        NotFound,
        /// The API user's role does not allow it.
        AccessDenied,
        /// The API is no longer there.
        ApiGone,
        /// A Secret of that name exists and is not the operator's.
        SecretNotOwned,
        /// A Secret of that name exists and has another type.
        SecretTypeMismatch,
        /// The Secret is immutable and cannot be renewed.
        SecretImmutable,
        /// The API server refused a read or a write, for example by RBAC, quota or admission.
        KubernetesRefused,
        /// The API server could not be reached, or did not answer in time.
        KubernetesUnavailable,
    }
}

/// Whether it is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It is.
    True,
    /// It is not.
    False,
    /// It cannot be told.
    Unknown,
}

/// One aspect of the resource's state; on the wire a metav1.Condition.
// Type and reason are strings, so that a status written by another version can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it speaks of, for example Ready.
    #[serde(rename = "type")]
    #[schemars(
        length(min = 1, max = 316),
        regex(
            pattern = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
        )
    )]
    pub type_: String,

    /// Whether it is so: True, False or Unknown.
    pub status: ConditionStatus,

    /// Why, in one word for programs, for example Throttled.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"))]
    pub reason: String,

    /// What is the matter, why, and what to do next, in a sentence for people.
    #[schemars(length(max = 1024))]
    pub message: String,

    /// The generation of the resource that this condition speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = MAX_ID))]
    pub observed_generation: Option<i64>,

    /// When the status last changed.
    #[schemars(schema_with = "timestamp")]
    pub last_transition_time: Timestamp,
}

impl Condition {
    /// A condition as of `now`, which loses its fraction of a second: times are compared with what the API server kept.
    pub fn new(
        type_: ConditionType,
        status: ConditionStatus,
        reason: Reason,
        message: impl Into<String>,
        generation: i64,
        now: Timestamp,
    ) -> Self {
        Self {
            type_: type_.to_string(),
            status,
            reason: reason.to_string(),
            message: message.into(),
            observed_generation: Some(generation),
            last_transition_time: whole_seconds(now),
        }
    }

    /// Whether it speaks of `type_`.
    pub fn is(&self, type_: ConditionType) -> bool {
        self.type_ == type_.as_str()
    }

    /// Its place in the list; conditions of others come last.
    fn place(&self) -> usize {
        let known = ConditionType::ALL.iter().position(|type_| self.is(*type_));
        known.unwrap_or(ConditionType::ALL.len())
    }
}

/// The condition that speaks of `type_`.
pub fn find(conditions: &[Condition], type_: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.is(type_))
}

/// Puts `new` into the list, in place of the one of its type if there is one. Where the status stays the same, so does
/// the time of the last transition. The list ends up in the order of [`ConditionType::ALL`], conditions of others last; of
/// those the last ones go where the list would get longer than the schema allows, because then nothing could be written.
pub fn set_condition(conditions: &mut Vec<Condition>, mut new: Condition) {
    match conditions.iter_mut().find(|old| old.type_ == new.type_) {
        Some(old) => {
            if old.status == new.status {
                new.last_transition_time = old.last_transition_time;
            }
            *old = new;
        }
        None => conditions.push(new),
    }
    conditions.sort_by_key(Condition::place);
    conditions.truncate(MAX_CONDITIONS);
}

/// Takes the condition that speaks of `type_` out of the list.
pub fn remove_condition(conditions: &mut Vec<Condition>, type_: ConditionType) {
    conditions.retain(|condition| !condition.is(type_));
}

#[cfg(test)]
mod tests;
