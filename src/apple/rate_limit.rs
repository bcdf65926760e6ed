//! `X-Rate-Limit` of App Store Connect and the Enterprise Program.

use reqwest::header::HeaderMap;

/// How often a key may ask in a rolling hour. Apple counts each key by itself, whoever uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests per hour, `user-hour-lim`.
    pub limit: u32,
    /// How many of them are left, `user-hour-rem`.
    pub remaining: u32,
}

/// What `X-Rate-Limit: user-hour-lim:3500;user-hour-rem:500;` says; none where it is absent or lacks one of the two.
pub(super) fn of(headers: &HeaderMap) -> Option<RateLimit> {
    let value = headers.get("x-rate-limit")?.to_str().ok()?;
    let number = |name: &str| {
        let (_, digits) =
            value.split(';').filter_map(|part| part.split_once(':')).find(|(key, _)| key.trim() == name)?;
        digits.trim().parse().ok()
    };
    Some(RateLimit { limit: number("user-hour-lim")?, remaining: number("user-hour-rem")? })
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn both_numbers_are_read_or_none() {
        let table = [
            ("user-hour-lim:3500;user-hour-rem:500;", Some((3500, 500))),
            ("user-hour-lim:3500;user-hour-rem:0", Some((3500, 0))),
            (" user-hour-rem : 7 ; new-limit:1; user-hour-lim : 9 ", Some((9, 7))),
            ("user-hour-lim:4294967295;user-hour-rem:4294967295;", Some((u32::MAX, u32::MAX))),
            ("user-hour-lim:4294967296;user-hour-rem:1;", None),
            ("user-hour-lim:3500;", None),
            ("user-hour-rem:500;", None),
            ("user-hour-lim:3500;user-hour-rem:-1;", None),
            ("user-hour-lim:3500;user-hour-rem:;", None),
            ("user-hour-lim:many;user-hour-rem:1;", None),
            ("3500;500", None),
            (";;::;", None),
            ("", None),
        ];
        for (value, expected) in table {
            let headers = HeaderMap::from_iter([("x-rate-limit".parse().unwrap(), value.parse().unwrap())]);
            let expected = expected.map(|(limit, remaining)| RateLimit { limit, remaining });
            assert_eq!(of(&headers), expected, "{value:?}");
        }
        assert_eq!(of(&HeaderMap::new()), None);
        let no_text = HeaderValue::from_bytes(b"user-hour-lim:1;user-hour-rem:1;\xff").unwrap();
        assert_eq!(of(&HeaderMap::from_iter([("x-rate-limit".parse().unwrap(), no_text)])), None);
    }
}
