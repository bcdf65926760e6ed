//! What must not be told, in every form in which it could be told, and the search for it.
//!
//! Every form is cut into windows of twelve characters; one of them anywhere is a hit. So that no window is met by chance,
//! only what depends on the secret part of a value is cut:
//!
//! - **A P-256 key** is its scalar, 32 bytes. Around it stand the same bytes in every key, and the public half, which the
//!   status shows. In PEM the scalar is the base64 characters that carry bits of it.
//! - **A client secret** is a JWT, and so is **a token of an API key**. Its header is the same for every key of a keyId.
//!   Claims and signature count: the claims are ids and times that the status shows too, but never in base64url, so whoever
//!   tells them so tells a JWT, and was only stopped from telling the signature by the length of a line.
//! - **An access token** is a JWE. Its header is the same in all of Apple's tokens; everything behind it counts.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::ops::Range;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use p256::SecretKey;
use p256::pkcs8::DecodePrivateKey as _;

/// So many characters in a row are as bad as the whole.
pub(crate) const WINDOW: usize = 12;

/// Twelve characters of `{:?}` of bytes, "12, 34, 56, ", are three bytes, which occur by chance; seven at least do not.
const WINDOW_OF_NUMBERS: usize = 36;

/// The secrets of a test, cut into windows.
#[derive(Default)]
pub(crate) struct Needles {
    windows: HashMap<Vec<u8>, usize>,
    windows_of_numbers: HashMap<Vec<u8>, usize>,
    forms: Vec<String>,
}

/// Where a secret is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Of which secret, and in which form.
    pub(crate) form: String,
    /// What stands around it.
    pub(crate) context: String,
}

impl Needles {
    /// A P-256 key in PEM, whatever its label.
    pub(crate) fn key(&mut self, name: &str, pem: &str) {
        let (der, scalar) = (der(pem), scalar(pem));
        let start = der.windows(scalar.len()).position(|window| window == scalar.as_slice()).unwrap();
        self.part_of_key(name, pem, start..start + scalar.len());
    }

    /// These bytes of the DER in PEM: alone, as they stand in this file, and as they may stand in any other.
    pub(crate) fn part_of_key(&mut self, name: &str, pem: &str, part: Range<usize>) {
        let der = der(pem);
        self.bytes(&format!("{name}, the DER"), &der[part.clone()]);
        for before in 0..3 {
            self.bytes(&format!("{name}, a PEM"), base64_behind(before, &der[part.clone()]));
        }
        self.bytes(&format!("{name}, the PEM"), armoured(pem, part));
    }

    /// A JWT or a JWE: all but its header.
    pub(crate) fn token(&mut self, name: &str, token: &str) {
        let (_, secret) = token.split_once('.').unwrap();
        self.bytes(name, secret.trim_start_matches('.').as_bytes());
    }

    /// Something that is secret from its first to its last byte.
    pub(crate) fn bytes(&mut self, name: &str, secret: impl AsRef<[u8]>) {
        for (form, text) in forms(secret.as_ref()) {
            let number = self.forms.len();
            self.forms.push(format!("{name}, {form}"));
            let (windows, width) = match form {
                "as numbers" => (&mut self.windows_of_numbers, WINDOW_OF_NUMBERS),
                _ => (&mut self.windows, WINDOW),
            };
            for window in text.windows(width) {
                windows.entry(window.to_owned()).or_insert(number);
            }
        }
    }

    /// The first window in `haystack`.
    pub(crate) fn find(&self, haystack: impl AsRef<[u8]>) -> Option<Hit> {
        let haystack = haystack.as_ref();
        let first = |windows: &HashMap<Vec<u8>, usize>, width| {
            haystack.windows(width).enumerate().find_map(|(place, window)| Some((place, *windows.get(window)?)))
        };
        let (place, form) =
            first(&self.windows, WINDOW).or_else(|| first(&self.windows_of_numbers, WINDOW_OF_NUMBERS))?;
        let around = place.saturating_sub(200)..haystack.len().min(place + 100);
        let context = String::from_utf8_lossy(&haystack[around]).into_owned();
        Some(Hit { form: self.forms[form].clone(), context })
    }

    /// How many windows are looked for.
    pub(crate) fn len(&self) -> usize {
        self.windows.len() + self.windows_of_numbers.len()
    }
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in: {}", self.form, self.context)
    }
}

/// All that `secret` looks like; each form has only characters that depend on it.
fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("raw", secret.to_vec()),
        ("in hex", hex(secret).into_bytes()),
        ("in capital hex", hex(secret).to_uppercase().into_bytes()),
        ("as numbers", numbers(secret).into_bytes()),
        ("escaped as Rust does", secret.escape_ascii().to_string().into_bytes()),
    ];
    for before in 0..3 {
        let base64 = base64_behind(before, secret);
        forms.push(("in base64url", base64.replace('+', "-").replace('/', "_").into_bytes()));
        forms.push(("in base64", base64.into_bytes()));
    }
    if let Ok(text) = std::str::from_utf8(secret) {
        let quoted = serde_json::to_string(text).unwrap();
        let once = quoted.trim_matches('"').to_owned();
        forms.push(("escaped in JSON", once.replace('/', "\\/").into_bytes()));
        forms.push(("escaped in JSON in JSON", once.replace('\\', "\\\\").into_bytes()));
        forms.push(("escaped in JSON", once.into_bytes()));
        forms.push(("in percent encoding", percent(text).into_bytes()));
    }
    forms
}

/// The characters of base64 that carry nothing but bits of `secret`, where so many other bytes stand `before` it.
fn base64_behind(before: usize, secret: &[u8]) -> String {
    let mut bytes = vec![0; before];
    bytes.extend(secret);
    let whole = (8 * before).div_ceil(6)..8 * bytes.len() / 6;
    BASE64_STANDARD.encode(&bytes)[whole].to_owned()
}

/// What is secret of a P-256 key.
pub(crate) fn scalar(pem: &str) -> Vec<u8> {
    let der = der(pem);
    let key = SecretKey::from_sec1_der(&der).or_else(|_| SecretKey::from_pkcs8_der(&der)).unwrap();
    key.to_bytes().to_vec()
}

/// The DER in a PEM file.
fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    BASE64_STANDARD.decode(body).unwrap()
}

/// The characters of a PEM file that carry bits of these bytes of its DER, line ends between them included.
fn armoured(pem: &str, bytes: Range<usize>) -> &str {
    let body = pem.find("-----\n").unwrap() + "-----\n".len();
    let characters: Vec<usize> =
        pem[body..].char_indices().filter(|(_, char)| *char != '\n').map(|(place, _)| body + place).collect();
    &pem[characters[8 * bytes.start / 6]..characters[(8 * bytes.end).div_ceil(6)]]
}

/// In lowercase.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// As `{:?}` shows bytes.
fn numbers(bytes: &[u8]) -> String {
    format!("{bytes:?}").trim_matches(['[', ']']).to_owned()
}

/// As in a query or a form.
fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => write!(encoded, "%{byte:02X}").unwrap(),
        }
        encoded
    })
}
