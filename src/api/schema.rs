//! Bounds and patterns that several fields of the schema share.

use schemars::{Schema, SchemaGenerator, json_schema};

/// The longest name of a Kubernetes object, in characters.
pub(super) const MAX_NAME_CHARS: u32 = 253;

/// The largest id that every JSON reader carries exactly (2^53 − 1). Apple's ids have about ten digits.
///
/// The full range of `i64` cannot be written into a schema: the API server reads bounds as floating-point numbers.
pub const MAX_ID: i64 = 9_007_199_254_740_991;

/// The longest request (value of an annotation that asks for a renewal) that status can echo, in characters.
/// RFC 3339 takes 35 of them at most; an annotation can be far longer and has to be cut.
pub const MAX_REQUEST_CHARS: u32 = 256;

/// A DNS-1123 subdomain: the form of a Secret's name.
pub(super) const DNS_SUBDOMAIN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// An entry of a Secret, as Kubernetes checks it: not `.`, and nothing that starts with `..`.
pub(super) const SECRET_ENTRY: &str = r"^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$";

/// An id as Apple shows it. Characters only: the uuids in Apple's own examples are not valid uuids.
pub(super) const APPLE_ID: &str = r"^[A-Za-z0-9][A-Za-z0-9._-]*$";

/// A duration in hours, minutes and seconds. `format: duration` is no help: it lets `2 weeks` and `-5m` pass.
pub(super) const DURATION: &str = r"^([0-9]+(\.[0-9]+)?(h|m|s))+$";

/// The longest duration, in characters.
pub(super) const MAX_DURATION_CHARS: u32 = 32;

/// A moment: RFC 3339, as Kubernetes writes it.
pub(super) fn timestamp(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time", "maxLength": 40 })
}
