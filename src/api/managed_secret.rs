//! `spec.secret`: the managed Secret, what it carries besides the token, and what becomes of it.

#![allow(unreachable_pub, reason = "KubeSchema repeats each struct, with its `pub`, inside a function")]
#![allow(clippy::doc_markdown, reason = "field docs are what `kubectl explain` prints, where backticks are noise")]

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::schema::{
    ANNOTATION_BYTES, DNS_SUBDOMAIN, FREE_DOMAINS, MAX_NAME_CHARS, QUALIFIED_NAMES, annotations, labels,
};

/// The managed Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretSpec {
    /// The Secret's name, for example acme. When it changes, the Secret of the new name is there and works before the old
    /// one goes, and status.secret.name changes last. Default: the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MAX_NAME_CHARS), regex(pattern = DNS_SUBDOMAIN))]
    pub name: Option<String>,

    /// Entries that the Secret carries besides the plain ones, for example [Json, CurlConfig]. Json: credentials.json, all
    /// of them as one document. Dotenv: credentials.env, lines such as ASA_ACCESS_TOKEN=… or ASC_TOKEN=…, safe to source.
    /// CurlConfig: a file for curl -K with the headers of each API: curl-campaign-v5 and curl-platform-v1, or
    /// curl-app-store-connect. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub formats: Vec<SecretFormat>,

    /// Labels of the Secret, for example team: growth. One that is removed here is removed there; those that others set
    /// on the Secret stay. Keys of kubernetes.io, k8s.io, fluxcd.io and asa-operator.dev, their subdomains,
    /// argocd.argoproj.io and meta.helm.sh are refused. At most 32. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "labels")]
    #[x_kube(
        validation = Rule::new(QUALIFIED_NAMES)
            .message(
                "must have label keys as Kubernetes takes them: at most 63 letters, digits, -, _ and . that start and end \
                 with a letter or digit, if need be after a DNS name in lowercase and a slash"
            ),
        validation = Rule::new(FREE_DOMAINS)
            .message(
                "must not have label keys of kubernetes.io, k8s.io, fluxcd.io or asa-operator.dev, their subdomains, \
                 argocd.argoproj.io or meta.helm.sh: those are instructions to other programs"
            )
            .reason(Reason::FieldValueForbidden)
    )]
    pub labels: BTreeMap<String, String>,

    /// Annotations of the Secret, for example example.com/contact: growth@example.com, values of at most 4096 bytes. One
    /// that is removed here is removed there; those that others set on the Secret stay. Keys are refused as for labels.
    /// At most 32. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "annotations")]
    #[x_kube(
        validation = Rule::new(QUALIFIED_NAMES)
            .message(
                "must have annotation keys as Kubernetes takes them: at most 63 letters, digits, -, _ and . that start and \
                 end with a letter or digit, if need be after a DNS name in lowercase and a slash"
            ),
        validation = Rule::new(FREE_DOMAINS)
            .message(
                "must not have annotation keys of kubernetes.io, k8s.io, fluxcd.io or asa-operator.dev, their subdomains, \
                 argocd.argoproj.io or meta.helm.sh: those are instructions to other programs"
            )
            .reason(Reason::FieldValueForbidden),
        validation = Rule::new(ANNOTATION_BYTES)
            .message("must have values of at most 4096 bytes each; letters beyond ASCII take two to four")
    )]
    pub annotations: BTreeMap<String, String>,

    /// Whether a Secret of that name that is there already may be taken over: Never, or IfUnowned. With IfUnowned, one of
    /// the type that the operator gives it (asa-operator.dev/access-token, or asa-operator.dev/app-store-connect-token)
    /// that no existing resource owns is taken over, such as one that an earlier resource left by deletionPolicy Retain.
    /// Default: Never.
    #[serde(default)]
    pub adoption: Adoption,

    /// What becomes of the Secret when the resource is deleted: Delete, or Retain. With Retain it stays, as it carries no
    /// owner reference but only the label asa-operator.dev/owner-uid; its token ends in its time, and nobody renews it. A
    /// client secret's Secret goes in any case, a generated key's never. Default: Delete.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// A form in which the managed Secret carries everything once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SecretFormat {
    /// One JSON document: `credentials.json`.
    Json,
    /// Assignments that a shell can source: `credentials.env`.
    Dotenv,
    /// A file for `curl -K` for each API: `curl-campaign-v5`, `curl-platform-v1`; `curl-app-store-connect`.
    CurlConfig,
}

/// Whether a Secret that is there already may be taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Adoption {
    /// No: the resource says that the name is taken.
    #[default]
    Never,
    /// Yes, if it has our type and no existing resource owns it.
    IfUnowned,
}

/// What becomes of the managed Secret when its resource is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// It goes too.
    #[default]
    Delete,
    /// It stays, with the token that it has.
    Retain,
}
