//! What may be shown to people: bounded, in one line, and nothing secret in it.

/// An echo is noticed from so many characters on.
const WINDOW: usize = 12;

/// The longest message of a condition, in characters.
pub(crate) const LONGEST_MESSAGE: usize = 200;

/// Insists that `text` is no longer than `most` characters and is one line without control characters.
pub(crate) fn insist_on_one_line(text: &str, most: usize) {
    assert!(text.chars().count() <= most, "{} characters: {text}", text.chars().count());
    assert!(!text.chars().any(char::is_control), "control characters: {text:?}");
}

/// Insists that no window of `secret` stands in `text`.
pub(crate) fn insist_on_no_echo(text: &str, secret: &[u8]) {
    let echo = text.as_bytes().windows(WINDOW).find(|window| secret.windows(WINDOW).any(|part| part == *window));
    assert_eq!(echo.map(String::from_utf8_lossy), None, "in {text}");
}

/// Insists that nothing of `input` that could be a part of a secret stands in `text`. What is shown has words of its own,
/// which an input may have too; a dozen base64 characters, mixed as random ones are, is no such word.
pub(crate) fn insist_on_no_key(text: &str, input: &[u8]) {
    let suspicious = text.as_bytes().windows(WINDOW).filter(|window| is_like_key(window));
    for window in suspicious {
        assert!(!input.windows(WINDOW).any(|part| part == window), "{} in {text}", String::from_utf8_lossy(window));
    }
}

fn is_like_key(window: &[u8]) -> bool {
    window.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        && window.iter().any(u8::is_ascii_uppercase)
        && window.iter().any(u8::is_ascii_lowercase)
        && window.iter().any(u8::is_ascii_digit)
}
