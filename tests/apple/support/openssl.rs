//! Keys as `openssl` writes them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `openssl` with `args` and `input`, and gives what it wrote.
pub(crate) fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A SEC1 key without parameters before it: Apple's own instruction.
pub(crate) fn sec1(curve: &str) -> Vec<u8> {
    openssl(&["ecparam", "-genkey", "-name", curve, "-noout"], b"")
}

/// The same key as PKCS#8.
pub(crate) fn pkcs8(key: &[u8]) -> Vec<u8> {
    openssl(&["pkcs8", "-topk8", "-nocrypt"], key)
}

/// The public half as SPKI PEM.
pub(crate) fn public(key: &[u8]) -> String {
    String::from_utf8(openssl(&["pkey", "-pubout"], key)).unwrap()
}

/// SHA-256 over the public half's DER, in lowercase hex.
pub(crate) fn fingerprint(key: &[u8]) -> String {
    let spki = openssl(&["pkey", "-pubout", "-outform", "DER"], key);
    let text = String::from_utf8(openssl(&["dgst", "-sha256", "-r"], &spki)).unwrap();
    text.split_whitespace().next().unwrap().to_owned()
}

/// Self-signed, of `key`.
pub(crate) fn certificate(key: &[u8]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let file = written(dir.path(), key);
    openssl(&["req", "-x509", "-new", "-subj", "/CN=x", "-days", "1", "-key", &file], b"")
}

pub(crate) fn request(key: &[u8]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let file = written(dir.path(), key);
    openssl(&["req", "-new", "-subj", "/CN=x", "-key", &file], b"")
}

fn written(dir: &Path, key: &[u8]) -> String {
    let file = dir.join("key.pem");
    std::fs::write(&file, key).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A key of `ssh-keygen`, where there is one.
pub(crate) fn openssh() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ecdsa", "-N", "", "-f"]).arg(&file).status();
    match made {
        Ok(status) if status.success() => std::fs::read(file).unwrap(),
        // Not on every machine; its label is all that is looked at.
        _ => b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n".into(),
    }
}
