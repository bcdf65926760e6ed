//! Keys and certificates of one control plane: ECDSA P-256, made in a few milliseconds, never used elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};

/// Names by which clients reach the API server: this host, the first address and the name of its Service, and where a node is.
const SERVER_NAMES: [&str; 5] = ["127.0.0.1", "localhost", "10.96.0.1", "kubernetes.default.svc", "10.244.0.1"];

/// The authority that both sides of every connection trust.
pub(crate) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, both PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Identity {
    /// The certificate as kubeconfigs carry it.
    pub(crate) fn certificate_base64(&self) -> String {
        BASE64.encode(&self.certificate)
    }

    /// The key as kubeconfigs carry it.
    pub(crate) fn key_base64(&self) -> String {
        BASE64.encode(&self.key)
    }
}

impl Authority {
    pub(crate) fn new() -> Result<Authority, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "asa-cluster");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = new_key()?;
        let certificate = params.self_signed(&key)?;
        Ok(Authority { certificate, issuer: Issuer::new(params, key) })
    }

    /// The authority's certificate, PEM.
    pub(crate) fn certificate(&self) -> String {
        self.certificate.pem()
    }

    /// The authority's certificate, DER.
    pub(crate) fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// What the API server shows its clients.
    pub(crate) fn server(&self) -> Result<Identity, rcgen::Error> {
        let mut params = CertificateParams::new(SERVER_NAMES.map(String::from))?;
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params)
    }

    /// What a client shows the API server, which takes the common name for the user and the organization for a group.
    pub(crate) fn client(&self, user: &str, group: Option<&str>) -> Result<Identity, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    fn issue(&self, mut params: CertificateParams) -> Result<Identity, rcgen::Error> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = new_key()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// A new P-256 key.
pub(crate) fn new_key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
}
