//! Names that are public API: users select by them, other tools set or read them.

/// Label on a Secret of ours: the UID of the resource it belongs to. It repeats the owner reference, so that either
/// mark restores the other.
pub const LABEL_OWNER_UID: &str = "asa-operator.dev/owner-uid";

/// Type of the Secret with the access token.
pub const TYPE_ACCESS_TOKEN: &str = "asa-operator.dev/access-token";

/// Type of the Secret with a token for App Store Connect or the Enterprise Program.
pub const TYPE_APP_STORE_CONNECT_TOKEN: &str = "asa-operator.dev/app-store-connect-token";

/// Type of the Secret with the client secret.
pub const TYPE_CLIENT_SECRET: &str = "asa-operator.dev/client-secret";

/// Type of a Secret with a private key. Keys are also read from Secrets of type `Opaque`, and from no other.
pub const TYPE_PRIVATE_KEY: &str = "asa-operator.dev/private-key";

/// Annotation that asks for a renewal now. Any change of its value is a request.
pub const ANNOTATION_REQUESTED_AT: &str = "asa-operator.dev/requestedAt";

/// The same request as `flux reconcile` makes it.
pub const ANNOTATION_FLUX_REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// Annotation on a Secret of ours: what was written with its data (times, ids, a digest; no secret), as JSON. It lets a
/// restarted operator see from metadata alone that nothing is to be done.
pub const ANNOTATION_RECORD: &str = "asa-operator.dev/record";

/// Annotation on a managed Secret: the names of the labels and annotations that were set on it from the spec, as JSON.
pub const ANNOTATION_APPLIED: &str = "asa-operator.dev/applied";
