//! From DER to the scalar of a P-256 key, or to the name of what it is instead.

use p256::SecretKey;
use p256::pkcs8::der::asn1::AnyRef;
use p256::pkcs8::der::{Decode as _, ErrorKind, Reader as _, SliceReader, Tag, TagNumber, Tagged};
use p256::pkcs8::{AssociatedOid as _, ObjectIdentifier};

use super::error::{KeyError, KeyKind};

/// More members than any structure that is looked for has (RSA's nine), so that no input costs more than this.
const MOST_MEMBERS: usize = 12;

/// RFC 5480 § 2.1.1; what curve it is, the parameters say.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// Algorithms other than EC that keys in PKCS#8 have (RFC 8017 A.1, RFC 3279 § 2.3.2, RFC 8410 § 3).
const ALGORITHMS: [(ObjectIdentifier, KeyKind); 7] = [
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"), KeyKind::Rsa),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"), KeyKind::Rsa),
    (ObjectIdentifier::new_unwrap("1.2.840.10040.4.1"), KeyKind::Dsa),
    (ObjectIdentifier::new_unwrap("1.3.101.110"), KeyKind::KeyAgreement),
    (ObjectIdentifier::new_unwrap("1.3.101.111"), KeyKind::KeyAgreement),
    (ObjectIdentifier::new_unwrap("1.3.101.112"), KeyKind::Ed25519),
    (ObjectIdentifier::new_unwrap("1.3.101.113"), KeyKind::Ed448),
];

/// Curves other than P-256 that are called by their name (RFC 5480 § 2.1.1.1, SEC 2 § A.2).
const CURVES: [(ObjectIdentifier, KeyKind); 5] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.1"), KeyKind::P192),
    (ObjectIdentifier::new_unwrap("1.3.132.0.33"), KeyKind::P224),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), KeyKind::P384),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), KeyKind::P521),
    (ObjectIdentifier::new_unwrap("1.3.132.0.10"), KeyKind::Secp256k1),
];

/// The key in `der`: PKCS#8 (RFC 5958) or SEC1 (RFC 5915), told apart by shape, because labels lie.
pub(super) fn secret_key(der: &[u8]) -> Result<SecretKey, KeyError> {
    use Tag::{BitString, Integer, OctetString, Sequence};
    let members = members_of(der)?;
    let tags: Vec<Tag> = members.iter().map(Tagged::tag).collect();
    match (tags.as_slice(), members.as_slice()) {
        ([Integer, Sequence, OctetString, ..], [_, algorithm, key, ..]) => {
            insist_on_p256(members_in(algorithm.value())?.as_slice())?;
            sec1(key.value())
        }
        ([Integer, OctetString, ..], _) => sec1(der),
        // PKCS#1 has nine integers, DSA's traditional form six.
        ([Integer, Integer, Integer, ..], _) if tags.len() >= 9 => Err(KeyError::Unsupported(KeyKind::Rsa)),
        ([Integer, Integer, Integer, ..], _) => Err(KeyError::Unsupported(KeyKind::Dsa)),
        ([Sequence, OctetString], _) => Err(KeyError::Encrypted),
        ([Sequence, BitString], _) => Err(KeyError::PublicKey),
        ([Sequence, Sequence, BitString], _) => Err(KeyError::Certificate),
        _ => Err(KeyError::NotAKey),
    }
}

/// The key in a SEC1 `ECPrivateKey`. Without parameters it counts as P-256, which its public half then has to confirm.
fn sec1(der: &[u8]) -> Result<SecretKey, KeyError> {
    let members = members_of(der).map_err(|error| match error {
        KeyError::NotAKey => KeyError::Damaged,
        other => other,
    })?;
    let [_, scalar, rest @ ..] = members.as_slice() else {
        return Err(KeyError::Damaged);
    };
    if let Some(parameters) = rest.iter().find(|member| is_context(member.tag(), 0)) {
        let curve = AnyRef::from_der(parameters.value()).map_err(|_| KeyError::Damaged)?;
        named_curve(Some(&curve))?;
    }
    SecretKey::from_slice(scalar.value()).map_err(|_| KeyError::NotAScalar)?;
    // The scalar is good and the curve is right, so what is left to fail is the public half.
    SecretKey::from_sec1_der(der).map_err(|_| {
        if rest.iter().any(|member| is_context(member.tag(), 1)) {
            KeyError::PublicHalfDiffers
        } else {
            KeyError::Damaged
        }
    })
}

/// Refuses by name every `AlgorithmIdentifier` but that of a P-256 key.
fn insist_on_p256(algorithm: &[AnyRef<'_>]) -> Result<(), KeyError> {
    let oid = algorithm.first().and_then(oid_of).ok_or(KeyError::Damaged)?;
    if oid == EC_PUBLIC_KEY {
        return named_curve(algorithm.get(1));
    }
    Err(KeyError::Unsupported(kind(&ALGORITHMS, oid, KeyKind::Other)))
}

fn named_curve(parameters: Option<&AnyRef<'_>>) -> Result<(), KeyError> {
    match parameters.map(|parameters| (oid_of(parameters), parameters.tag())) {
        Some((Some(oid), _)) if oid == p256::NistP256::OID => Ok(()),
        Some((Some(oid), _)) => Err(KeyError::Unsupported(kind(&CURVES, oid, KeyKind::OtherCurve))),
        Some((None, Tag::Sequence)) => Err(KeyError::Unsupported(KeyKind::ExplicitCurve)),
        _ => Err(KeyError::Damaged),
    }
}

fn kind(table: &[(ObjectIdentifier, KeyKind)], oid: ObjectIdentifier, otherwise: KeyKind) -> KeyKind {
    table.iter().find(|(known, _)| *known == oid).map_or(otherwise, |(_, kind)| *kind)
}

fn oid_of(member: &AnyRef<'_>) -> Option<ObjectIdentifier> {
    member.decode_as::<ObjectIdentifier>().ok()
}

fn is_context(tag: Tag, number: u32) -> bool {
    matches!(tag, Tag::ContextSpecific { number: found, .. } if found == TagNumber(number))
}

/// The members of the one SEQUENCE that `der` is.
fn members_of(der: &[u8]) -> Result<Vec<AnyRef<'_>>, KeyError> {
    let outer = AnyRef::from_der(der).map_err(|error| refusal(error.kind(), KeyError::NotAKey))?;
    if outer.tag() == Tag::Sequence { members_in(outer.value()) } else { Err(KeyError::NotAKey) }
}

fn members_in(contents: &[u8]) -> Result<Vec<AnyRef<'_>>, KeyError> {
    let mut reader = SliceReader::new(contents).map_err(|_| KeyError::Damaged)?;
    let mut members = Vec::new();
    while !reader.is_finished() && members.len() < MOST_MEMBERS {
        members.push(AnyRef::decode(&mut reader).map_err(|_| KeyError::Damaged)?);
    }
    Ok(members)
}

fn refusal(kind: ErrorKind, otherwise: KeyError) -> KeyError {
    match kind {
        ErrorKind::Incomplete { .. } => KeyError::CutOff,
        ErrorKind::TrailingData { .. } => KeyError::Damaged,
        _ => otherwise,
    }
}
