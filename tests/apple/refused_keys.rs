//! What is refused as a key, each by its name.

use asa_operator::apple::private_key::{KeyError, PrivateKey};

use crate::support::forms::{body, text, transformed};
use crate::support::openssl::pkcs8;
use crate::support::refused::{Refused, SAMPLE, other_algorithms, refused, words};

fn refusal(input: &[u8]) -> KeyError {
    PrivateKey::parse(input).map(|key| key.fingerprint()).unwrap_err()
}

#[test]
fn each_refusal_names_what_was_found_and_what_to_run() {
    for Refused { name, input, error } in refused() {
        let refusal = refusal(&input);
        assert_eq!(refusal, error, "{name}");
        let (found, remedy) = words(error);
        let told = refusal.to_string();
        assert!(told.contains(found) && told.contains(remedy), "{name}: {told}");
    }
}

#[test]
fn other_algorithms_are_known_without_the_label_that_tells_them() {
    for Refused { name, input, error } in other_algorithms() {
        for (form, pem) in [("as it is", text(&input)), ("PKCS#8", text(&pkcs8(&input)))] {
            let one_line = body(&pem);
            let relabelled = pem.replace(" RSA PRIVATE KEY-----", " PRIVATE KEY-----");
            for input in [pem, one_line, relabelled] {
                assert_eq!(refusal(input.as_bytes()), error, "{name}, {form}");
            }
        }
    }
}

#[test]
fn apples_sample_key_is_refused_in_every_form() {
    let modern = text(&pkcs8(SAMPLE.as_bytes()));
    for pem in [SAMPLE, &modern] {
        for (change, input) in transformed(pem) {
            assert_eq!(refusal(input.as_bytes()), KeyError::SampleKey, "{change}");
        }
    }
}
