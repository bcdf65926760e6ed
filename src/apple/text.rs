//! Text from Apple, made fit for a status, a log line and a terminal.

/// Keeps at most `most` characters of `text`, none of which controls anything: no line ends, no escape sequences, no
/// change of writing direction.
pub(super) fn printable(text: &str, most: usize) -> String {
    text.chars().filter(|char| !controls(*char)).take(most).collect::<String>().trim().to_owned()
}

fn controls(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn text_loses_what_controls_and_is_cut() {
        let table = [
            ("Acme", 100, "Acme"),
            ("  Acme\r\n", 100, "Acme"),
            ("\u{1b}[31mred", 100, "[31mred"),
            ("a\u{0}b\u{7f}c\u{85}d", 100, "abcd"),
            ("\u{202e}gpj.exe", 100, "gpj.exe"),
            ("日本語の名前", 3, "日本語"),
            ("\n\t", 100, ""),
        ];
        for (text, most, expected) in table {
            assert_eq!(printable(text, most), expected, "{text:?}");
        }
    }
}
