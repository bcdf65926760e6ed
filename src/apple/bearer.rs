//! A token as a header.

use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

/// `Bearer …`, marked as sensitive; `None` if `token` fits no header.
pub(super) fn authorization(token: &str) -> Option<HeaderValue> {
    let text = Zeroizing::new(format!("Bearer {token}"));
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}
