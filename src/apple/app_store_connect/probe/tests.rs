use super::*;

fn token() -> SecretString {
    "canary-canary-canary".to_owned().into()
}

fn errors(codes: &[&str]) -> String {
    let errors: Vec<_> = codes.iter().map(|code| serde_json::json!({"status": "4xx", "code": code})).collect();
    serde_json::json!({ "errors": errors }).to_string()
}

fn told(status: u16, body: &str) -> Result<Proof, (Class, Option<String>)> {
    judged(status, body.as_bytes(), &token())
}

fn refused(code: &str) -> Result<Proof, (Class, Option<String>)> {
    Err((Class::Rejected(OAuthError::Other(code.to_owned())), None))
}

#[test]
fn two_refusals_prove_a_key_and_two_refuse_it() {
    const AGREEMENTS: &str = "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED";
    let forbidden = |code: &str| Err((Class::Forbidden, Some(code.to_owned())));
    let table = [
        (401, "NOT_AUTHORIZED", refused("NOT_AUTHORIZED")),
        (401, "NOT_AUTHORIZED.REVOKED", refused("NOT_AUTHORIZED.REVOKED")),
        (401, "ANYTHING", refused("ANYTHING")),
        // The status weighs more than a code that does not go with it.
        (401, "FORBIDDEN_ERROR", refused("FORBIDDEN_ERROR")),
        (403, "NOT_AUTHORIZED", refused("NOT_AUTHORIZED")),
        (403, "NOT_AUTHORIZED.REVOKED", refused("NOT_AUTHORIZED.REVOKED")),
        (403, "FORBIDDEN_ERROR", Ok(Proof::RoleTooNarrow)),
        (403, "FORBIDDEN_ERROR.ROLE.NEW", Ok(Proof::RoleTooNarrow)),
        (403, AGREEMENTS, Ok(Proof::AgreementMissing)),
        (403, &format!("{AGREEMENTS}.NEW"), Ok(Proof::AgreementMissing)),
        (403, "FORBIDDEN", forbidden("FORBIDDEN")),
        (403, "FORBIDDEN.NEW", forbidden("FORBIDDEN.NEW")),
        (403, "FORBIDDEN_ERRORS", forbidden("FORBIDDEN_ERRORS")),
        (403, "forbidden_error", forbidden("forbidden_error")),
        (403, "NOT_AUTHORIZED_YET", forbidden("NOT_AUTHORIZED_YET")),
        (403, "X.NOT_AUTHORIZED", forbidden("X.NOT_AUTHORIZED")),
        (429, "RATE_LIMIT_EXCEEDED", Err((Class::Throttled, Some("RATE_LIMIT_EXCEEDED".to_owned())))),
        (404, "NOT_FOUND", Err((Class::NotFound, Some("NOT_FOUND".to_owned())))),
        (400, "NOT_AUTHORIZED", Err((Class::Status(400), Some("NOT_AUTHORIZED".to_owned())))),
        (500, "NOT_AUTHORIZED", Err((Class::Server(500), Some("NOT_AUTHORIZED".to_owned())))),
    ];
    for (status, code, expected) in table {
        assert_eq!(told(status, &errors(&[code])), expected, "{status} {code}");
    }
}

#[test]
fn of_several_codes_the_first_that_means_something_decides() {
    assert_eq!(told(403, &errors(&["NEW", "FORBIDDEN_ERROR", "NOT_AUTHORIZED"])), Ok(Proof::RoleTooNarrow));
    assert_eq!(told(403, &errors(&["NEW", "NOT_AUTHORIZED", "FORBIDDEN_ERROR"])), refused("NOT_AUTHORIZED"));
    assert_eq!(told(403, &errors(&["NEW", "NEWER"])), Err((Class::Forbidden, Some("NEW".to_owned()))));
    assert_eq!(told(401, &errors(&["NEW", "NOT_AUTHORIZED"])), refused("NEW"));
}

#[test]
fn what_is_not_of_apples_form_says_nothing_of_the_key() {
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "<html>Sign in to the network</html>",
        r#"{"error":"NOT_AUTHORIZED"}"#,
        r#"{"code":"NOT_AUTHORIZED"}"#,
        r#"{"errors":null}"#,
        r#"{"errors":[]}"#,
        r#"{"errors":[{}]}"#,
        r#"{"errors":["NOT_AUTHORIZED"]}"#,
        r#"{"errors":[{"code":401}]}"#,
        r#"{"errors":[{"code":""}]}"#,
        r#"{"errors":[{"code":"\u001b"}]}"#,
        r#"{"errors":[{"code":"NOT_AUTHORIZED"}"#,
        r#"{"errors":[{"code":"NOT_AUTHORIZED.canary-canary"}]}"#,
    ] {
        assert_eq!(told(401, body), Err((Class::Unauthorized, None)), "{body}");
        assert_eq!(told(403, body), Err((Class::Forbidden, None)), "{body}");
    }
}

#[test]
fn only_a_page_of_apples_is_an_acceptance() {
    for body in [r#"{"data":[]}"#, r#"{"data":[{"type":"apps","id":"1"},7],"links":{},"meta":{"paging":{}}}"#] {
        assert_eq!(told(200, body), Ok(Proof::Accepted), "{body}");
    }
    let amiss = |amiss| Err((Class::Unintelligible(amiss), None));
    for body in ["{}", "[]", "null", r#"{"data":{}}"#, r#"{"data":null}"#, r#"{"errors":[{"code":"FORBIDDEN_ERROR"}]}"#]
    {
        assert_eq!(told(200, body), amiss("no data that is a list"), "{body}");
    }
    assert_eq!(told(200, ""), amiss("an empty body"));
    assert_eq!(told(200, "<html>Sign in"), amiss("HTML instead of JSON"));
    assert_eq!(told(200, r#"{"data":["#), amiss("JSON that ends too early"));
}

#[test]
fn a_code_is_shown_cut_and_without_what_controls() {
    let long = format!("NOT_AUTHORIZED.{}", "X".repeat(1000));
    assert_eq!(told(401, &errors(&[&long])), refused(&long[..64]));
    assert_eq!(told(401, &errors(&["NOT_\u{1b}[1mAUTHORIZED\r\n"])), refused("NOT_[1mAUTHORIZED"));
}
