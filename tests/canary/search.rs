//! The search finds what it is said to find, and nothing else.
//!
//! What is planted here is encoded by other means than those that the windows come from.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use crate::needles::{Needles, WINDOW};
use crate::refused::RSA_EXPONENT;
use crate::refused::rsa;
use crate::support::key::KeyPair;
use crate::support::openssl;

const JWT: &str = concat!(
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImJhY2FlYmRhIn0.",
    "eyJpc3MiOiJTRUFSQ0hBRFMuOWUyMWEzYjQiLCJzdWIiOiJTRUFSQ0hBRFMuMjc0NzhlNzEiLCJpYXQiOjE3OTUzNjUzMjl9.",
    "kpwLpZUzdJ6Kb2AmqY0f3b_m0TZlJ8Ckx7qzSvQ1cX-2xAqGd5wD9aVJ0uKf1hRyEoPzN4MvTsB8LgWiY6jUeQ"
);
const JWE: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0..3q2-7wAAvu_erb7v.x9fQ-Zz0LmN8_tB2kVwYhA.Rk0jPq7s";

fn needles(key: &KeyPair) -> Needles {
    let mut needles = Needles::default();
    needles.key("key", key.private());
    needles.token("client secret", JWT);
    needles.token("access token", JWE);
    needles
}

/// `text` in every form in which a program could tell it, behind and before other bytes.
fn told(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut told = Vec::new();
    for before in 0..4 {
        let mut around = b"x: "[..before.min(3)].to_vec();
        around.extend(text);
        around.extend(b" and so on");
        told.push((format!("base64 behind {before}"), BASE64_STANDARD.encode(&around).into_bytes()));
        told.push((format!("base64url behind {before}"), BASE64_URL_SAFE_NO_PAD.encode(&around).into_bytes()));
        told.push((format!("Debug behind {before}"), format!("{around:?}").into_bytes()));
        told.push((format!("a chunk behind {before}"), format!("b\"{}\"", around.escape_ascii()).into_bytes()));
        let hex: Vec<String> = around.iter().map(|byte| format!("{byte:02x}")).collect();
        told.push((format!("hex behind {before}"), hex.concat().into_bytes()));
        told.push((format!("capital hex behind {before}"), hex.concat().to_uppercase().into_bytes()));
        if let Ok(text) = String::from_utf8(around.clone()) {
            let object = json!({ "text": text }).to_string();
            let url = reqwest::Url::parse_with_params("http://x.invalid/", [("text", &text)]).unwrap();
            told.push((format!("query behind {before}"), url.to_string().into_bytes()));
            told.push((format!("JSON behind {before}"), object.clone().into_bytes()));
            told.push((format!("Debug of a text behind {before}"), format!("{text:?}").into_bytes()));
            told.push((format!("JSON in JSON behind {before}"), json!(object).to_string().into_bytes()));
            told.push((
                format!("JSON in JSON in JSON behind {before}"),
                json!(json!(object).to_string()).to_string().into_bytes(),
            ));
        }
        told.push((format!("raw behind {before}"), around));
    }
    told
}

#[test]
fn a_planted_key_client_secret_or_token_is_found_in_every_form() {
    let key = KeyPair::new();
    let needles = needles(&key);
    let der = openssl::openssl(&["ec", "-outform", "DER"], key.private().as_bytes());
    let pkcs8 = openssl::pkcs8(key.private().as_bytes());
    let wrapped = key.private().replace('\n', "\r\n");
    let signature = JWT.rsplit('.').next().unwrap();
    let claims = JWT.split('.').nth(1).unwrap();
    let planted: [(&str, &[u8]); 8] = [
        ("the key as DER", &der),
        ("the key as SEC1", key.private().as_bytes()),
        ("the key as PKCS#8", &pkcs8),
        ("the key with CRLF", wrapped.as_bytes()),
        ("the client secret", JWT.as_bytes()),
        ("its signature", signature.as_bytes()),
        ("its claims", claims.as_bytes()),
        ("the token", JWE.as_bytes()),
    ];
    for (what, text) in planted {
        for (form, told) in told(text) {
            let hit = needles.find([b"a line\n".as_slice(), &told, b"\nanother"].concat());
            assert!(hit.is_some(), "{what}, {form}: {}", String::from_utf8_lossy(&told));
        }
    }
}

#[test]
fn twelve_characters_are_enough_and_eleven_are_not() {
    let key = KeyPair::new();
    let needles = needles(&key);
    let secret = JWT.rsplit('.').next().unwrap();
    for from in 0..=secret.len() - WINDOW {
        let some = format!("{{\"error\":\"{}…\"}}", &secret[from..from + WINDOW]);
        assert!(needles.find(&some).is_some(), "{some}");
        let fewer = format!("{{\"error\":\"{}…\"}}", &secret[from..from + WINDOW - 1]);
        assert_eq!(needles.find(&fewer), None, "{fewer}");
    }
    let entry = BASE64_STANDARD.encode(key.private());
    let scalar = entry.len() / 2;
    assert!(needles.find(&entry[scalar - 60..scalar - 60 + WINDOW]).is_some(), "from the middle of a Secret's data");
}

#[test]
fn what_is_no_secret_is_not_found() {
    let key = KeyPair::new();
    let mut needles = needles(&key);
    needles.part_of_key("RSA", &rsa(), RSA_EXPONENT);
    let other = KeyPair::new();
    let header = JWT.split('.').next().unwrap();
    let harmless = [
        key.public(),
        key.fingerprint(),
        BASE64_URL_SAFE_NO_PAD.encode(key.public()),
        other.private().to_owned(),
        BASE64_STANDARD.encode(other.private()),
        rsa(),
        header.to_owned(),
        BASE64_STANDARD.encode(header),
        JWE.split('.').next().unwrap().to_owned(),
        r#"{"iss":"SEARCHADS.9e21a3b4","sub":"SEARCHADS.27478e71"}"#.to_owned(),
        "-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----\n".to_owned(),
    ];
    for text in harmless {
        assert_eq!(needles.find(&text), None, "{text}");
    }
}
