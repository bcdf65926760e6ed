//! Keys as tools write them and as people copy them.

use asa_operator::apple::private_key::PrivateKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::forms::{body, relabelled, text, transformed};
use crate::support::openssl::{certificate, fingerprint, openssl, pkcs8, public, sec1};

#[test]
fn every_form_in_the_wild_is_read() {
    let key = sec1("prime256v1");
    let modern = pkcs8(&key);
    let sec1_text = text(&key);
    let no_public = openssl(&["ec", "-no_public"], &key);
    let with_parameters = openssl(&["ecparam", "-genkey", "-name", "prime256v1"], b"");
    let compressed = openssl(&["ec", "-conv_form", "compressed"], &key);
    let certificate = certificate(&key);
    let forms = [
        ("SEC1", &key, sec1_text.clone()),
        ("SEC1 after EC PARAMETERS", &with_parameters, text(&with_parameters)),
        ("SEC1 without the public half", &key, text(&no_public)),
        ("SEC1 with a compressed public half", &key, text(&compressed)),
        ("SEC1 under the PKCS#8 label", &key, relabelled(&sec1_text, "EC PRIVATE KEY", "PRIVATE KEY")),
        ("PKCS#8", &key, text(&modern)),
        ("PKCS#8 without the public half", &key, text(&pkcs8(&no_public))),
        ("PKCS#8 under the EC label", &key, relabelled(&text(&modern), "PRIVATE KEY", "EC PRIVATE KEY")),
        ("SEC1 beside its certificate", &key, format!("{}{sec1_text}", text(&certificate))),
        ("SEC1 beside its public half", &key, format!("{sec1_text}{}", public(&key))),
    ];
    let mut read = 0;
    for (form, original, pem) in &forms {
        let (expected, public) = (format!("SHA256:{}", fingerprint(original)), public(original));
        for (change, input) in transformed(pem) {
            let key = PrivateKey::parse(input.as_bytes()).unwrap_or_else(|error| panic!("{form}, {change}: {error}"));
            assert_eq!(key.fingerprint(), expected, "{form}, {change}");
            assert_eq!(key.public_key_pem(), public, "{form}, {change}");
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
