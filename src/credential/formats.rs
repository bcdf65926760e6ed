//! The managed Secret's content once more, as files that programs read without taking it apart.

use std::collections::BTreeMap;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::api::{AdAccount, Kind, Organization, SecretFormat};

/// Room for a token in each line, so that no half-written copy of it is left behind by a buffer that grew.
const CAPACITY: usize = 8 * 1024;

/// The values by the names of the plain entries.
pub(super) type Values<'a> = BTreeMap<&'static str, &'a str>;

/// Entries whose value is a number.
const NUMBERS: [&str; 3] = ["ad_account_id", "org_id", "parent_org_id"];

/// Entries that only repeat others, in the form of a header.
const HEADERS: [&str; 3] = ["authorization", "x_ap_context_ad_account", "x_ap_context_org"];

/// The entries that hold a format.
pub(super) fn entries_of(format: SecretFormat, kind: Kind) -> &'static [&'static str] {
    match (format, kind) {
        (SecretFormat::Json, _) => &["credentials.json"],
        (SecretFormat::Dotenv, _) => &["credentials.env"],
        (SecretFormat::CurlConfig, Kind::Ads) => &["curl-campaign-v5", "curl-platform-v1"],
        (SecretFormat::CurlConfig, Kind::AppStoreConnect) => &["curl-app-store-connect"],
    }
}

/// One JSON object: the plain entries under their own names, ids as numbers.
pub(super) fn json(values: &Values<'_>) -> Zeroizing<String> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Field<'a> {
        Number(i64),
        Text(&'a str),
    }
    let plain = values.iter().filter(|(name, _)| !HEADERS.contains(name));
    let fields: BTreeMap<_, _> = plain
        .map(|(name, value)| match value.parse() {
            Ok(number) if NUMBERS.contains(name) => (*name, Field::Number(number)),
            _ => (*name, Field::Text(value)),
        })
        .collect();
    written(&fields)
}

/// Lines that a shell may source and that dotenv readers take: `ASA_` or `ASC_` and the entry's name in capitals.
pub(super) fn dotenv(values: &Values<'_>, kind: Kind) -> Zeroizing<String> {
    let prefix = match kind {
        Kind::Ads => "ASA_",
        Kind::AppStoreConnect => "ASC_",
    };
    let mut text = Zeroizing::new(String::with_capacity(CAPACITY));
    for (name, value) in values.iter().filter(|(name, _)| !HEADERS.contains(name)) {
        text.push_str(prefix);
        text.extend(name.chars().map(|c| c.to_ascii_uppercase()));
        text.push('=');
        push_quoted_for_shell(&mut text, value);
        text.push('\n');
    }
    text
}

/// A file for `curl -K`: one header a line. `context` names the entry with the value of `X-AP-Context`, where the API
/// takes that.
///
/// <https://curl.se/docs/manpage.html#-K>
pub(super) fn curl(values: &Values<'_>, context: Option<&str>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(CAPACITY));
    let headers =
        [("Authorization", values.get("authorization")), ("X-AP-Context", context.and_then(|entry| values.get(entry)))];
    for (header, value) in headers {
        let Some(value) = value else { continue };
        text.push_str("header = \"");
        text.push_str(header);
        text.push_str(": ");
        for c in value.chars() {
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push_str("\"\n");
    }
    text
}

/// What there is to choose from, for a holder of the token who chooses at each call.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Choices<'a> {
    /// The organizations, where `spec.organization.selection` is `Any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizations: Option<&'a [Organization]>,
    /// The ad accounts, where `spec.adAccount.selection` is `Any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ad_accounts: Option<&'a [AdAccount]>,
}

/// `organizations.json`, where there is a choice.
pub(super) fn organizations(choices: Choices<'_>) -> Option<Zeroizing<String>> {
    (choices.organizations.is_some() || choices.ad_accounts.is_some()).then(|| written(&choices))
}

fn written(value: &impl Serialize) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(CAPACITY));
    // Strings and numbers under string keys can be written as JSON, and JSON is UTF-8.
    let done = serde_json::to_writer(&mut *bytes, value);
    Zeroizing::new(done.ok().and_then(|()| std::str::from_utf8(&bytes).ok()).unwrap_or_default().to_owned())
}

/// Bare where every reader takes it for what it is, else in single quotes.
fn push_quoted_for_shell(text: &mut String, value: &str) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~+/=:@%,".contains(c);
    if value.chars().all(is_plain) {
        text.push_str(value);
        return;
    }
    text.push('\'');
    for c in value.chars() {
        if c == '\'' {
            text.push_str("'\\''");
        } else {
            text.push(c);
        }
    }
    text.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWKWARD: &str = r#"a"b\c'd$(e)`f`"#;

    fn values(token: &str) -> Values<'_> {
        [("access_token", token), ("authorization", "Bearer t"), ("org_id", "7"), ("x_ap_context_org", "orgId=7")]
            .into()
    }

    #[test]
    fn json_is_one_document_with_numbers_for_ids_and_without_headers() {
        let read: serde_json::Value = serde_json::from_str(&json(&values(AWKWARD))).unwrap();
        assert_eq!(read, serde_json::json!({"access_token": AWKWARD, "org_id": 7}));
    }

    #[test]
    fn dotenv_is_bare_where_it_can_be() {
        assert_eq!(*dotenv(&values("abc.d-e_f"), Kind::Ads), "ASA_ACCESS_TOKEN=abc.d-e_f\nASA_ORG_ID=7\n");
    }

    #[test]
    fn a_shell_that_sources_dotenv_runs_nothing() {
        let script = format!("{}printf %s \"$ASA_ACCESS_TOKEN\"", *dotenv(&values(AWKWARD), Kind::Ads));
        let ran = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(ran.stdout).unwrap(), AWKWARD);
    }

    #[test]
    fn a_curl_config_holds_each_header_that_is_known() {
        let known = values("t");
        assert_eq!(
            *curl(&known, Some("x_ap_context_org")),
            "header = \"Authorization: Bearer t\"\nheader = \"X-AP-Context: orgId=7\"\n"
        );
        assert_eq!(*curl(&known, Some("x_ap_context_ad_account")), "header = \"Authorization: Bearer t\"\n");
        let awkward: Values<'_> = [("authorization", AWKWARD)].into();
        assert_eq!(*curl(&awkward, None), "header = \"Authorization: a\\\"b\\\\c'd$(e)`f`\"\n");
    }

    #[test]
    fn choices_are_listed_where_there_are_any() {
        assert!(organizations(Choices::default()).is_none());
        let rows = [Organization { org_id: 7, name: Some("Acme".to_owned()), parent_org_id: None }];
        let text = organizations(Choices { organizations: Some(&rows), ad_accounts: None }).unwrap();
        assert_eq!(*text, r#"{"organizations":[{"orgId":7,"name":"Acme"}]}"#);
    }
}
