//! The Secrets that a credential has.

use std::time::Duration;

use crate::api::{
    Credential, Kind,
    names::{TYPE_ACCESS_TOKEN, TYPE_APP_STORE_CONNECT_TOKEN, TYPE_CLIENT_SECRET},
};

/// One of the two Secrets that a credential may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The one with the token, which workloads mount.
    Managed,
    /// The one with the client secret of an `AsaCredential`, unless that is ephemeral.
    ClientSecret,
}

impl Target {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Managed, Self::ClientSecret];

    /// The Secret's `type` with a credential of this kind; it never changes.
    #[must_use]
    pub fn secret_type(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Managed, Kind::Ads) => TYPE_ACCESS_TOKEN,
            (Self::Managed, Kind::AppStoreConnect) => TYPE_APP_STORE_CONNECT_TOKEN,
            (Self::ClientSecret, _) => TYPE_CLIENT_SECRET,
        }
    }

    /// No longer than this lives what is in it: a token of Apple's for a day at most (one hour, as Apple says), one that is
    /// signed here for 180 days.
    pub(super) fn longest_life(self, kind: Kind) -> Duration {
        match (self, kind) {
            (Self::Managed, Kind::Ads) => Duration::from_hours(24),
            (Self::Managed, Kind::AppStoreConnect) | (Self::ClientSecret, _) => Duration::from_hours(180 * 24),
        }
    }

    /// The Secret's name, in the resource's namespace; none where the resource has no such Secret.
    #[must_use]
    pub fn name(self, object: &Credential) -> Option<String> {
        match self {
            Self::Managed => Some(object.secret_name()),
            Self::ClientSecret => object.client_secret_name(),
        }
    }

    /// Whether the Secret stays when the resource goes. A client secret never does: it works for half a year.
    #[must_use]
    pub fn is_retained(self, object: &Credential) -> bool {
        self == Self::Managed && object.retains()
    }
}
