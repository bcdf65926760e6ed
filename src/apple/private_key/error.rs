//! Why a key is refused, each with its cure.

use thiserror::Error;

/// A private key that is refused.
///
/// Each text says what was found, why it cannot be used and what to do, in at most 200 characters (it becomes the message
/// of a condition), and never a byte of the input.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
pub enum KeyError {
    /// Nothing, or nothing but blanks.
    #[error(
        "The key is empty. Make one and upload its public half: openssl ecparam -genkey -name prime256v1 -noout -out private-key.pem"
    )]
    Empty,
    /// Larger than 4 KiB, so never looked at.
    #[error(
        "The key is larger than 4 KiB; a P-256 key has under 300 bytes, so this is something else. Give only the private key, as openssl ecparam -genkey wrote it"
    )]
    TooLarge,
    /// Not UTF-8.
    #[error(
        "The key is binary or UTF-16 (PowerShell's `>`), not PEM. Run: openssl pkey -inform DER -in KEY -out private-key.pem, or let openssl write the file itself with -out"
    )]
    NotText,
    /// Neither PEM, nor base64 of something that is a key.
    #[error(
        "This is neither PEM nor base64 of a key. Copy the file that openssl wrote: kubectl create secret generic NAME --from-file=private-key.pem"
    )]
    NotAKey,
    /// PEM without an end, or DER that is shorter than it says.
    #[error(
        "The key is cut off: its last line or its last bytes are missing. Copy the whole file: kubectl create secret generic NAME --from-file=private-key.pem"
    )]
    CutOff,
    /// PEM or DER with something lost or changed inside.
    #[error(
        "The key is damaged: characters between its first and last line were lost or changed. Copy the file: kubectl create secret generic NAME --from-file=private-key.pem"
    )]
    Damaged,
    /// Zero, or not below the order of the curve.
    #[error(
        "The key's private number is zero or outside of P-256's range, which no tool writes. Run: openssl ecparam -genkey -name prime256v1 -noout -out private-key.pem"
    )]
    NotAScalar,
    /// The public half inside does not belong to the private one.
    #[error(
        "The key's public half does not belong to its private half, so the file was altered. Run: openssl ecparam -genkey -name prime256v1 -noout -out private-key.pem"
    )]
    PublicHalfDiffers,
    /// More than one private key; none is better than another.
    #[error(
        "There are several private keys in one entry, and the right one cannot be known. Leave only the one whose public half was uploaded to Apple"
    )]
    Several,
    /// Encrypted, in any of the three ways.
    #[error(
        "The key is encrypted, and the operator has no passphrase. Run: openssl pkey -in KEY -out private-key.pem, and use that file"
    )]
    Encrypted,
    /// A key that is sound, and of a kind that Apple does not take.
    #[error(
        "This is {0}; Apple takes EC P-256 keys only. Run: openssl ecparam -genkey -name prime256v1 -noout -out private-key.pem, then upload its public half"
    )]
    Unsupported(KeyKind),
    /// The wrong half.
    #[error(
        "This is a public key: it belongs on Apple's page (Account Settings, API). Here belongs the private half, as openssl ecparam -genkey wrote it"
    )]
    PublicKey,
    /// A certificate or a request for one.
    #[error(
        "This is a certificate or a request for one; Apple Ads takes EC P-256 keys. Run: openssl ecparam -genkey -name prime256v1 -noout -out private-key.pem"
    )]
    Certificate,
    /// Only the name of the curve, no key.
    #[error(
        "These are curve parameters without a key: -genkey was missing. Run: openssl ecparam -genkey -name prime256v1 -noout -out private-key.pem"
    )]
    ParametersOnly,
    /// Apple's own sample, which everybody has.
    #[error(
        "This is the sample key from Apple's documentation; everybody has it. Run: openssl ecparam -genkey -name prime256v1 -noout -out private-key.pem, then upload its public half"
    )]
    SampleKey,
}

/// What a sound key is, when it is not EC P-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA, PKCS#1 or PKCS#8.
    Rsa,
    /// DSA.
    Dsa,
    /// NIST P-192, also prime192v1.
    P192,
    /// NIST P-224, also secp224r1.
    P224,
    /// NIST P-384, also secp384r1.
    P384,
    /// NIST P-521, also secp521r1.
    P521,
    /// The curve of Bitcoin.
    Secp256k1,
    /// An elliptic curve that has none of the names above.
    OtherCurve,
    /// An elliptic curve spelt out instead of named.
    ExplicitCurve,
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// X25519 or X448, which cannot sign.
    KeyAgreement,
    /// OpenSSH's own format, whatever is inside.
    OpenSsh,
    /// PGP's own format.
    Pgp,
    /// Another algorithm.
    Other,
}

impl std::fmt::Display for KeyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rsa => "an RSA key",
            Self::Dsa => "a DSA key",
            Self::P192 => "an EC P-192 key",
            Self::P224 => "an EC P-224 key",
            Self::P384 => "an EC P-384 key",
            Self::P521 => "an EC P-521 key",
            Self::Secp256k1 => "an EC secp256k1 key",
            Self::OtherCurve => "a key on another elliptic curve",
            Self::ExplicitCurve => "an EC key with explicit parameters",
            Self::Ed25519 => "an Ed25519 key",
            Self::Ed448 => "an Ed448 key",
            Self::KeyAgreement => "an X25519 or X448 key",
            Self::OpenSsh => "a key in OpenSSH's format",
            Self::Pgp => "a PGP key",
            Self::Other => "a key of another algorithm",
        })
    }
}
