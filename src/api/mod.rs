//! What users write and read: the custom resource, its status and the names that others may rely on.
//!
//! - [`AsaCredential`]: the resource, its bounds and its rules ([`asa_credential`]).
//! - [`AsaCredentialStatus`]: what the operator reports ([`status`]).
//! - [`conditions`]: the closed vocabulary of condition types and reasons.
//! - [`names`]: labels, annotations and Secret types.
//! - [`crd`]: the `CustomResourceDefinition`, as objects and as YAML.
//!
//! Types only: nothing here does I/O or reads a clock.

pub mod asa_credential;
pub mod conditions;
pub mod crd;
mod effective;
pub mod names;
mod program;
mod schema;
pub mod status;

pub use asa_credential::{
    AccessTokenSpec, AdAccountChoice, Adoption, AdsApi, AsaCredential, AsaCredentialSpec, ClientSecretMode,
    ClientSecretSpec, DeletionPolicy, GenerateKey, OrganizationChoice, PrivateKeySource, SecretFormat, SecretKeyRef,
    SecretSpec, Selection,
};
pub use conditions::{Condition, ConditionStatus, ConditionType, Reason};
pub use effective::ClientIds;
pub use program::Program;
pub use schema::{MAX_ID, MAX_REQUEST_CHARS};
pub use status::{
    AdAccount, AsaCredentialStatus, Binding, ClientSecretStatus, Life, MAX_CHOICES, Organization, PrivateKeyStatus,
    PublishedSecret,
};

/// The API group of every kind of this operator.
pub const GROUP: &str = "asa-operator.dev";
