//! The resource that everything here is about.

use asa_operator::api::{AsaCredential, AsaCredentialSpec, GenerateKey, PrivateKeySource, SecretKeyRef};

/// Its UID.
pub(crate) const UID: &str = "uid-of-acme";

/// `acme`, with no field that could be left out.
pub(crate) fn acme() -> AsaCredential {
    let spec = AsaCredentialSpec {
        client_id: Some("SEARCHADS.c".into()),
        team_id: Some("SEARCHADS.t".into()),
        key_id: Some("k".into()),
        private_key: PrivateKeySource {
            secret_ref: SecretKeyRef { name: "key".into(), key: "private-key.pem".into() },
            generate: GenerateKey::Never,
        },
        apis: None,
        organization: None,
        ad_account: None,
        client_secret: None,
        access_token: None,
        secret: None,
        suspend: false,
    };
    let mut object = AsaCredential::new("acme", spec);
    object.metadata.namespace = Some("marketing".into());
    object.metadata.uid = Some(UID.into());
    object.metadata.generation = Some(1);
    object
}
