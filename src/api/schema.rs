//! Bounds, patterns and rules that several fields of the schema share.

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

/// The most labels, and the most annotations, that a user may ask for. With values of at most 4096 bytes, this many
/// annotations take 141 KB at most: Kubernetes gives an object 256 KiB for all of its annotations, ours among them.
const MAX_MARKS: u32 = 32;

/// The value of a label, as Kubernetes checks it.
const LABEL_VALUE: &str = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$";

/// CEL: that all keys of a map are what Kubernetes takes as keys of labels. Of annotations it takes capitals in the domain
/// too; without them the rule about domains need not know that case does not matter there.
pub(super) const QUALIFIED_NAMES: &str = "self.all(key, !format.qualifiedName().validate(key).hasValue())";

/// CEL: that no key of a map is of a domain whose labels and annotations tell other programs, or this one, what to do.
/// The managed Secret would else take orders from whoever may write resources but no Secrets.
pub(super) const FREE_DOMAINS: &str = "!self.exists(key, key.matches('^(\
    ([^/]+[.])?(kubernetes[.]io|k8s[.]io|fluxcd[.]io|asa-operator[.]dev)|argocd[.]argoproj[.]io|meta[.]helm[.]sh)/'))";

/// CEL: that the values of annotations are as small in bytes as the schema can say in characters only.
pub(super) const ANNOTATION_BYTES: &str = "self.all(key, bytes(self[key]).size() <= 4096)";

/// Labels of the managed Secret.
pub(super) fn labels(_: &mut SchemaGenerator) -> Schema {
    let value = json_schema!({
        "description": "The label's value, for example growth.",
        "type": "string",
        "maxLength": 63,
        "pattern": LABEL_VALUE,
    });
    json_schema!({ "type": "object", "maxProperties": MAX_MARKS, "additionalProperties": value })
}

/// Annotations of the managed Secret.
pub(super) fn annotations(_: &mut SchemaGenerator) -> Schema {
    let value = json_schema!({ "description": "The annotation's value.", "type": "string", "maxLength": 4096 });
    json_schema!({ "type": "object", "maxProperties": MAX_MARKS, "additionalProperties": value })
}

/// A moment: RFC 3339, as Kubernetes writes it.
pub(super) fn timestamp(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time", "maxLength": 40 })
}
