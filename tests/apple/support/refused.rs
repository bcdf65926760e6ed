//! What is refused as a key, and the words for each.

use asa_operator::apple::private_key::{KeyError, KeyKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::forms::{body, text};
use super::openssl::{certificate, openssh, openssl, pkcs8, public, request, sec1};

/// Something that is no key for Apple Ads.
#[derive(Clone)]
pub(crate) struct Refused {
    pub(crate) name: &'static str,
    pub(crate) input: Vec<u8>,
    pub(crate) error: KeyError,
}

/// Published in "Implementing OAuth for the Apple Ads Platform API", section "Generate a Private Key":
/// <https://developer.apple.com/documentation/apple-ads-platform-api/implementing-oauth-for-the-apple-ads-platform-api>.
pub(crate) const SAMPLE: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIKtnxllRY8nbndBQwT9we4pEULtjpW605iwvzLlKcBq4oAoGCCqGSM49
AwEHoUQDQgAEY58v74eQFyLtu5rtCpeU4NggVSUQSOcHhN744t0gWGc/xXkCSusz
LaZriCQnnqq4Vx+IscLFcrjBj+ulZzKlUQ==
-----END EC PRIVATE KEY-----
";

/// All of it.
pub(crate) fn refused() -> Vec<Refused> {
    let sample = Refused { name: "Apple's sample", input: SAMPLE.into(), error: KeyError::SampleKey };
    [other_algorithms(), no_text(), no_private_keys(), broken(), no_scalars(), vec![sample]].concat()
}

/// Sound keys, as `openssl` writes them, of kinds that Apple does not take.
pub(crate) fn other_algorithms() -> Vec<Refused> {
    let genpkey = |algorithm: &str| openssl(&["genpkey", "-algorithm", algorithm], b"");
    let rsa = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], b"");
    let pss = openssl(&["genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"], b"");
    let explicit = ["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-param_enc", "explicit"];
    let table = [
        ("RSA, PKCS#1", openssl(&["rsa", "-traditional"], &rsa), KeyKind::Rsa),
        ("RSA", rsa, KeyKind::Rsa),
        ("RSA-PSS", pss, KeyKind::Rsa),
        ("P-192", sec1("prime192v1"), KeyKind::P192),
        ("P-224", sec1("secp224r1"), KeyKind::P224),
        ("P-384", sec1("secp384r1"), KeyKind::P384),
        ("P-521", sec1("secp521r1"), KeyKind::P521),
        ("secp256k1", sec1("secp256k1"), KeyKind::Secp256k1),
        ("Brainpool", sec1("brainpoolP256r1"), KeyKind::OtherCurve),
        ("P-256 spelt out", openssl(&explicit, b""), KeyKind::ExplicitCurve),
        ("Ed25519", genpkey("ED25519"), KeyKind::Ed25519),
        ("Ed448", genpkey("ED448"), KeyKind::Ed448),
        ("X25519", genpkey("X25519"), KeyKind::KeyAgreement),
        ("X448", genpkey("X448"), KeyKind::KeyAgreement),
    ];
    table.map(|(name, input, kind)| Refused { name, input, error: KeyError::Unsupported(kind) }).into()
}

