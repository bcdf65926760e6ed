//! What Apple's answers mean.

use std::time::Duration;

use super::cut;
use crate::{
    api::{AdsApi, Program, Reason},
    apple::error::{Class, Endpoint, OAuthError},
};

/// More of an OAuth code than any that Apple documents; the rest of the message must fit as well.
const LONGEST_CODE: usize = 24;

/// A clock that is off by this much is named: Apple's tolerance is unknown, and a minute is what back-dating covers.
const NOTABLE_SKEW: Duration = Duration::from_mins(1);

pub(super) fn rejected(code: &OAuthError, fingerprint: Option<&str>) -> (Reason, String) {
    match code {
        OAuthError::InvalidClient => {
            let key = fingerprint.map_or_else(|| "the key".to_owned(), |print| format!("key {}…", cut(print, 15)));
            let message = format!(
                "Apple rejected the client (invalid_client): {key} is not the uploaded one, or clientId, teamId, keyId do not match it. Compare status.privateKey with Account Settings › API."
            );
            (Reason::ClientRejected, message)
        }
        OAuthError::InvalidRequest
        | OAuthError::InvalidGrant
        | OAuthError::UnauthorizedClient
        | OAuthError::UnsupportedGrantType
        | OAuthError::InvalidScope
        | OAuthError::Other(_) => {
            let message = format!(
                "Apple refused the request for a token ({}). Check that the API user still has an API role in Apple Ads › Account Settings.",
                cut(code.code(), LONGEST_CODE)
            );
            (Reason::RequestRefused, message)
        }
    }
}

pub(super) fn skewed(what: &str, code: &str, skew: jiff::SignedDuration) -> String {
    let seconds = skew.as_secs();
    let side = if seconds > 0 { "behind" } else { "ahead of" };
    format!(
        "Apple {what} ({}), and the operator's clock is {} s {side} Apple's, which makes everything signed here invalid. Set the node's clock (NTP).",
        cut(code, LONGEST_CODE),
        seconds.abs()
    )
}

pub(super) fn notable_skew(skew: Option<jiff::SignedDuration>) -> Option<jiff::SignedDuration> {
    skew.filter(|skew| skew.unsigned_abs() >= NOTABLE_SKEW)
}

/// What an answer other than a rejection means.
pub(in crate::credential) fn said(endpoint: Endpoint, class: &Class, pause: Option<Duration>) -> (Reason, String) {
    let retry = "It is tried again.";
    let reason = match class {
        Class::Rejected(_) => Reason::RequestRefused,
        Class::Unauthorized if endpoint == Endpoint::TokenEndpoint => Reason::RequestRefused,
        // A refusal in Apple's own words is one of the key; this one may be a proxy's.
        Class::Unauthorized if matches!(endpoint, Endpoint::Probe(_)) => Reason::UnexpectedAnswer,
        Class::Unauthorized => Reason::TokenRefused,
        Class::Forbidden => Reason::AccessDenied,
        Class::NotFound | Class::Gone => Reason::ApiGone,
        Class::Throttled => Reason::Throttled,
        Class::Server(_) => Reason::AppleUnavailable,
        Class::TimedOut | Class::Unreachable(_) => Reason::AppleUnreachable,
        Class::Redirected | Class::Status(_) | Class::Unintelligible(_) | Class::TooLarge => Reason::UnexpectedAnswer,
    };
    let message = match class {
        Class::Throttled => {
            let asked = pause.map_or_else(String::new, |pause| format!(" for {} s", pause.as_secs()));
            format!("Apple asked for a pause{asked} ({endpoint}: 429). {retry}")
        }
        Class::Forbidden | Class::Unauthorized if matches!(endpoint, Endpoint::Probe(_)) => {
            format!("{endpoint}: {class}, not in Apple's words. {retry} If it lasts, look for a proxy in between.")
        }
        Class::Forbidden => {
            format!(
                "{endpoint}: 403. The API user's role does not allow it: give it an API role in Apple Ads › Account Settings."
            )
        }
        Class::Unauthorized => format!("{endpoint}: 401. Apple does not accept what it issued a moment ago. {retry}"),
        Class::NotFound | Class::Gone => format!("{endpoint}: {class}. {}", gone(endpoint)),
        Class::TimedOut | Class::Unreachable(_) => {
            format!("{endpoint}: {class}. It is tried again; if it lasts, check egress, proxy, DNS.")
        }
        Class::Redirected | Class::Unintelligible(_) | Class::Status(_) | Class::TooLarge => {
            format!("{endpoint}: {class}. It is tried again; if it lasts, look for a proxy in between.")
        }
        Class::Server(_) | Class::Rejected(_) => format!("{endpoint}: {class}. {retry}"),
    };
    (reason, message)
}

fn gone(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Me(api) | Endpoint::Acls(api) => end_of(api),
        Endpoint::TokenEndpoint => "Check --apple-id-url.",
        Endpoint::Probe(Program::AppStore) => "Check --app-store-connect-url.",
        Endpoint::Probe(Program::Enterprise) => "Check --enterprise-url.",
    }
}

/// API v5 answers nothing after 2027-01-26, by Apple's announcement.
fn end_of(api: AdsApi) -> &'static str {
    match api {
        AdsApi::CampaignManagementV5 => "API v5 ends on 2027-01-26: take CampaignManagementV5 out of spec.apis.",
        AdsApi::PlatformV1 => "Check --ads-platform-url.",
    }
}

pub(super) fn patience(class: &Class, api: AdsApi) -> &'static str {
    match class {
        Class::NotFound | Class::Gone => end_of(api),
        Class::Forbidden => "Give the API user an API role in Apple Ads › Account Settings.",
        _ => "It is asked again.",
    }
}

pub(super) fn api_name(api: AdsApi) -> &'static str {
    match api {
        AdsApi::PlatformV1 => "PlatformV1",
        AdsApi::CampaignManagementV5 => "CampaignManagementV5",
    }
}
