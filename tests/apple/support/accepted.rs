//! Keys as tools write them, all of which are accepted.

use super::forms::{relabelled, text};
use super::openssl::{certificate, openssl, pkcs8, public, sec1};

/// A file with a private key.
pub(crate) struct Written {
    pub(crate) name: &'static str,
    /// The key as `openssl` made it.
    pub(crate) original: Vec<u8>,
    /// What is in the file.
    pub(crate) pem: String,
}

/// Every file that tools write.
pub(crate) fn written() -> Vec<Written> {
    let key = sec1("prime256v1");
    let sec1_text = text(&key);
    let modern = text(&pkcs8(&key));
    let no_public = openssl(&["ec", "-no_public"], &key);
    let with_parameters = openssl(&["ecparam", "-genkey", "-name", "prime256v1"], b"");
    let of_key = |name, pem: String| Written { name, original: key.clone(), pem };
    vec![
        of_key("SEC1", sec1_text.clone()),
        Written { name: "SEC1 after EC PARAMETERS", pem: text(&with_parameters), original: with_parameters },
        of_key("SEC1 without the public half", text(&no_public)),
        of_key("SEC1 with a compressed public half", text(&openssl(&["ec", "-conv_form", "compressed"], &key))),
        of_key("SEC1 under the PKCS#8 label", relabelled(&sec1_text, "EC PRIVATE KEY", "PRIVATE KEY")),
        of_key("PKCS#8", modern.clone()),
        of_key("PKCS#8 without the public half", text(&pkcs8(&no_public))),
        of_key("PKCS#8 under the EC label", relabelled(&modern, "PRIVATE KEY", "EC PRIVATE KEY")),
        of_key("SEC1 beside its certificate", format!("{}{sec1_text}", text(&certificate(&key)))),
        of_key("SEC1 beside its public half", format!("{sec1_text}{}", public(&key))),
    ]
}
