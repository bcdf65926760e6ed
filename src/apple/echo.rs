//! Whether a text repeats a secret: an answer may echo what was sent, whole or in part, as it was or encoded.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

/// So many characters in a row are an echo. Codes of Apple's and words of an API server share fewer with a random text.
const WINDOW: usize = 12;

/// What a secret looks like raw, in hex and in base64, cut into windows; wiped when dropped.
pub(crate) struct Echoes(Zeroizing<Vec<[u8; WINDOW]>>);

impl Echoes {
    /// Those of `secret`.
    pub(crate) fn of(secret: &str) -> Self {
        let hex = secret.bytes().fold(Zeroizing::new(String::with_capacity(2 * secret.len())), |mut hex, byte| {
            // Writing to a String does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let base64 = [0, 1, 2].map(|before| base64_behind(before, secret));
        let shapes = [secret, &hex, &base64[0], &base64[1], &base64[2]];
        let windows = || shapes.iter().flat_map(|shape| shape.as_bytes().array_windows());
        let mut all = Zeroizing::new(Vec::with_capacity(windows().count()));
        all.extend(windows());
        all.sort_unstable();
        Self(all)
    }

    /// Whether one of them is in `text`.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        let has = |text: &str| text.as_bytes().array_windows().any(|window| self.0.binary_search(window).is_ok());
        has(text) || has(&text.to_ascii_lowercase()) || has(&text.replace('-', "+").replace('_', "/"))
    }
}

/// The characters of base64 that depend on nothing but `secret`, where so many other bytes stand `before` it.
fn base64_behind(before: usize, secret: &str) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(before + secret.len()));
    bytes.resize(before, 0);
    bytes.extend_from_slice(secret.as_bytes());
    let whole = (8 * before).div_ceil(6)..8 * bytes.len() / 6;
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(&*bytes));
    Zeroizing::new(encoded.get(whole).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    const SECRET: &str = "eyJhbGciOiJFUzI1NiJ9.p?yl>ad.s~gn?t>re";

    fn is_echoed(text: &str) -> bool {
        Echoes::of(SECRET).are_in(text)
    }

    #[test]
    fn an_echo_is_seen_from_twelve_characters_on() {
        assert!(is_echoed("bad token eyJhbGciOiJF…"));
        for harmless in ["", "eyJhbGciOiJ", "invalid_client", "secrets \"acme\" is forbidden: exceeded quota: few"] {
            assert!(!is_echoed(harmless), "{harmless}");
        }
        assert!(!Echoes::of("").are_in("invalid_client"));
        assert!(!Echoes::of("short").are_in("short short short"));
    }

    #[test]
    fn an_echo_is_seen_in_any_encoding() {
        for before in ["", "x", "xy", "Bearer "] {
            let text = format!("{before}{SECRET}");
            let hex = text.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02X}"));
            for encoded in
                [BASE64_STANDARD.encode(&text), BASE64_URL_SAFE_NO_PAD.encode(&text), hex.to_lowercase(), hex]
            {
                assert!(is_echoed(&format!("denied: {encoded}")), "{encoded}");
                assert!(is_echoed(&encoded[encoded.len() / 2..][..WINDOW]), "{encoded}");
            }
        }
    }
}
