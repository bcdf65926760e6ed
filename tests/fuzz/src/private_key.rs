//! What stands in the private key's Secret: read, or refused without showing it.

use std::fmt::Write as _;
use std::time::Duration;

use asa_operator::apple::ads::{Client, sign};
use asa_operator::apple::private_key::{KeyError, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use p256::PublicKey;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use sha2::{Digest as _, Sha256};

use crate::Target;
use crate::shown::{LONGEST_MESSAGE, insist_on_no_key, insist_on_one_line};

pub(crate) const TARGET: Target = Target { name: "private_key", run, reaches: &["read", "refused"] };

fn run(data: &[u8]) -> &'static str {
    match PrivateKey::parse(data) {
        Ok(key) => {
            insist_on_p256(&key);
            insist_on_no_key(&format!("{key:?}"), data);
            "read"
        }
        Err(error) => {
            insist_on_discretion(error, data);
            "refused"
        }
    }
}

/// The public half is of P-256, the fingerprint is the public half's, and what the private half signs, the public one
/// verifies: signing takes the key as it is written out again.
fn insist_on_p256(key: &PrivateKey) {
    let public = PublicKey::from_public_key_pem(&key.public_key_pem()).expect("a public half of P-256");
    let spki = public.to_public_key_der().expect("the same as DER");
    assert_eq!(key.fingerprint(), fingerprint(spki.as_bytes()));

    let client = Client { client_id: "c".into(), team_id: "t".into(), key_id: "k".into() };
    let secret = sign(key, &client, Timestamp::UNIX_EPOCH, Duration::from_hours(1)).expect("a key that was read signs");
    let (signed, signature) = secret.expose().rsplit_once('.').expect("three parts");
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).expect("base64")).expect("a signature");
    VerifyingKey::from(public).verify(signed.as_bytes(), &signature).expect("the public half verifies");
}

fn insist_on_discretion(error: KeyError, data: &[u8]) {
    let message = error.to_string();
    insist_on_one_line(&message, LONGEST_MESSAGE);
    insist_on_no_key(&format!("{message} {error:?}"), data);
}

fn fingerprint(spki: &[u8]) -> String {
    Sha256::digest(spki).iter().fold("SHA256:".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}
