//! What is refused as a key, each by its name.

use asa_operator::apple::private_key::{KeyError, KeyKind, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::forms::{body, text, transformed};
use crate::support::openssl::{certificate, openssh, openssl, pkcs8, public, request, sec1};

fn refusal(input: &[u8]) -> KeyError {
    PrivateKey::parse(input).map(|key| key.fingerprint()).unwrap_err()
}

#[test]
fn other_algorithms_are_refused_by_name() {
    let genpkey = |algorithm: &str| openssl(&["genpkey", "-algorithm", algorithm], b"");
    let rsa = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], b"");
    let explicit = ["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-param_enc", "explicit"];
    let table = [
        (rsa.clone(), KeyKind::Rsa, "an RSA key"),
        (openssl(&["rsa", "-traditional"], &rsa), KeyKind::Rsa, "an RSA key"),
        (openssl(&["genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"], b""), KeyKind::Rsa, "RSA"),
        (sec1("prime192v1"), KeyKind::P192, "an EC P-192 key"),
        (sec1("secp224r1"), KeyKind::P224, "an EC P-224 key"),
        (sec1("secp384r1"), KeyKind::P384, "an EC P-384 key"),
        (sec1("secp521r1"), KeyKind::P521, "an EC P-521 key"),
        (sec1("secp256k1"), KeyKind::Secp256k1, "an EC secp256k1 key"),
        (sec1("brainpoolP256r1"), KeyKind::OtherCurve, "another elliptic curve"),
        (openssl(&explicit, b""), KeyKind::ExplicitCurve, "explicit parameters"),
        (genpkey("ED25519"), KeyKind::Ed25519, "an Ed25519 key"),
        (genpkey("ED448"), KeyKind::Ed448, "an Ed448 key"),
        (genpkey("X25519"), KeyKind::KeyAgreement, "an X25519 or X448 key"),
        (genpkey("X448"), KeyKind::KeyAgreement, "an X25519 or X448 key"),
    ];
    for (key, kind, name) in &table {
        for (form, pem) in [("as it is", text(key)), ("PKCS#8", text(&pkcs8(key)))] {
            // Also without the label that would tell.
            let one_line = body(&pem);
            let relabelled = pem.replace(" RSA PRIVATE KEY-----", " PRIVATE KEY-----");
            for input in [&pem, &one_line, &relabelled] {
                let error = refusal(input.as_bytes());
                assert_eq!(error, KeyError::Unsupported(*kind), "{name}, {form}");
                assert!(error.to_string().contains(name), "{error}");
            }
        }
    }
}

