//! What things are called in a message: conditions, fields, plurals.

use crate::{
    api::{ConditionType, Credential},
    credential::{failure::Subject, identity::Kind, target::Target},
};

impl Subject {
    /// The condition that tells of it.
    pub(super) fn arrow(self) -> ConditionType {
        match self {
            Self::Key => ConditionType::PrivateKeyLoaded,
            Self::Target(Target::Managed) => ConditionType::SecretPublished,
            Self::Target(Target::ClientSecret) => ConditionType::ClientSecretIssued,
        }
    }

    /// Where its name stands in the spec.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Key => "privateKey.secretRef.name",
            Self::Target(Target::Managed) => "secret.name",
            Self::Target(Target::ClientSecret) => "clientSecret.secretName",
        }
    }

    pub(super) fn name(self, object: &Credential) -> String {
        match self {
            Self::Key => object.key_ref().name.clone(),
            Self::Target(target) => target.name(object).unwrap_or_default(),
        }
    }
}

impl Kind {
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Organization => "organizations",
            Self::AdAccount => "ad accounts",
        }
    }

    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Organization => "spec.organization.orgId",
            Self::AdAccount => "spec.adAccount.id",
        }
    }

    pub(super) fn choices(self) -> &'static str {
        match self {
            Self::Organization => "status.organizations",
            Self::AdAccount => "status.adAccounts",
        }
    }
}
