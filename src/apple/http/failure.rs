//! What broke, where there was no whole answer.

use std::error::Error as StdError;
use std::io;

use rustls::CertificateError;

use crate::apple::error::Class;

/// The class of a call that ended without a whole answer; looks at types only, never at a text.
pub(super) fn class(error: &reqwest::Error) -> Class {
    if error.is_timeout() {
        return Class::TimedOut;
    }
    if error.is_dns() {
        return Class::Unreachable("the name does not resolve");
    }
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(known) = cause {
        if let Some(class) = known_class(known) {
            return class;
        }
        cause = inner(known);
    }
    Class::Unreachable(if error.is_connect() {
        "the connection failed"
    } else {
        "the connection ended before the answer did"
    })
}

/// What `cause` wraps. An `io::Error` hides it from `source`, and TLS errors come in two of them.
fn inner<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}

fn known_class(cause: &(dyn StdError + 'static)) -> Option<Class> {
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(Class::Unreachable(tls(error)));
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return io(error.kind()).map(Class::Unreachable);
    }
    let error = cause.downcast_ref::<hyper::Error>()?;
    error.is_parse().then_some(Class::Unintelligible("not HTTP"))
}

fn io(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some("the connection was refused"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Some("the connection was reset")
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("there is no route to it"),
        _ => None,
    }
}

fn tls(error: &rustls::Error) -> &'static str {
    let rustls::Error::InvalidCertificate(error) = error else {
        return "TLS could not be agreed on";
    };
    match error {
        CertificateError::UnknownIssuer => "TLS: its certificate is from an unknown authority",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "TLS: its certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "TLS: its certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "TLS: its certificate is for another name"
        }
        _ => "TLS: its certificate is not valid",
    }
}
