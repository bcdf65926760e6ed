//! Kubeconfig files that need no other file. Written as JSON, which every reader of YAML takes.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::pki::Identity;

/// A user that the bearer of a certificate acts as.
pub(crate) struct Impersonated<'a> {
    pub(crate) user: &'a str,
    pub(crate) groups: &'a [&'a str],
}

/// A kubeconfig for the API server at `url`, whose certificate `authority` (PEM) has signed.
pub(crate) fn kubeconfig(
    url: &str,
    authority: &str,
    identity: &Identity,
    acting_as: Option<&Impersonated<'_>>,
) -> Value {
    let mut user = json!({
        "client-certificate-data": identity.certificate_base64(),
        "client-key-data": identity.key_base64(),
    });
    if let Some(Impersonated { user: name, groups }) = acting_as {
        user["as"] = json!(name);
        user["as-groups"] = json!(groups);
    }
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "asa-cluster",
            "cluster": {"server": url, "certificate-authority-data": BASE64.encode(authority)},
        }],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "asa-cluster", "context": {"cluster": "asa-cluster", "user": "user"}}],
        "current-context": "asa-cluster",
    })
}

/// Writes a file that only its owner can read, as tools demand of a kubeconfig.
pub(crate) fn write_private(path: &Path, contents: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(contents.as_bytes())
}