fn no_text() -> Vec<Refused> {
    let key = sec1("prime256v1");
    rows(vec![
        ("nothing", vec![], KeyError::Empty),
        ("blanks", b" \r\n\t\n".to_vec(), KeyError::Empty),
        ("a byte order mark", "\u{feff}".into(), KeyError::Empty),
        ("4 KiB and a byte", vec![b' '; 4097], KeyError::TooLarge),
        ("DER", openssl(&["ec", "-outform", "DER"], &key), KeyError::NotText),
        ("UTF-16", utf16(&text(&key)), KeyError::NotText),
        ("prose", "my private key".into(), KeyError::NotAKey),
        ("a path", "/etc/keys/private-key.pem".into(), KeyError::NotAKey),
        ("a token", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln".into(), KeyError::NotAKey),
        ("base64 of prose", STANDARD.encode("no key at all").into(), KeyError::NotAKey),
        ("another label", block("DH PARAMETERS").into(), KeyError::NotAKey),
    ])
}

fn no_private_keys() -> Vec<Refused> {
    let key = sec1("prime256v1");
    let one_line = |pem: &[u8]| body(&text(pem)).into_bytes();
    let encrypted = openssl(&["pkcs8", "-topk8", "-passout", "pass:x"], &key);
    let old_encrypted = openssl(&["ec", "-aes128", "-passout", "pass:x"], &key);
    let parameters = openssl(&["ecparam", "-name", "prime256v1"], b"");
    let certificate = certificate(&key);
    let public = public(&key).into_bytes();
    let ssh = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHA= me";
    rows(vec![
        ("encrypted SEC1", old_encrypted, KeyError::Encrypted),
        ("encrypted PKCS#8, one line", one_line(&encrypted), KeyError::Encrypted),
        ("encrypted PKCS#8", encrypted, KeyError::Encrypted),
        ("OpenSSH", openssh(), KeyError::Unsupported(KeyKind::OpenSsh)),
        ("PGP", block("PGP PRIVATE KEY BLOCK").into(), KeyError::Unsupported(KeyKind::Pgp)),
        ("a public key, one line", one_line(&public), KeyError::PublicKey),
        ("a public key", public, KeyError::PublicKey),
        ("a public key of OpenSSH", ssh.into(), KeyError::PublicKey),
        ("a certificate, one line", one_line(&certificate), KeyError::Certificate),
        ("a certificate", certificate, KeyError::Certificate),
        ("a request", request(&key), KeyError::Certificate),
        ("parameters, one line", one_line(&parameters), KeyError::NotAKey),
        ("parameters", parameters, KeyError::ParametersOnly),
    ])
}

fn broken() -> Vec<Refused> {
    let pem = text(&sec1("prime256v1"));
    let without = |line: &str| pem.lines().filter(|other| *other != line).collect::<Vec<_>>().join("\n");
    let lines: Vec<&str> = pem.lines().collect();
    let only_labels = format!("{}\n{}\n", lines[0], lines[4]);
    let modern = text(&pkcs8(pem.as_bytes()));
    let other = text(&sec1("prime256v1"));
    rows(vec![
        ("no last line", without(lines[4]).into(), KeyError::CutOff),
        ("no first line", without(lines[0]).into(), KeyError::CutOff),
        ("only the first line", lines[0].into(), KeyError::CutOff),
        ("nothing between", only_labels.into(), KeyError::CutOff),
        ("a line missing", without(lines[2]).into(), KeyError::CutOff),
        ("PKCS#8, cut in the middle", modern[..modern.len() / 2].into(), KeyError::CutOff),
        ("no base64", pem.replace('M', "!").into(), KeyError::Damaged),
        ("two keys", format!("{pem}{other}").into(), KeyError::Several),
        ("the same key twice", format!("{pem}{pem}").into(), KeyError::Several),
    ])
}

/// Base64 of SEC1, in which the scalar stands after seven bytes: a sequence, the version, an octet string of 32.
fn no_scalars() -> Vec<Refused> {
    let der = openssl(&["ec", "-outform", "DER"], &sec1("prime256v1"));
    let with = |scalar: &[u8]| {
        let mut altered = der.clone();
        altered[7..39].copy_from_slice(scalar);
        STANDARD.encode(altered).into_bytes()
    };
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let mut beyond = order.clone();
    beyond[31] += 1;
    let mut near = der[7..39].to_vec();
    near[31] ^= 1;
    rows(vec![
        ("the scalar zero", with(&[0; 32]), KeyError::NotAScalar),
        ("the order as scalar", with(&order), KeyError::NotAScalar),
        ("a scalar beyond the order", with(&beyond), KeyError::NotAScalar),
        ("the largest scalar", with(&[0xff; 32]), KeyError::NotAScalar),
        ("another public half", with(&near), KeyError::PublicHalfDiffers),
    ])
}

fn rows(table: Vec<(&'static str, Vec<u8>, KeyError)>) -> Vec<Refused> {
    table.into_iter().map(|(name, input, error)| Refused { name, input, error }).collect()
}

/// A PEM block of any label, with little in it.
fn block(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
}

fn utf16(text: &str) -> Vec<u8> {
    [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// What makes a key.
const MAKE: &str = "openssl ecparam -genkey -name prime256v1 -noout -out private-key.pem";
/// What takes a file to the cluster unchanged.
const COPY: &str = "kubectl create secret generic NAME --from-file=private-key.pem";

/// What a user is told: what was found, and what to run or do.
pub(crate) fn words(error: KeyError) -> (&'static str, &'static str) {
    match error {
        KeyError::Empty => ("The key is empty.", MAKE),
        KeyError::TooLarge => ("larger than 4 KiB", "Give only the private key, as openssl ecparam -genkey wrote it"),
        KeyError::NotText => ("binary or UTF-16", "openssl pkey -inform DER -in KEY -out private-key.pem"),
        KeyError::NotAKey => ("neither PEM nor base64 of a key", COPY),
        KeyError::CutOff => ("The key is cut off", COPY),
        KeyError::Damaged => ("The key is damaged", COPY),
        KeyError::NotAScalar => ("private number is zero or outside of P-256's range", MAKE),
        KeyError::PublicHalfDiffers => ("public half does not belong to its private half", MAKE),
        KeyError::Several => ("several private keys in one entry", "Leave only the one whose public half was uploaded"),
        KeyError::Encrypted => ("The key is encrypted", "openssl pkey -in KEY -out private-key.pem"),
        KeyError::Unsupported(kind) => (found(kind), MAKE),
        KeyError::PublicKey => ("This is a public key", "as openssl ecparam -genkey wrote it"),
        KeyError::Certificate => ("This is a certificate or a request for one", MAKE),
        KeyError::ParametersOnly => ("curve parameters without a key", MAKE),
        KeyError::SampleKey => ("the sample key from Apple's documentation; everybody has it", MAKE),
    }
}

fn found(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa => "This is an RSA key;",
        KeyKind::Dsa => "This is a DSA key;",
        KeyKind::P192 => "This is an EC P-192 key;",
        KeyKind::P224 => "This is an EC P-224 key;",
        KeyKind::P384 => "This is an EC P-384 key;",
        KeyKind::P521 => "This is an EC P-521 key;",
        KeyKind::Secp256k1 => "This is an EC secp256k1 key;",
        KeyKind::OtherCurve => "This is a key on another elliptic curve;",
        KeyKind::ExplicitCurve => "This is an EC key with explicit parameters;",
        KeyKind::Ed25519 => "This is an Ed25519 key;",
        KeyKind::Ed448 => "This is an Ed448 key;",
        KeyKind::KeyAgreement => "This is an X25519 or X448 key;",
        KeyKind::OpenSsh => "This is a key in OpenSSH's format;",
        KeyKind::Pgp => "This is a PGP key;",
        KeyKind::Other => "This is a key of another algorithm;",
    }
}
