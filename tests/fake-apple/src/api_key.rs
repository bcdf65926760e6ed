//! What Apple knows of a key of App Store Connect or of the Enterprise Program.

use serde::{Deserialize, Serialize};

/// Whose API a key is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// App Store Connect.
    #[default]
    AppStore,
    /// The Apple Developer Enterprise Program.
    Enterprise,
}

/// A key as the page Users and Access › Integrations shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiKey {
    /// `kid` of its tokens.
    pub key_id: String,
    /// P-256, `SubjectPublicKeyInfo` as PEM (`PUBLIC KEY`).
    pub public_key: String,
    /// Whose API it is for; the other one does not know it.
    #[serde(default)]
    pub program: Program,
    /// `iss` of its tokens; absent: an individual key, whose tokens say `sub: user` instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_id: Option<String>,
    /// What is against it.
    #[serde(default)]
    pub standing: Standing,
}

/// What is against a key, and how Apple says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing.
    #[default]
    Good,
    /// Revoked: 401 `NOT_AUTHORIZED`.
    Revoked,
    /// Revoked: 403 `NOT_AUTHORIZED`.
    RevokedAsForbidden,
    /// Its role reaches nothing here: 403 `FORBIDDEN_ERROR`.
    NarrowRole,
    /// Its account has an agreement to sign: 403 `FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED`.
    AgreementMissing,
}

impl ApiKey {
    /// A team key of App Store Connect.
    pub fn team(key_id: impl Into<String>, issuer_id: impl Into<String>, public_key: impl Into<String>) -> Self {
        Self { issuer_id: Some(issuer_id.into()), ..Self::individual(key_id, public_key) }
    }

    /// An individual key of App Store Connect.
    pub fn individual(key_id: impl Into<String>, public_key: impl Into<String>) -> Self {
        Self {
            key_id: key_id.into(),
            public_key: public_key.into(),
            program: Program::AppStore,
            issuer_id: None,
            standing: Standing::Good,
        }
    }

    /// A key of the Enterprise Program.
    pub fn enterprise(key_id: impl Into<String>, issuer_id: impl Into<String>, public_key: impl Into<String>) -> Self {
        Self { program: Program::Enterprise, ..Self::team(key_id, issuer_id, public_key) }
    }

    /// Sets what is against it.
    #[must_use]
    pub fn standing(mut self, standing: Standing) -> Self {
        self.standing = standing;
        self
    }
}