#[test]
fn what_is_empty_large_or_no_text_is_refused() {
    let key = sec1("prime256v1");
    let der = openssl(&["ec", "-outform", "DER"], &key);
    insist(vec![
        ("nothing", vec![], KeyError::Empty),
        ("blanks", b" \r\n\t\n".to_vec(), KeyError::Empty),
        ("a byte order mark", "\u{feff}".into(), KeyError::Empty),
        ("4 KiB and a byte", vec![b' '; 4097], KeyError::TooLarge),
        ("DER", der, KeyError::NotText),
        ("UTF-16", utf16(&text(&key)), KeyError::NotText),
        ("prose", "my private key".into(), KeyError::NotAKey),
        ("a path", "/etc/keys/private-key.pem".into(), KeyError::NotAKey),
        ("a token", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln".into(), KeyError::NotAKey),
        ("base64 of prose", STANDARD.encode("no key at all").into(), KeyError::NotAKey),
        ("another label", block("DH PARAMETERS").into(), KeyError::NotAKey),
    ]);
}

#[test]
fn what_is_sound_and_no_private_key_is_refused_by_name() {
    let key = sec1("prime256v1");
    let one_line = |pem: &[u8]| body(&text(pem)).into_bytes();
    let encrypted = openssl(&["pkcs8", "-topk8", "-passout", "pass:x"], &key);
    let old_encrypted = openssl(&["ec", "-aes128", "-passout", "pass:x"], &key);
    let parameters = openssl(&["ecparam", "-name", "prime256v1"], b"");
    let certificate = certificate(&key);
    let public = public(&key).into_bytes();
    let ssh = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHA= me";
    let pgp = block("PGP PRIVATE KEY BLOCK");
    insist(vec![
        ("encrypted SEC1", old_encrypted, KeyError::Encrypted),
        ("encrypted PKCS#8, one line", one_line(&encrypted), KeyError::Encrypted),
        ("encrypted PKCS#8", encrypted, KeyError::Encrypted),
        ("OpenSSH", openssh(), KeyError::Unsupported(KeyKind::OpenSsh)),
        ("PGP", pgp.into(), KeyError::Unsupported(KeyKind::Pgp)),
        ("a public key, one line", one_line(&public), KeyError::PublicKey),
        ("a public key", public, KeyError::PublicKey),
        ("a public key of OpenSSH", ssh.into(), KeyError::PublicKey),
        ("a certificate, one line", one_line(&certificate), KeyError::Certificate),
        ("a certificate", certificate, KeyError::Certificate),
        ("a request", request(&key), KeyError::Certificate),
        ("parameters, one line", one_line(&parameters), KeyError::NotAKey),
        ("parameters", parameters, KeyError::ParametersOnly),
    ]);
}

#[test]
fn what_is_cut_damaged_or_double_is_refused() {
    let pem = text(&sec1("prime256v1"));
    let without = |line: &str| pem.lines().filter(|other| *other != line).collect::<Vec<_>>().join("\n");
    let lines: Vec<&str> = pem.lines().collect();
    let only_labels = format!("{}\n{}\n", lines[0], lines[4]);
    let other = text(&sec1("prime256v1"));
    insist(vec![
        ("no last line", without(lines[4]).into(), KeyError::CutOff),
        ("no first line", without(lines[0]).into(), KeyError::CutOff),
        ("only the first line", lines[0].into(), KeyError::CutOff),
        ("nothing between", only_labels.into(), KeyError::CutOff),
        ("a line missing", without(lines[2]).into(), KeyError::CutOff),
        ("no base64", pem.replace('M', "!").into(), KeyError::Damaged),
        ("two keys", format!("{pem}{other}").into(), KeyError::Several),
        ("the same key twice", format!("{pem}{pem}").into(), KeyError::Several),
    ]);
}

fn insist(table: Vec<(&str, Vec<u8>, KeyError)>) {
    for (name, input, expected) in table {
        assert_eq!(refusal(&input), expected, "{name}");
    }
}

/// A PEM block of any label, with little in it.
fn block(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
}

fn utf16(text: &str) -> Vec<u8> {
    [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
}

/// The scalar in SEC1 stands after seven bytes: a sequence, the version, an octet string of 32.
#[test]
fn numbers_that_are_no_key_are_refused() {
    let der = openssl(&["ec", "-outform", "DER"], &sec1("prime256v1"));
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let mut table = vec![("zero", vec![0; 32]), ("the order", order.clone()), ("the largest", vec![0xff; 32])];
    let mut beyond = order;
    beyond[31] += 1;
    table.push(("beyond the order", beyond));
    for (name, scalar) in table {
        let mut altered = der.clone();
        altered[7..39].copy_from_slice(&scalar);
        assert_eq!(refusal(STANDARD.encode(altered).as_bytes()), KeyError::NotAScalar, "{name}");
    }
    let mut altered = der.clone();
    altered[38] ^= 1;
    assert_eq!(refusal(STANDARD.encode(altered).as_bytes()), KeyError::PublicHalfDiffers);
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Published in "Implementing OAuth for the Apple Ads Platform API", section "Generate a Private Key":
/// <https://developer.apple.com/documentation/apple-ads-platform-api/implementing-oauth-for-the-apple-ads-platform-api>.
const SAMPLE: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIKtnxllRY8nbndBQwT9we4pEULtjpW605iwvzLlKcBq4oAoGCCqGSM49
AwEHoUQDQgAEY58v74eQFyLtu5rtCpeU4NggVSUQSOcHhN744t0gWGc/xXkCSusz
LaZriCQnnqq4Vx+IscLFcrjBj+ulZzKlUQ==
-----END EC PRIVATE KEY-----
";

#[test]
fn apples_sample_key_is_refused_in_every_form() {
    let modern = text(&pkcs8(SAMPLE.as_bytes()));
    for pem in [SAMPLE, &modern] {
        for (change, input) in transformed(pem) {
            assert_eq!(refusal(input.as_bytes()), KeyError::SampleKey, "{change}");
        }
    }
}
