//! What becomes of a key between the tool that wrote it and the Secret.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What stands between the first and the last line, in one line.
pub(crate) fn body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn lines_of(text: &str, width: usize) -> String {
    text.as_bytes().chunks(width).fold(String::new(), |mut wrapped, line| {
        writeln!(wrapped, "{}", std::str::from_utf8(line).unwrap()).unwrap();
        wrapped
    })
}

pub(crate) fn relabelled(pem: &str, from: &str, to: &str) -> String {
    pem.replace(&format!(" {from}-----"), &format!(" {to}-----"))
}

/// How people and tools change a PEM on its way, which changes no key.
pub(crate) fn transformed(pem: &str) -> Vec<(&'static str, String)> {
    let mut changed = changed(pem);
    // Only of a single block the body means something without its first and last line.
    if pem.matches("BEGIN").count() == 1 {
        changed.extend(unarmoured(pem));
    }
    changed
}

fn unarmoured(pem: &str) -> Vec<(&'static str, String)> {
    let (first, last) = (pem.lines().next().unwrap(), pem.lines().last().unwrap());
    vec![
        ("wrapped elsewhere", format!("{first}\n{}{last}\n", lines_of(&body(pem), 20))),
        ("one base64 line", body(pem)),
        ("one base64 line, no padding", body(pem).trim_end_matches('=').to_owned()),
        ("one base64 line, URL-safe", URL_SAFE.encode(STANDARD.decode(body(pem)).unwrap())),
        ("wrapped base64", lines_of(&body(pem), 64)),
    ]
}

fn changed(pem: &str) -> Vec<(&'static str, String)> {
    vec![
        ("as it is", pem.to_owned()),
        ("no final newline", pem.trim_end().to_owned()),
        ("blank lines around", format!("\n\n  \n{pem}\n\n")),
        ("CRLF", pem.replace('\n', "\r\n")),
        ("CR", pem.replace('\n', "\r")),
        ("a byte order mark", format!("\u{feff}{pem}")),
        ("a byte order mark and CRLF", format!("\u{feff}{}", pem.replace('\n', "\r\n"))),
        ("indented", format!("    {}", pem.replace('\n', "\n    "))),
        ("trailing blanks", pem.replace('\n', "  \t\n")),
        (r"literal \n", pem.replace('\n', r"\n")),
        (r"literal \r\n", pem.replace('\n', r"\r\n")),
        (r"literal \\n", pem.replace('\n', r"\\n")),
        ("in quotes, as JSON", format!("\"{}\"", pem.replace('\n', r"\n"))),
        ("blanks for line ends", pem.replace('\n', " ")),
        ("no line ends", pem.replace('\n', "")),
        ("base64 of the PEM", STANDARD.encode(pem)),
        ("base64 of the PEM, no padding", STANDARD_NO_PAD.encode(pem)),
        ("base64 of the PEM, wrapped", lines_of(&STANDARD.encode(pem), 76)),
        (
            "base64 of the PEM with CRLF and a byte order mark",
            STANDARD.encode(format!("\u{feff}{}", pem.replace('\n', "\r\n"))),
        ),
        (r"base64 of the PEM with literal \n", STANDARD.encode(pem.replace('\n', r"\n"))),
        ("base64 of the PEM without line ends", STANDARD.encode(pem.replace('\n', ""))),
        ("text before and after", format!("Bag Attributes\n  friendlyName: x\n{pem}the key for Apple Ads\n")),
    ]
}
