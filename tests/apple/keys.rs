//! Keys as tools write them and as people copy them.

use asa_operator::apple::private_key::PrivateKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::accepted::{Written, written};
use crate::support::forms::{body, text, transformed};
use crate::support::openssl::{fingerprint, pkcs8, public, sec1};

#[test]
fn every_form_in_the_wild_is_read() {
    let mut read = 0;
    for Written { name, original, pem } in written() {
        let (expected, public) = (format!("SHA256:{}", fingerprint(&original)), public(&original));
        for (change, input) in transformed(&pem) {
            let key = PrivateKey::parse(input.as_bytes()).unwrap_or_else(|error| panic!("{name}, {change}: {error}"));
            assert_eq!(key.fingerprint(), expected, "{name}, {change}");
            assert_eq!(key.public_key_pem(), public, "{name}, {change}");
            read += 1;
        }
    }
    assert!(read > 200, "{read}");
}

#[test]
fn a_key_that_is_cut_anywhere_is_never_read_as_another() {
    let key = sec1("prime256v1");
    let fingerprint = format!("SHA256:{}", fingerprint(&key));
    for pem in [text(&key), text(&pkcs8(&key))] {
        for form in [pem.clone(), body(&pem), STANDARD.encode(&pem)] {
            for length in 0..form.len() {
                if let Ok(read) = PrivateKey::parse(&form.as_bytes()[..length]) {
                    // What is cut off then is a part of the last line, or padding.
                    assert_eq!(read.fingerprint(), fingerprint, "{length} of {}", form.len());
                    assert!(form.len() - length < 40, "{length} of {}", form.len());
                }
            }
        }
    }
}
