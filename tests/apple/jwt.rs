//! Client secrets, and tokens of App Store Connect, as other libraries read them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use asa_operator::apple::ads::client_secret::sign;
use asa_operator::apple::app_store_connect::{self, ApiKey};
use asa_operator::apple::private_key::PrivateKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::python::environment;
use crate::support::openssl::{openssl, pkcs8, public, sec1};
use crate::support::{ENTERPRISE, INDIVIDUAL, TEAM, client};

/// Enough that a part of a signature begins with a zero byte or a high bit in some of them.
const SIGNATURES: usize = 32;

/// `PyJWT` compares with the real clock.
#[expect(clippy::disallowed_methods, reason = "PyJWT cannot be told the time")]
fn present() -> Timestamp {
    Timestamp::now()
}

#[test]
fn pyjwt_verifies_client_secrets() {
    let key = PrivateKey::parse(&sec1("prime256v1")).unwrap();
    let now = present();
    let lifetime = Duration::from_hours(180 * 24);
    let tokens: Vec<_> =
        (0..SIGNATURES).map(|_| sign(&key, &client(), now, lifetime).unwrap().expose().to_owned()).collect();
    let given = json!({
        "tokens": tokens,
        "public_key": key.public_key_pem(),
        "audience": "https://appleid.apple.com",
        "issuer": client().team_id,
        "require": ["iss", "sub", "aud", "iat", "exp"],
    });

    let all = verified(&given);

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
fn pyjwt_verifies_tokens_of_each_kind_of_key() {
    let key = PrivateKey::parse(&sec1("prime256v1")).unwrap();
    let (now, scope) = (present(), vec!["GET /v1/ciProducts?filter[productType]=APP".to_owned()]);
    let (app_store, enterprise) = ("appstoreconnect-v1", "apple-developer-enterprise-v1");
    let (iat, of_minutes) = (now.as_second() - 60, |minutes: i64| now.as_second() + 60 * minutes);
    let (team, other) = (TEAM.issuer_id, ENTERPRISE.issuer_id);
    let unscoped = Vec::new();
    let (owned, personal) = (vec!["iss", "aud", "iat", "exp"], vec!["sub", "aud", "iat", "exp"]);
    for (by, scope, minutes, claims, require) in [
        (TEAM, &unscoped, 20, json!({"iss": team, "aud": app_store, "iat": iat, "exp": of_minutes(19)}), &owned),
        (TEAM, &unscoped, 5, json!({"iss": team, "aud": app_store, "iat": iat, "exp": of_minutes(5)}), &owned),
        (
            INDIVIDUAL,
            &unscoped,
            20,
            json!({"sub": "user", "aud": app_store, "iat": iat, "exp": of_minutes(19)}),
            &personal,
        ),
        (
            ENTERPRISE,
            &unscoped,
            20,
            json!({"iss": other, "aud": enterprise, "iat": iat, "exp": of_minutes(19)}),
            &owned,
        ),
        (
            TEAM,
            &scope,
            90 * 24 * 60,
            json!({"iss": team, "aud": app_store, "iat": iat, "exp": of_minutes(90 * 24 * 60), "scope": scope}),
            &owned,
        ),
    ] {
        let lifetime = Duration::from_mins(minutes);
        let sign = |_| app_store_connect::sign(&key, &by, scope, lifetime, now).unwrap().expose().to_owned();
        let given = json!({
            "tokens": (0..SIGNATURES).map(sign).collect::<Vec<_>>(),
            "public_key": key.public_key_pem(),
            "audience": claims["aud"],
            "issuer": by.issuer_id,
            "require": require,
        });
        for one in verified(&given) {
            assert_eq!(one["header"], json!({"alg": "ES256", "kid": by.key_id, "typ": "JWT"}), "{by:?}");
            assert_eq!(one["claims"], claims, "{by:?}");
        }
    }
}

#[test]
fn openssl_verifies_client_secrets_and_tokens() {
    let pem = pkcs8(&sec1("prime256v1"));
    let key = PrivateKey::parse(&pem).unwrap();
    let (now, hour) = (crate::support::now(), Duration::from_hours(1));
    let token = |by: &ApiKey<'_>| app_store_connect::sign(&key, by, &[], hour, now).unwrap().expose().to_owned();
    let dir = tempfile::tempdir().unwrap();
    let public_file = dir.path().join("public.pem");
    let signature_file = dir.path().join("signature.der");
    std::fs::write(&public_file, public(&pem)).unwrap();
    let all = (0..SIGNATURES).flat_map(|_| {
        let secret = sign(&key, &client(), now, hour).unwrap().expose().to_owned();
        [secret, token(&TEAM), token(&INDIVIDUAL), token(&ENTERPRISE)]
    });
    for jwt in all {
        let (message, signature) = jwt.rsplit_once('.').unwrap();
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

/// Header and claims of all of the tokens, as `PyJWT` reads them.
fn verified(given: &Value) -> Vec<Value> {
    let verified: Vec<Value> = serde_json::from_slice(&python(&given.to_string())).unwrap();
    assert_eq!(verified.len(), SIGNATURES);
    verified
}

/// Runs `verify_jwt.py` on `input`.
fn python(input: &str) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apple/verify_jwt.py");
    let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apple/requirements.txt");
    let mut child = Command::new(environment("pyjwt", &pins).join("bin/python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "PyJWT refused a JWT");
    output.stdout
}
