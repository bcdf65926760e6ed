//! Client secrets as other libraries read them.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use asa_operator::apple::ads::client_secret::sign;
use asa_operator::apple::private_key::PrivateKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::client;
use crate::support::openssl::{openssl, pkcs8, public, sec1};

/// Enough that a part of a signature begins with a zero byte or a high bit in some of them.
const SIGNATURES: usize = 32;

#[test]
fn pyjwt_verifies_them() {
    let pem = sec1("prime256v1");
    let key = PrivateKey::parse(&pem).unwrap();
    // PyJWT compares with the real clock.
    #[expect(clippy::disallowed_methods, reason = "PyJWT cannot be told the time")]
    let now = Timestamp::now();
    let lifetime = Duration::from_hours(180 * 24);
    let tokens: Vec<_> =
        (0..SIGNATURES).map(|_| sign(&key, &client(), now, lifetime).unwrap().expose().to_owned()).collect();
    let given = json!({"tokens": tokens, "public_key": key.public_key_pem(), "issuer": client().team_id});

    let verified: Value = serde_json::from_slice(&python(&given.to_string())).unwrap();

    let all = verified.as_array().unwrap();
    assert_eq!(all.len(), SIGNATURES);
    let issued_at = now.as_second() - 60;
    for one in all {
        assert_eq!(one["header"], json!({"alg": "ES256", "kid": client().key_id, "typ": "JWT"}));
        assert_eq!(
            one["claims"],
            json!({
                "iss": client().team_id,
                "sub": client().client_id,
                "aud": "https://appleid.apple.com",
                "iat": issued_at,
                "exp": issued_at + 180 * 24 * 3600,
            })
        );
    }
}

#[test]
fn openssl_verifies_them() {
    let pem = pkcs8(&sec1("prime256v1"));
    let key = PrivateKey::parse(&pem).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let public_file = dir.path().join("public.pem");
    let signature_file = dir.path().join("signature.der");
    std::fs::write(&public_file, public(&pem)).unwrap();
    for _ in 0..SIGNATURES {
        let secret = sign(&key, &client(), crate::support::now(), Duration::from_hours(1)).unwrap();
        let (message, signature) = secret.expose().rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert_eq!(signature.len(), 64);
        std::fs::write(&signature_file, ecdsa_sig_value(&signature)).unwrap();
        let (public_file, signature_file) = (public_file.to_str().unwrap(), signature_file.to_str().unwrap());
        let args = ["dgst", "-sha256", "-verify", public_file, "-signature", signature_file];
        assert_eq!(openssl(&args, message.as_bytes()), b"Verified OK\n");
    }
}

/// `r‖s` as the DER that OpenSSL takes (RFC 3279 § 2.2.3).
fn ecdsa_sig_value(raw: &[u8]) -> Vec<u8> {
    let integer = |half: &[u8]| {
        let zeros = half.iter().take_while(|byte| **byte == 0).count();
        let mut value = half[zeros..].to_vec();
        if value.first().is_none_or(|byte| byte & 0x80 != 0) {
            value.insert(0, 0);
        }
        [vec![0x02, u8::try_from(value.len()).unwrap()], value].concat()
    };
    let (r, s) = raw.split_at(32);
    let both = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(both.len()).unwrap()], both].concat()
}

/// Runs `verify_jwt.py` on `input`.
fn python(input: &str) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apple/verify_jwt.py");
    let mut child = Command::new(environment().join("bin/python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "PyJWT refused a client secret");
    output.stdout
}

/// A virtual environment with the pinned packages, made once per set of pins and kept in the user's cache.
fn environment() -> PathBuf {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apple/requirements.txt");
    let mut hasher = DefaultHasher::new();
    std::fs::read(&requirements).unwrap().hash(&mut hasher);
    let cache = cache().join("asa-operator");
    std::fs::create_dir_all(&cache).unwrap();
    let name = format!("pyjwt-{:016x}", hasher.finish());
    let environment = cache.join(&name);
    // Several test runs may come here at once; the lock ends with the file.
    let lock = File::create(cache.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let complete = environment.join("complete");
    if !complete.exists() {
        // Past the test harness's capture, so that nobody thinks it hangs.
        let _ = writeln!(std::io::stderr(), "installing PyJWT into {} (once)", environment.display());
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
        run(Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&requirements));
        File::create(complete).unwrap();
    }
    environment
}

fn cache() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).unwrap_or_else(std::env::temp_dir)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
