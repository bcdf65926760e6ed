//! What is seen of a Secret, and what that forbids.

use std::sync::Arc;

use super::{published::Target, secret_meta::SecretMeta};

/// What is seen of a Secret without asking.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Sight {
    /// It may be there; one has to look.
    #[default]
    Unknown,
    /// It is not there.
    Absent,
    /// It is there.
    Present(Arc<SecretMeta>),
}

impl Sight {
    /// Its metadata, if it is there.
    #[must_use]
    pub fn meta(&self) -> Option<&SecretMeta> {
        match self {
            Self::Present(meta) => Some(meta),
            Self::Unknown | Self::Absent => None,
        }
    }
}

/// What is seen of the Secrets that a credential has to do with.
#[derive(Clone, Debug)]
pub struct Sights {
    /// The one that holds the key.
    pub key_secret: Sight,
    /// The one for the token.
    pub managed: Sight,
    /// The one for the client secret.
    pub client_secret: Sight,
}

/// What a write would meet that forbids it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A Secret of that name is there and is not this resource's.
    NotOwned(Target),
    /// It is being deleted, and something holds it.
    Going(Target),
}
