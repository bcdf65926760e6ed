//! The private key: read in every form that users have, checked, and never shown again.

mod armour;
mod der;
mod error;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fmt::Write as _;

use p256::SecretKey;
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::{self, EncodePrivateKey as _, EncodePublicKey as _, LineEnding, SecretDocument};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

pub use error::{KeyError, KeyKind};

/// A P-256 PEM has under 300 bytes, base64 of it 400; beyond this nothing is parsed.
const MOST_BYTES: usize = 4 * 1024;

/// The key that Apple prints in "Implementing OAuth for the Apple Ads Platform API" (and before in the same article for
/// the Campaign Management API), section "Generate a Private Key". Anybody can sign with it.
const SAMPLE: &str = "SHA256:d24f6c31a5945db1afe92e2d52b2bc69f6fc405b65ad0b7eb5ef706340399cae";

/// An EC P-256 private key with which Apple's client secrets are signed.
///
/// It has no `Display`, no `Serialize` and no way to get the private half out of this crate's `apple` module; the scalar
/// is wiped when the value is dropped.
pub struct PrivateKey {
    secret: SecretKey,
    public_key_pem: String,
    fingerprint: String,
}

/// No key could be made: the system gives no randomness.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the system gives no randomness")]
pub struct NoRandomness;

impl PrivateKey {
    /// Reads the private key in `input`: SEC1 or PKCS#8, as PEM (also with `EC PARAMETERS` before it, CRLF, a byte order
    /// mark, indentation, literal `\n`, blanks for line ends, the other format's label) or as base64 of the DER or of such
    /// PEM, in one line or wrapped.
    ///
    /// # Errors
    ///
    /// [`KeyError`] names what was found and what to run; it never contains a byte of `input`.
    pub fn parse(input: &[u8]) -> Result<Self, KeyError> {
        if input.len() > MOST_BYTES {
            return Err(KeyError::TooLarge);
        }
        let secret = der::secret_key(&armour::der(input)?)?;
        let public = secret.public_key();
        // Writing out a key that was just read cannot fail; if it does, the key is the one at fault.
        let spki = public.to_public_key_der().map_err(|_| KeyError::Damaged)?;
        let public_key_pem = public.to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::Damaged)?;
        let fingerprint = fingerprint(spki.as_bytes());
        if fingerprint == SAMPLE {
            return Err(KeyError::SampleKey);
        }
        Ok(Self { secret, public_key_pem, fingerprint })
    }

    /// Makes a key pair with the system's randomness, and gives it as the PKCS#8 PEM that [`PrivateKey::parse`] reads.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`] where the system gives none.
    pub fn generate() -> Result<Zeroizing<String>, NoRandomness> {
        let secret = SecretKey::try_generate().map_err(|_| NoRandomness)?;
        secret.to_pkcs8_pem(LineEnding::LF).map_err(|_| NoRandomness)
    }

    /// The public half as SPKI PEM, ready to be pasted into Apple's page; ends with a line end.
    pub fn public_key_pem(&self) -> String {
        self.public_key_pem.clone()
    }

    /// `SHA256:` and the lowercase hex of SHA-256 over the SPKI DER, as
    /// `openssl ec -in KEY -pubout -outform DER | sha256sum` shows it.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    /// PKCS#8 with the public part, in a buffer that is wiped: what the signer takes.
    pub(super) fn to_pkcs8(&self) -> Result<SecretDocument, pkcs8::Error> {
        self.secret.to_pkcs8_der()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

fn fingerprint(spki: &[u8]) -> String {
    Sha256::digest(spki).iter().fold(String::from("SHA256:"), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
