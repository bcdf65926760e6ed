use super::*;

fn amiss(body: &str) -> String {
    match issued(body.as_bytes()) {
        Err(Class::Unintelligible(amiss)) => amiss.to_owned(),
        Err(other) => other.to_string(),
        Ok(_) => "accepted".to_owned(),
    }
}

#[test]
fn a_token_as_apple_documents_it_is_accepted() {
    let bodies = [
        r#"{"access_token":"a.b","token_type":"Bearer","expires_in":3600,"scope":"searchadsorg"}"#,
        r#" {"expires_in":1,"token_type":"bearer","access_token":"~!/+="} "#,
        r#"{"access_token":"a","token_type":"BEARER","expires_in":86400,"new":{"deep":[1,{}]}}"#,
    ];
    for body in bodies {
        assert!(issued(body.as_bytes()).is_ok(), "{body}");
    }
    let issued = issued(bodies[0].as_bytes()).unwrap();
    assert_eq!(issued.token.expose(), "a.b");
    assert_eq!(issued.expires_in, Duration::from_hours(1));
}

#[test]
fn anything_else_is_unintelligible_and_says_why() {
    let with = |token: &str, kind: &str, life: &str| {
        amiss(&format!(r#"{{"access_token":{token},"token_type":{kind},"expires_in":{life}}}"#))
    };
    let good = (r#""t""#, r#""Bearer""#, "3600");
    for (body, expected) in [
        ("", "an empty body"),
        (" \r\n", "an empty body"),
        ("<!DOCTYPE html><html></html>", "HTML instead of JSON"),
        ("{\"access_token\":\"ab", "JSON that ends too early"),
        ("nonsense", "no JSON"),
        ("{} {}", "no JSON"),
        ("null", "no object with an access_token"),
        ("[]", "no object with an access_token"),
        ("\"token\"", "no object with an access_token"),
        (r#"["t","Bearer",3600]"#, "no object with an access_token"),
        (r#"{"access_token":"a","access_token":"b"}"#, "no object with an access_token"),
        ("{}", "access_token is absent"),
    ] {
        assert_eq!(amiss(body), expected, "{body:?}");
    }
    for (token, expected) in [
        ("null", "access_token is absent"),
        ("5", "access_token is no text"),
        ("[\"t\"]", "access_token is no text"),
        ("true", "access_token is no text"),
        ("\"\"", "access_token is empty"),
        (r#""a\nb""#, "access_token is not visible ASCII"),
        (r#""a b""#, "access_token is not visible ASCII"),
        (r#""a\u0000""#, "access_token is not visible ASCII"),
        (r#""ä""#, "access_token is not visible ASCII"),
    ] {
        assert_eq!(with(token, good.1, good.2), expected, "{token}");
    }
    for kind in ["null", "1", "\"\"", "\"mac\"", "\"Bearer \"", "{}"] {
        assert_eq!(with(good.0, kind, good.2), "token_type is not Bearer", "{kind}");
    }
    for life in [
        "null",
        "0",
        "-1",
        "86401",
        "9223372036854775808",
        "1e400",
        "3600.0",
        "3.6e3",
        "\"3600\"",
        "\"\"",
        "true",
        "[1]",
    ] {
        let expected = if life == "1e400" { "no JSON" } else { "expires_in is no integer from 1 to 86400" };
        assert_eq!(with(good.0, good.1, life), expected, "{life}");
    }
}

#[test]
fn a_rejection_needs_a_code_and_shows_no_secret() {
    let secret = secret();
    let of = |body: &str| rejection(body.as_bytes(), &secret);
    assert_eq!(of(r#"{"error":"invalid_client"}"#), Some(Class::Rejected(OAuthError::InvalidClient)));
    assert_eq!(
        of(r#"{"error":"temporarily_odd","error_description":"x"}"#),
        Some(Class::Rejected(OAuthError::Other("temporarily_odd".into())))
    );
    for body in ["", "{}", "[]", "<html>", r#"{"error":5}"#, r#"{"error":""}"#, r#"{"error":"\u0007"}"#] {
        assert_eq!(of(body), None, "{body}");
    }
    assert_eq!(of(&format!(r#"{{"error":"bad: {}"}}"#, secret.expose())), None);
}

fn secret() -> ClientSecret {
    use base64::Engine as _;
    let part = |json| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
    let jwt = format!("{}.{}.c2lnbmF0dXJl", part(r#"{"alg":"ES256"}"#), part(r#"{"iat":1,"exp":2}"#));
    ClientSecret::from_published(jwt).unwrap()
}

#[test]
fn a_token_does_not_show_itself_and_marks_its_header() {
    let token = AccessToken::new("canary-canary-canary".into());
    assert_eq!(format!("{token:?}"), "AccessToken([redacted])");
    let header = token.authorization().unwrap();
    assert!(header.is_sensitive());
    assert_eq!(header.to_str().unwrap(), "Bearer canary-canary-canary");
    assert!(AccessToken::new("a\nb".into()).authorization().is_none());
}
