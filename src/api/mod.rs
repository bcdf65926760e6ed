//! What users write and read: the custom resources, their status and the names that others may rely on.
//!
//! - [`AsaCredential`] and [`AppStoreConnectCredential`]: the resources, their bounds and their rules ([`asa_credential`],
//!   [`app_store_connect_credential`]); [`Credential`] is either of them.
//! - [`CredentialStatus`]: what the operator reports ([`status`]).
//! - [`conditions`]: the closed vocabulary of condition types and reasons.
//! - [`names`]: labels, annotations and Secret types.
//! - [`crd`]: the `CustomResourceDefinition`, as objects and as YAML.
//!
//! Types only: nothing here does I/O or reads a clock.

pub mod app_store_connect_credential;
pub mod asa_credential;
pub mod conditions;
pub mod crd;
mod credential;
mod effective;
pub mod managed_secret;
pub mod names;
pub mod private_key;
mod program;
mod schema;
pub mod status;

pub use app_store_connect_credential::{
    ApiKeySource, AppStoreConnectCredential, AppStoreConnectCredentialSpec, KeyType, TokenSpec, Verify,
};
pub use asa_credential::{
    AccessTokenSpec, AdAccountChoice, AdsApi, AsaCredential, AsaCredentialSpec, ClientSecretMode, ClientSecretSpec,
    OrganizationChoice, Selection,
};
pub use conditions::{Condition, ConditionStatus, ConditionType, Reason};
pub use credential::{Credential, Kind};
pub use effective::ClientIds;
pub use managed_secret::{Adoption, DeletionPolicy, SecretFormat, SecretSpec};
pub use private_key::{GenerateKey, PrivateKeySource, SecretKeyRef};
pub use program::Program;
pub use schema::{MAX_ID, MAX_REQUEST_CHARS};
pub use status::{
    AdAccount, Binding, ClientSecretStatus, CredentialStatus, Life, MAX_CHOICES, Organization, PrivateKeyStatus,
    PublishedSecret,
};

/// The API group of every kind of this operator.
pub const GROUP: &str = "asa-operator.dev";
