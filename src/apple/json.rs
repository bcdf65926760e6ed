//! JSON from Apple, read without trust: bounded memory, no shape assumed, nothing of the body in an error.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::error::Class;

/// The largest whole number that every reader of JSON carries exactly (2^53 − 1). Apple's ids have about ten digits.
const LARGEST_ID: i64 = (1 << 53) - 1;

/// Reads `body` as `T`; `amiss` says what is wrong where it is JSON but not of this shape.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8], amiss: &'static str) -> Result<T, Class> {
    use serde_json::error::Category;
    let object: Object<T> = serde_json::from_slice(body).map_err(|error| {
        Class::Unintelligible(match (error.classify(), body.trim_ascii_start().first()) {
            (_, None) => "an empty body",
            (_, Some(b'<')) => "HTML instead of JSON",
            (Category::Eof, _) => "JSON that ends too early",
            (Category::Data, _) => amiss,
            (Category::Syntax | Category::Io, _) => "no JSON",
        })
    })?;
    Ok(object.0)
}

/// A JSON object and nothing else; serde's own structs take arrays too.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMap<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(OnlyMap(PhantomData)).map(Self)
    }
}

/// An array of objects, or one object alone, as Apple's page for API v5 shows it.
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Rows<T> {
            type Value = Vec<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or an array of objects")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|row| vec![row])
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
                let mut rows = Vec::new();
                while let Some(Object(row)) = seq.next_element()? {
                    rows.push(row);
                }
                Ok(rows)
            }
        }
        deserializer.deserialize_any(Rows(PhantomData)).map(Self)
    }
}

/// A value of which nothing is assumed; what is neither text nor a whole number is skipped without being kept.
#[derive(Default)]
pub(super) enum Scalar {
    /// Not there, or null.
    #[default]
    Absent,
    /// Wiped when dropped: it may be a token.
    Text(Zeroizing<String>),
    /// A whole number that fits.
    Integer(i64),
    /// Anything else.
    Other,
}

impl Scalar {
    /// The id that this is, as a number or as digits: whole, positive, at most [`LARGEST_ID`].
    pub(super) fn id(&self) -> Option<i64> {
        let id = match self {
            Self::Integer(id) => Some(*id),
            Self::Text(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
            _ => None,
        };
        id.filter(|id| (1..=LARGEST_ID).contains(id))
    }

    /// The text that this is.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyScalar)
    }
}

struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Absent)
    }
    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(Zeroizing::new(text.to_owned())))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Integer(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(number).map_or(Scalar::Other, Scalar::Integer))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
