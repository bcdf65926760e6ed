//! The resource that everything here is about, of either kind.

use asa_operator::api::{
    ApiKeySource, AppStoreConnectCredential, AppStoreConnectCredentialSpec, AsaCredential, AsaCredentialSpec,
    Credential, GenerateKey, KeyType, PrivateKeySource, Program, SecretKeyRef, Verify,
};

/// Its UID.
pub(crate) const UID: &str = "uid-of-acme";

/// `acme` as a client of Apple Ads, with no field that could be left out.
pub(crate) fn acme() -> Credential {
    let spec = AsaCredentialSpec {
        client_id: Some("SEARCHADS.c".into()),
        team_id: Some("SEARCHADS.t".into()),
        key_id: Some("k".into()),
        private_key: PrivateKeySource { secret_ref: key_ref(), generate: GenerateKey::Never },
        apis: None,
        organization: None,
        ad_account: None,
        client_secret: None,
        access_token: None,
        secret: None,
        suspend: false,
    };
    created(AsaCredential::new("acme", spec).into())
}

/// `acme` as an API key of App Store Connect, likewise.
pub(crate) fn acme_api_key() -> Credential {
    let spec = AppStoreConnectCredentialSpec {
        program: Program::AppStore,
        key_type: KeyType::Team,
        key_id: "2X9R4HXF34".into(),
        issuer_id: Some("57246542-96fe-1a63-e053-0824d011072a".into()),
        private_key: ApiKeySource { secret_ref: key_ref() },
        token: None,
        verify: Verify::Probe,
        secret: None,
        suspend: false,
    };
    created(AppStoreConnectCredential::new("acme", spec).into())
}

fn key_ref() -> SecretKeyRef {
    SecretKeyRef { name: "key".into(), key: "private-key.pem".into() }
}

fn created(mut object: Credential) -> Credential {
    let metadata = object.metadata_mut();
    metadata.namespace = Some("marketing".into());
    metadata.uid = Some(UID.into());
    metadata.generation = Some(1);
    object
}
