//! /livez and /readyz, in the form of Kubernetes' own: `ok`, or with `?verbose` and after a failure one line a check.
//!
//! <https://kubernetes.io/docs/reference/using-api/health-checks/>

use axum::{
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};

use crate::controller::health::Check;

/// The answer of all checks of `probe`.
pub(super) fn all(probe: &str, checks: &[Check], uri: &Uri) -> Response {
    let is_well = checks.iter().all(|check| check.fault.is_none());
    let is_verbose =
        uri.query().is_some_and(|query| query.split('&').any(|part| matches!(part, "verbose" | "verbose=true")));
    match (is_well, is_verbose) {
        (true, false) => "ok".into_response(),
        (true, true) => told(probe, checks, "passed").into_response(),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, told(probe, checks, "failed")).into_response(),
    }
}

/// The answer of the check `name`.
pub(super) fn one(checks: &[Check], name: &str) -> Response {
    match checks.iter().find(|check| check.name == name) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(Check { fault: None, .. }) => "ok".into_response(),
        Some(Check { fault: Some(fault), .. }) => (StatusCode::SERVICE_UNAVAILABLE, fault.clone()).into_response(),
    }
}

fn told(probe: &str, checks: &[Check], end: &str) -> String {
    let lines = checks.iter().map(|Check { name, fault }| match fault {
        None => format!("[+]{name} ok\n"),
        Some(fault) => format!("[-]{name} failed: {fault}\n"),
    });
    let mut text: String = lines.collect();
    text.extend([probe, " check ", end, "\n"]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_has_a_line_as_kubernetes_writes_it() {
        let checks = [
            Check { name: "loop", fault: None },
            Check { name: "watches", fault: Some("Secrets were not asked for anew for 700 s".to_owned()) },
        ];
        let text = "[+]loop ok\n[-]watches failed: Secrets were not asked for anew for 700 s\nlivez check failed\n";
        assert_eq!(told("livez", &checks, "failed"), text);
        assert_eq!(all("livez", &checks, &Uri::from_static("/livez")).status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(one(&checks, "loop").status(), StatusCode::OK);
        assert_eq!(one(&checks, "watches").status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(one(&checks, "tides").status(), StatusCode::NOT_FOUND);
    }
}
