//! What is seen of a Secret, and what that forbids.

use std::sync::Arc;

use super::{secret_meta::SecretMeta, target::Target};

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
#[derive(Clone, Debug, Default)]
pub struct Sights {
    /// The one that holds the key.
    pub key_secret: Sight,
    /// The one for the token.
    pub managed: Sight,
    /// The one for the client secret; absent where that is stored nowhere.
    pub client_secret: Sight,
    /// Whose each of those two is, in the order of [`Target::ALL`]; of interest where it is not the credential's.
    pub holders: [Holder; 2],
    /// Secrets under names that the resource no longer gives them.
    pub strays: Vec<Stray>,
}

/// A Secret of a credential's under a name of earlier days.
#[derive(Clone, Debug, PartialEq)]
pub struct Stray {
    /// Its name.
    pub name: String,
    /// Its metadata; where Secrets are not watched, once it was looked at.
    pub meta: Option<Arc<SecretMeta>>,
}

/// Whose a Secret is, by its owner references and its label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Holder {
    /// It has no owner reference, and a label that is absent or names no resource that exists.
    #[default]
    Nobody,
    /// This object's, for example `AsaCredential acme`.
    Object(String),
}

/// What a write would meet that forbids it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A Secret of that name is there and is not this resource's.
    NotOwned(Target, Holder),
    /// A Secret of that name is there, is nobody's and may be adopted, if it is of the right type.
    ToInspect(Target),
    /// Likewise, and it is of the right type.
    ToAdopt(Target),
    /// It might be adopted, but is of another type.
    WrongType(Target),
    /// It is being deleted, and something holds it.
    Going(Target),
}
