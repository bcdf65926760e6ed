//! Keys, as Apple's own instructions make them.

use super::openssl;

/// A P-256 key in SEC1 form.
pub(crate) struct KeyPair(String);

impl KeyPair {
    pub(crate) fn new() -> Self {
        Self(String::from_utf8(openssl::sec1("prime256v1")).unwrap())
    }

    /// What goes into the Secret.
    pub(crate) fn private(&self) -> &str {
        &self.0
    }

    /// What is pasted into Apple's page.
    pub(crate) fn public(&self) -> String {
        openssl::public(self.0.as_bytes())
    }

    /// As status shows it.
    pub(crate) fn fingerprint(&self) -> String {
        format!("SHA256:{}", openssl::fingerprint(self.0.as_bytes()))
    }
}
