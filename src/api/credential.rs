//! A credential of either kind: what holds for both, with every default applied.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource as _;

use super::managed_secret::{Adoption, DeletionPolicy, SecretFormat, SecretSpec};
use super::private_key::{GenerateKey, SecretKeyRef};
use super::status::CredentialStatus;
use super::{AppStoreConnectCredential, AsaCredential};

/// Labels or annotations where the user names none.
static NONE: BTreeMap<String, String> = BTreeMap::new();

/// What kinds of credentials there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// [`AsaCredential`]
    Ads,
    /// [`AppStoreConnectCredential`]
    AppStoreConnect,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ads, Self::AppStoreConnect];

    /// The word that stands in `kind`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ads => "AsaCredential",
            Self::AppStoreConnect => "AppStoreConnectCredential",
        }
    }
}

/// A credential of either kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Credential {
    /// Of Apple Ads.
    Ads(Box<AsaCredential>),
    /// Of App Store Connect or the Enterprise Program.
    AppStoreConnect(Box<AppStoreConnectCredential>),
}

impl From<AsaCredential> for Credential {
    fn from(object: AsaCredential) -> Self {
        Self::Ads(Box::new(object))
    }
}

impl From<AppStoreConnectCredential> for Credential {
    fn from(object: AppStoreConnectCredential) -> Self {
        Self::AppStoreConnect(Box::new(object))
    }
}

impl Credential {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Ads(_) => Kind::Ads,
            Self::AppStoreConnect(_) => Kind::AppStoreConnect,
        }
    }

    /// The credential of Apple Ads, if it is one.
    pub fn ads(&self) -> Option<&AsaCredential> {
        match self {
            Self::Ads(object) => Some(object),
            Self::AppStoreConnect(_) => None,
        }
    }

    /// The credential of App Store Connect, if it is one.
    pub fn app_store_connect(&self) -> Option<&AppStoreConnectCredential> {
        match self {
            Self::Ads(_) => None,
            Self::AppStoreConnect(object) => Some(object),
        }
    }

    /// The object's metadata.
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::Ads(object) => &object.metadata,
            Self::AppStoreConnect(object) => &object.metadata,
        }
    }

    /// Likewise, to change it.
    pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::Ads(object) => &mut object.metadata,
            Self::AppStoreConnect(object) => &mut object.metadata,
        }
    }

    /// What was last reported.
    pub fn status(&self) -> Option<&CredentialStatus> {
        match self {
            Self::Ads(object) => object.status.as_ref(),
            Self::AppStoreConnect(object) => object.status.as_ref(),
        }
    }

    /// Likewise, to change it.
    pub fn status_mut(&mut self) -> &mut Option<CredentialStatus> {
        match self {
            Self::Ads(object) => &mut object.status,
            Self::AppStoreConnect(object) => &mut object.status,
        }
    }

    /// The object's namespace.
    pub fn namespace(&self) -> &str {
        self.metadata().namespace.as_deref().unwrap_or_default()
    }

    /// The object's name.
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// The object's UID.
    pub fn uid(&self) -> &str {
        self.metadata().uid.as_deref().unwrap_or_default()
    }

    /// How Events name it.
    pub fn object_ref(&self) -> ObjectReference {
        match self {
            Self::Ads(object) => object.object_ref(&()),
            Self::AppStoreConnect(object) => object.object_ref(&()),
        }
    }

    /// Where the private key is.
    pub fn key_ref(&self) -> &SecretKeyRef {
        match self {
            Self::Ads(object) => &object.spec.private_key.secret_ref,
            Self::AppStoreConnect(object) => &object.spec.private_key.secret_ref,
        }
    }

    /// Whether the operator may make the key pair. Keys for App Store Connect are made by Apple.
    pub fn generates_key(&self) -> bool {
        self.ads().is_some_and(|object| object.spec.private_key.generate == GenerateKey::IfMissing)
    }

    /// The name of the Secret with the client secret; `None` where there is none.
    pub fn client_secret_name(&self) -> Option<String> {
        self.ads()?.client_secret_name()
    }

    /// How long before its end a token is renewed; `None`: at half of its life.
    pub fn token_renew_before(&self) -> Option<Duration> {
        match self {
            Self::Ads(object) => object.access_token_renew_before(),
            Self::AppStoreConnect(object) => object.token_renew_before(),
        }
    }

    /// The name of the managed Secret.
    pub fn secret_name(&self) -> String {
        self.secret().and_then(|secret| secret.name.clone()).unwrap_or_else(|| self.name().to_owned())
    }

    /// The forms in which the managed Secret carries everything once more.
    pub fn formats(&self) -> BTreeSet<SecretFormat> {
        self.secret().map(|secret| secret.formats.iter().copied().collect()).unwrap_or_default()
    }

    /// The labels that the user wants on the managed Secret.
    pub fn secret_labels(&self) -> &BTreeMap<String, String> {
        self.secret().map_or(&NONE, |secret| &secret.labels)
    }

    /// The annotations that the user wants on the managed Secret.
    pub fn secret_annotations(&self) -> &BTreeMap<String, String> {
        self.secret().map_or(&NONE, |secret| &secret.annotations)
    }

    /// Whether a Secret may be taken over that no existing resource owns.
    pub fn adopts_unowned(&self) -> bool {
        self.secret().is_some_and(|secret| secret.adoption == Adoption::IfUnowned)
    }

    /// Whether the managed Secret stays when the resource is deleted.
    pub fn retains(&self) -> bool {
        self.secret().is_some_and(|secret| secret.deletion_policy == DeletionPolicy::Retain)
    }

    /// Whether the operator is to leave this credential alone.
    pub fn is_suspended(&self) -> bool {
        match self {
            Self::Ads(object) => object.spec.suspend,
            Self::AppStoreConnect(object) => object.spec.suspend,
        }
    }

    fn secret(&self) -> Option<&SecretSpec> {
        match self {
            Self::Ads(object) => object.spec.secret.as_ref(),
            Self::AppStoreConnect(object) => object.spec.secret.as_ref(),
        }
    }
}
