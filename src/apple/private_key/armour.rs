//! From the text that users have to the DER inside it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::error::{KeyError, KeyKind};

/// Base64 as people copy it: with or without padding, bits left over or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// How the one-line public keys of OpenSSH begin.
const SSH_PUBLIC_KEYS: [&str; 2] = ["ssh-", "ecdsa-sha2-"];

/// The first byte of every key in DER.
const SEQUENCE: u8 = 0x30;

/// The DER of the one private key in `input`: PEM in any state that occurs in the wild, or base64 of DER or of such PEM.
pub(super) fn der(input: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let text = normalised(input)?;
    if text.trim().is_empty() {
        return Err(KeyError::Empty);
    }
    if is_armoured(&text) {
        return pem(&text);
    }
    if SSH_PUBLIC_KEYS.iter().any(|kind| text.trim_start().starts_with(kind)) {
        return Err(KeyError::PublicKey);
    }
    let inner = base64(&text).ok_or(KeyError::NotAKey)?;
    // Base64 of the whole PEM: encoded by hand although Kubernetes encodes `data` anyway.
    match normalised(&inner) {
        Ok(text) if is_armoured(&text) => pem(&text),
        _ if inner.first() == Some(&SEQUENCE) => Ok(inner),
        _ => Err(KeyError::NotAKey),
    }
}

/// UTF-8 without byte order mark or quotes, with real line ends for literal `\n` and `\r`.
fn normalised(input: &[u8]) -> Result<Zeroizing<String>, KeyError> {
    let text = std::str::from_utf8(input).map_err(|_| KeyError::NotText)?;
    // As long as the input, so that it never grows and leaves a copy behind.
    let mut clean = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        match (char, rest.peek()) {
            ('\\', Some('n' | 'r')) => {
                rest.next();
                clean.push('\n');
            }
            // A backslash before a backslash (`\\n`) or a line end, and what editors and JSON leave around a value.
            ('\\' | '"' | '\'' | '\u{feff}' | '\u{200b}', _) => {}
            _ => clean.push(char),
        }
    }
    Ok(clean)
}

fn is_armoured(text: &str) -> bool {
    text.contains(BEGIN) || text.contains(END)
}

/// Decodes base64 in any line length and either alphabet; `None` where it is not base64.
fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut compact = Zeroizing::new(Vec::with_capacity(text.len()));
    compact.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }));
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    BASE64.decode_vec(&*compact, &mut decoded).ok()?;
    Some(decoded)
}

/// What a PEM block says it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    /// `PRIVATE KEY` or `EC PRIVATE KEY`: which of the two, the body decides.
    PrivateKey,
    /// `EC PARAMETERS`, which `openssl ecparam` without `-noout` writes before the key.
    Parameters,
    Refused(KeyError),
}

impl Label {
    fn of(label: &str) -> Self {
        match label.trim() {
            "PRIVATE KEY" | "EC PRIVATE KEY" => Self::PrivateKey,
            "EC PARAMETERS" => Self::Parameters,
            "ENCRYPTED PRIVATE KEY" => Self::Refused(KeyError::Encrypted),
            "RSA PRIVATE KEY" => Self::Refused(KeyError::Unsupported(KeyKind::Rsa)),
            "DSA PRIVATE KEY" => Self::Refused(KeyError::Unsupported(KeyKind::Dsa)),
            "OPENSSH PRIVATE KEY" => Self::Refused(KeyError::Unsupported(KeyKind::OpenSsh)),
            label if label.starts_with("PGP ") => Self::Refused(KeyError::Unsupported(KeyKind::Pgp)),
            label if label.ends_with("PUBLIC KEY") => Self::Refused(KeyError::PublicKey),
            label if label.contains("CERTIFICATE") => Self::Refused(KeyError::Certificate),
            _ => Self::Refused(KeyError::NotAKey),
        }
    }
}

/// The DER of the one private key among the blocks of `text`; certificates and the like beside it do not matter.
fn pem(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut key = None;
    let mut otherwise = None;
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after.split_once(DASHES).ok_or(KeyError::CutOff)?;
        let end = after.find(DASHES).ok_or(KeyError::CutOff)?;
        let (body, after) = after.split_at(end);
        let after = after.strip_prefix(END).ok_or(KeyError::CutOff)?;
        match Label::of(label) {
            Label::PrivateKey if key.is_some() => return Err(KeyError::Several),
            Label::PrivateKey => key = Some(body),
            Label::Parameters => otherwise = otherwise.or(Some(KeyError::ParametersOnly)),
            Label::Refused(error) => match otherwise {
                None | Some(KeyError::ParametersOnly) => otherwise = Some(error),
                Some(_) => {}
            },
        }
        rest = after;
    }
    match (key, otherwise) {
        // The header of an encrypted SEC1 key: `Proc-Type: 4,ENCRYPTED`.
        (Some(body), _) if body.contains("ENCRYPTED") => Err(KeyError::Encrypted),
        (Some(body), _) if body.trim().is_empty() => Err(KeyError::CutOff),
        (Some(body), _) => base64(body).ok_or(KeyError::Damaged),
        (None, Some(error)) => Err(error),
        // An END without a BEGIN.
        (None, None) => Err(KeyError::CutOff),
    }
}
