//! Keys that are none, or in the wrong place.

use std::ops::Range;

use asa_operator::api::Reason;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::needles::Needles;
use crate::support::awaited::{Awaited, not_ready};
use crate::support::key::KeyPair;
use crate::support::openssl::{openssl, sec1};

/// Where in PKCS#8 of an RSA key of 2048 bits bytes of the private exponent are, and nothing else.
pub(crate) const RSA_EXPONENT: Range<usize> = 320..540;

/// Where in SEC1 of a P-384 key the scalar is.
const P384_SCALAR: Range<usize> = 8..56;

/// A Secret that is of no use to the credential that names it.
pub(crate) struct Refused {
    /// The credential's name.
    pub(crate) name: &'static str,
    pub(crate) outcome: Awaited,
    type_: &'static str,
    entry: &'static str,
    content: Vec<u8>,
}

/// One of each kind; what they contain is added to `needles`.
pub(crate) fn refused(needles: &mut Needles) -> Vec<Refused> {
    let key = KeyPair::new().private().to_owned();
    needles.key("a refused key", &key);
    let (rsa, p384) = (rsa(), String::from_utf8(sec1("secp384r1")).unwrap());
    needles.part_of_key("an RSA key", &rsa, RSA_EXPONENT);
    needles.part_of_key("a P-384 key", &p384, P384_SCALAR);
    let der = openssl(&["ec", "-outform", "DER"], key.as_bytes());
    let (begin, rest) = key.split_at(100);
    let password = "b7K!quail/Tundra+9 zither<&>\\~Fjord";
    needles.bytes("a password", password);
    let of = |name, reason, content: &[u8]| Refused {
        name,
        outcome: not_ready(reason),
        type_: "Opaque",
        entry: "private-key.pem",
        content: content.to_owned(),
    };
    vec![
        of("cut", Reason::KeyInvalid, begin.as_bytes()),
        of("damaged", Reason::KeyInvalid, format!("{begin}!{rest}").as_bytes()),
        of("twice", Reason::KeyInvalid, key.repeat(2).as_bytes()),
        of("too-large", Reason::KeyInvalid, key.repeat(20).as_bytes()),
        of("binary", Reason::KeyInvalid, &der),
        of("password", Reason::KeyInvalid, password.as_bytes()),
        of("rsa", Reason::KeyUnsupported, rsa.as_bytes()),
        of("p384", Reason::KeyUnsupported, p384.as_bytes()),
        Refused { entry: "id_ec", ..of("misnamed", Reason::KeyEntryNotFound, key.as_bytes()) },
        Refused { type_: "example.com/key", ..of("of-another-type", Reason::KeySecretTypeRefused, key.as_bytes()) },
    ]
}

impl Refused {
    /// As a user applies it.
    pub(crate) fn secret(self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": self.type_,
            "metadata": {"name": format!("{}-key", self.name)},
            "data": {self.entry: BASE64_STANDARD.encode(self.content)},
        })
    }
}

/// A key of the kind that Apple does not take.
pub(crate) fn rsa() -> String {
    String::from_utf8(openssl(&["genrsa", "2048"], b"")).unwrap()
}
