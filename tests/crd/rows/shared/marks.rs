//! Labels and annotations of the managed Secret: the syntax of Kubernetes, bounds, and domains that are not the user's.

use serde_json::{Map, Value, json};

use crate::document::within;
use crate::rows::{About, Row, about, spec};

const LABELS: &str = "spec.secret.labels";
const ANNOTATIONS: &str = "spec.secret.annotations";

/// Longest key that Kubernetes takes: 253 characters of domain, a slash and 63 of name.
fn longest_key(number: usize) -> String {
    let domain = format!("{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61));
    format!("{domain}/{number:0>63}")
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = label_keys();
    rows.extend(annotation_keys());
    rows.extend(label_domains());
    rows.extend(annotation_domains());
    rows.extend(values());
    rows.extend(amounts());
    rows
}

fn labels(labels: Value) -> Value {
    within(LABELS, labels)
}

fn annotations(annotations: Value) -> Value {
    within(ANNOTATIONS, annotations)
}

fn label_keys() -> Vec<Row> {
    let rule = about(LABELS, "must have label keys as Kubernetes takes them");
    let refused = |name, key: &str| Row::refused(name, labels(one(key)), rule);
    let accepted = |name, key: &str| Row::accepted(name, labels(one(key))).under(rule);
    vec![
        refused("an empty label key", ""),
        refused("a label key with a blank", "my team"),
        refused("a label key that ends in a hyphen", "team-"),
        refused("a label key with two slashes", "example.com/a/b"),
        refused("a label key without a name", "example.com/"),
        refused("a label key without a domain before its slash", "/team"),
        refused("a label key with a domain in capitals", "Example.com/team"),
        refused("a label key with a line break at its end", "team\n"),
        refused("a label key whose name has 64 characters", &"a".repeat(64)),
        refused("a label key whose domain has 254 characters", &format!("{}/team", "a".repeat(254))),
        accepted("a label key of one letter", "t"),
        accepted("a label key with everything that is allowed", "example.com/My_Team.2-b"),
        accepted("a label key whose name has 63 characters", &"a".repeat(63)),
        accepted("a label key as long as they get", &longest_key(1)),
    ]
}

fn annotation_keys() -> Vec<Row> {
    let rule = about(ANNOTATIONS, "must have annotation keys as Kubernetes takes them");
    let refused = |name, key: &str| Row::refused(name, annotations(one(key)), rule);
    vec![
        refused("an annotation key with a colon", "example.com:contact"),
        refused("an annotation key with a domain in capitals", "Example.com/contact"),
        refused("an annotation key whose name has 64 characters", &format!("example.com/{}", "a".repeat(64))),
        Row::accepted("an annotation key as long as they get", annotations(one(&longest_key(1)))).under(rule),
    ]
}

fn label_domains() -> Vec<Row> {
    let rule = about(LABELS, "must not have label keys of kubernetes.io");
    domains(
        rule,
        &[
            ("a label of Kubernetes", "kubernetes.io/metadata.name"),
            ("a label of an application as Kubernetes recommends it", "app.kubernetes.io/part-of"),
            ("a label of k8s.io", "k8s.io/cluster-service"),
            ("a label of a part of k8s.io", "node.k8s.io/role"),
            ("a label of Argo CD", "argocd.argoproj.io/instance"),
            ("a label of Flux", "fluxcd.io/sync"),
            ("a label of a part of Flux", "kustomize.toolkit.fluxcd.io/name"),
            ("a label of Helm", "meta.helm.sh/release-name"),
            ("a label of ours", "asa-operator.dev/owner-uid"),
            ("a label of a part of ours", "demo.asa-operator.dev/owner-uid"),
        ],
        &[
            ("a label without a domain that is named like one", "kubernetes.io"),
            ("a label of a domain that ends like Kubernetes'", "notkubernetes.io/team"),
            ("a label of a domain that begins like Kubernetes'", "kubernetes.io.example.com/team"),
            ("a label of a domain that differs in one letter", "k8s-io/team"),
            ("a label of another tool of Argo", "argoproj.io/team"),
            ("a label of a domain that ends like Flux's", "reflux.example/team"),
        ],
        labels,
    )
}

fn annotation_domains() -> Vec<Row> {
    let rule = about(ANNOTATIONS, "must not have annotation keys of kubernetes.io");
    domains(
        rule,
        &[
            ("an annotation of kubectl", "kubectl.kubernetes.io/last-applied-configuration"),
            ("an annotation of a part of k8s.io", "prometheus.k8s.io/scrape"),
            ("an annotation of Argo CD", "argocd.argoproj.io/tracking-id"),
            ("an annotation of Flux", "reconcile.fluxcd.io/requestedAt"),
            ("an annotation of Helm", "meta.helm.sh/release-namespace"),
            ("an annotation of ours", "asa-operator.dev/record"),
        ],
        &[
            ("an annotation of Reflector", "reflector.v1.k8s.emberstack.com/reflection-allowed"),
            ("an annotation of a domain that ends like Helm's", "xmeta.helm.sh/release"),
        ],
        annotations,
    )
}

fn values() -> Vec<Row> {
    let of_label = |value: Value| labels(json!({ "team": value }));
    let of_annotation = |value: Value| annotations(json!({ "contact": value }));
    let team = "spec.secret.labels.team";
    let contact = "spec.secret.annotations.contact";
    let bytes = about(ANNOTATIONS, "must have values of at most 4096 bytes each");
    vec![
        Row::refused("a label with a blank", of_label(json!("my team")), about(team, "should match '^")),
        Row::refused("a label that ends in a dot", of_label(json!("team.")), about(team, "should match '^")),
        Row::refused("a label with a line break at its end", of_label(json!("team\n")), about(team, "should match '^")),
        Row::refused(
            "a label of 64 characters",
            of_label(json!("a".repeat(64))),
            about(team, "may not be more than 63"),
        ),
        Row::refused("a label that is no text", of_label(json!(true)), about(team, "must be of type string")),
        Row::accepted("a label of 63 characters", of_label(json!("a".repeat(63)))),
        Row::accepted("an empty label", of_label(json!(""))),
        Row::refused(
            "an annotation that is no text",
            of_annotation(json!(1)),
            about(contact, "must be of type string"),
        ),
        Row::refused(
            "an annotation of 4097 characters",
            of_annotation(json!("a".repeat(4097))),
            about(contact, "may not be more than 4096"),
        ),
        Row::refused("an annotation of 4098 bytes", of_annotation(json!("ü".repeat(2049))), bytes),
        Row::accepted("an annotation of 4096 bytes in fewer characters", of_annotation(json!("ü".repeat(2048))))
            .under(bytes),
        Row::accepted("an annotation of 4096 characters", of_annotation(json!("a".repeat(4096)))).under(bytes),
        Row::accepted("an annotation of several lines", of_annotation(json!("{\n  \"a\": 1\n}"))),
    ]
}

fn amounts() -> Vec<Row> {
    let many = |count: usize, value: &str| {
        Value::Object((1..=count).map(|number| (longest_key(number), json!(value))).collect())
    };
    vec![
        Row::refused("33 labels", labels(many(33, "")), about(LABELS, "must have at most 32")),
        Row::refused("33 annotations", annotations(many(33, "")), about(ANNOTATIONS, "must have at most 32")),
        Row::accepted(
            "as many labels and annotations as there may be, each as long as it gets",
            spec(json!({"secret": {"labels": many(32, &"a".repeat(63)), "annotations": many(32, &"a".repeat(4096))}})),
        ),
        Row::accepted("no labels", labels(json!({}))),
    ]
}

/// For a rule about domains: keys that it refuses, and keys that come close.
fn domains(
    rule: About,
    refused: &[(&'static str, &str)],
    accepted: &[(&'static str, &str)],
    marks: fn(Value) -> Value,
) -> Vec<Row> {
    let refused = refused.iter().map(|(name, key)| Row::refused(name, marks(one(key)), rule));
    let accepted = accepted.iter().map(|(name, key)| Row::accepted(name, marks(one(key))).under(rule));
    refused.chain(accepted).collect()
}

/// A map of one key.
fn one(key: &str) -> Value {
    Map::from_iter([(key.to_owned(), json!("growth"))]).into()
}
