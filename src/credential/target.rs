//! The Secrets that a credential has.

use std::time::Duration;

use crate::api::{
    AsaCredential,
    names::{TYPE_ACCESS_TOKEN, TYPE_CLIENT_SECRET},
};

/// One of the two Secrets that a credential has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The one with the access token, which workloads mount.
    Managed,
    /// The one with the client secret, unless that is ephemeral.
    ClientSecret,
}

impl Target {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Managed, Self::ClientSecret];

    /// The Secret's `type`, which never changes.
    #[must_use]
    pub fn secret_type(self) -> &'static str {
        match self {
            Self::Managed => TYPE_ACCESS_TOKEN,
            Self::ClientSecret => TYPE_CLIENT_SECRET,
        }
    }

    /// No longer than this lives what is in it: a token of Apple's for a day at most (one hour, as Apple says), a client
    /// secret for 180 days.
    pub(super) fn longest_life(self) -> Duration {
        match self {
            Self::Managed => Duration::from_hours(24),
            Self::ClientSecret => Duration::from_hours(180 * 24),
        }
    }

    /// The Secret's name, in the resource's namespace; none where the resource has no such Secret.
    #[must_use]
    pub fn name(self, object: &AsaCredential) -> Option<String> {
        match self {
            Self::Managed => Some(object.secret_name()),
            Self::ClientSecret => object.client_secret_name(),
        }
    }

    /// Whether the Secret stays when the resource goes. A client secret never does: it works for half a year.
    #[must_use]
    pub fn is_retained(self, object: &AsaCredential) -> bool {
        self == Self::Managed && object.retains()
    }
}
