use p256::SecretKey;
use p256::pkcs8::{EncodePrivateKey as _, LineEnding};

use super::{KeyError, KeyKind, PrivateKey};

fn key() -> SecretKey {
    SecretKey::from_slice(&[7; 32]).unwrap()
}

/// Every refusal that there is; a new one does not compile until it stands here.
fn every_refusal() -> Vec<KeyError> {
    let kinds = {
        use KeyKind::*;
        [
            Rsa,
            Dsa,
            P192,
            P224,
            P384,
            P521,
            Secp256k1,
            OtherCurve,
            ExplicitCurve,
            Ed25519,
            Ed448,
            KeyAgreement,
            OpenSsh,
            Pgp,
            Other,
        ]
    };
    let mut all = vec![
        KeyError::Empty,
        KeyError::TooLarge,
        KeyError::NotText,
        KeyError::NotAKey,
        KeyError::CutOff,
        KeyError::Damaged,
        KeyError::NotAScalar,
        KeyError::PublicHalfDiffers,
        KeyError::Several,
        KeyError::Encrypted,
        KeyError::PublicKey,
        KeyError::Certificate,
        KeyError::ParametersOnly,
        KeyError::SampleKey,
    ];
    all.extend(kinds.map(KeyError::Unsupported));
    all
}

#[test]
fn every_refusal_fits_a_condition_and_names_a_cure() {
    for error in every_refusal() {
        let text = error.to_string();
        assert!(text.len() <= 200, "{} bytes: {text}", text.len());
        let cures = ["openssl", "kubectl create secret", "Leave only"];
        assert!(cures.iter().any(|cure| text.contains(cure)), "no cure: {text}");
        assert!(!text.ends_with('.'), "{text}");
    }
}

#[test]
fn a_key_does_not_show_itself() {
    let pem = key().to_sec1_pem(LineEnding::LF).unwrap();
    let key = PrivateKey::parse(pem.as_bytes()).unwrap();
    let shown = format!("{key:?} {key:#?}");
    assert!(shown.contains("SHA256:"));
    for secret in ["0707", "7, 7", "\\x07", pem.lines().nth(1).unwrap()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// Numbers without a pattern that matters, the same at each run (Knuth, MMIX).
fn numbers() -> impl FnMut(usize) -> usize {
    let mut state = 1_u64;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let sec1 = key().to_sec1_pem(LineEnding::LF).unwrap();
    let pkcs8 = key().to_pkcs8_pem(LineEnding::CRLF).unwrap();
    let der = key().to_pkcs8_der().unwrap();
    let seeds = [sec1.as_bytes(), pkcs8.as_bytes(), der.as_bytes()];
    let mut next = numbers();
    for round in 0..3_000 {
        let mut bytes = seeds[round % seeds.len()].to_vec();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            match next(4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = u8::try_from(next(256)).unwrap(),
                2 => bytes.insert(at, b'-'),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                break;
            }
        }
        // Armoured or not, the mutation has to reach the DER reader too.
        let _ = PrivateKey::parse(&bytes);
        let _ = super::der::secret_key(&bytes);
    }
}

#[test]
fn der_that_was_altered_is_never_another_key() {
    let der = key().to_pkcs8_der().unwrap();
    let original = key();
    for at in 0..der.as_bytes().len() {
        for bit in 0..8 {
            let mut bytes = der.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            if let Ok(read) = super::der::secret_key(&bytes) {
                assert_eq!(read, original, "bit {bit} of byte {at}");
            }
        }
    }
}
