//! What the operator's `ServiceAccount` may do, in each tier, as the API server itself tells: this and nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use cluster::Cluster;
use k8s_openapi::api::authorization::v1::SelfSubjectRulesReview;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::helm::{install, merged, tiers};

/// In every namespace that it looks after, where Secrets may not be watched.
const IN_SIGHT: [&str; 14] = [
    "get asacredentials.asa-operator.dev",
    "list asacredentials.asa-operator.dev",
    "watch asacredentials.asa-operator.dev",
    "get appstoreconnectcredentials.asa-operator.dev",
    "list appstoreconnectcredentials.asa-operator.dev",
    "watch appstoreconnectcredentials.asa-operator.dev",
    "update asacredentials/status.asa-operator.dev",
    "update appstoreconnectcredentials/status.asa-operator.dev",
    "get secrets",
    "create secrets",
    "patch secrets",
    "delete secrets",
    "create events.events.k8s.io",
    "patch events.events.k8s.io",
];
const WATCHING: [&str; 2] = ["list secrets", "watch secrets"];
const LEADING: [&str; 4] = [
    "get leases.coordination.k8s.io test-asa-operator",
    "watch leases.coordination.k8s.io test-asa-operator",
    "update leases.coordination.k8s.io test-asa-operator",
    "create leases.coordination.k8s.io",
];
const ANSWERING: [&str; 2] =
    ["create tokenreviews.authentication.k8s.io", "create subjectaccessreviews.authorization.k8s.io"];

#[tokio::test]
async fn each_tier_grants_what_it_says_and_nothing_else() {
    let cluster = cluster::shared().await;
    let watched = cluster.namespace("watched").await.unwrap();
    let foreign = cluster.namespace("foreign").await.unwrap();
    for tier in tiers(&[&watched]) {
        for secure in [false, true] {
            let own = cluster.namespace("operator").await.unwrap();
            let values = json!({"metrics": {"secure": {"enabled": secure, "tlsSecretName": "a"}}});
            install(cluster, &own, &merged(&tier, &values));

            let in_sight =
                || IN_SIGHT.iter().chain(if tier["rbac"]["secrets"] == "watch" { &WATCHING[..] } else { &[] });
            let everywhere = tier["rbac"]["namespaces"] == json!([]);
            for namespace in [&watched, &foreign, &own] {
                let mut wanted: BTreeSet<String> = BTreeSet::new();
                if everywhere || *namespace == watched {
                    wanted.extend(in_sight().map(ToString::to_string));
                }
                if *namespace == own {
                    wanted.extend(LEADING.map(str::to_owned));
                }
                if secure {
                    wanted.extend(ANSWERING.map(str::to_owned));
                }
                granted(cluster, &own, namespace, &wanted).await;
            }
        }
    }
}

/// Waits until the rights in `namespace` of the operator installed in `own` are those.
async fn granted(cluster: &Cluster, own: &str, namespace: &str, wanted: &BTreeSet<String>) {
    let everybody = rights(cluster, &format!("system:serviceaccount:{own}:nobody"), namespace).await;
    let operator = format!("system:serviceaccount:{own}:test-asa-operator");
    eventually(async || {
        let all = rights(cluster, &operator, namespace).await;
        let found: BTreeSet<String> = all.difference(&everybody).cloned().collect();
        if found == *wanted { Ok(()) } else { Err(format!("in {namespace}: {found:#?} instead of {wanted:#?}")) }
    })
    .await;
}

/// Each right as one line: verb, resource with subresource and group, name.
async fn rights(cluster: &Cluster, user: &str, namespace: &str) -> BTreeSet<String> {
    let client = client_of(&cluster.user(user, &[]).unwrap()).await;
    let review = serde_json::from_value(json!({"spec": {"namespace": namespace}})).unwrap();
    let reviews: Api<SelfSubjectRulesReview> = Api::all(client);
    let status = reviews.create(&PostParams::default(), &review).await.unwrap().status.unwrap();
    assert!(!status.incomplete);
    let mut rights = BTreeSet::new();
    for rule in status.resource_rules {
        let names = rule.resource_names.unwrap_or_else(|| vec![String::new()]);
        for verb in &rule.verbs {
            for group in rule.api_groups.iter().flatten() {
                for resource in rule.resources.iter().flatten() {
                    let resource = if group.is_empty() { resource.clone() } else { format!("{resource}.{group}") };
                    rights.extend(names.iter().map(|name| format!("{verb} {resource} {name}").trim_end().to_owned()));
                }
            }
        }
    }
    for rule in status.non_resource_rules {
        let urls = rule.non_resource_urls.unwrap_or_default();
        rights.extend(rule.verbs.iter().flat_map(|verb| urls.iter().map(move |url| format!("{verb} {url}"))));
    }
    rights
}

#[tokio::test]
async fn the_cluster_s_roles_gain_the_resources_and_neither_their_status_nor_anything_else() {
    let cluster = cluster::shared().await;
    let namespace = cluster.namespace("aggregated").await.unwrap();
    install(cluster, &namespace, &json!({}));
    let roles: Api<ClusterRole> = Api::all(cluster.client().unwrap());
    let (read, write) = (vec!["get", "list", "watch"], vec!["create", "update", "patch", "delete"]);
    let all = [read.clone(), write.clone(), vec!["deletecollection"]].concat();
    for (role, verbs) in [("view", read.clone()), ("edit", [read, write].concat()), ("admin", all)] {
        let wanted: BTreeSet<String> = ["asacredentials", "appstoreconnectcredentials"]
            .iter()
            .flat_map(|resource| verbs.iter().map(move |verb| format!("{verb} {resource}")))
            .collect();
        eventually(async || {
            let found = roles.get(role).await.unwrap();
            let ours = found.rules.into_iter().flatten();
            let ours = ours.filter(|rule| rule.api_groups.as_deref() == Some(&["asa-operator.dev".to_owned()]));
            let found: BTreeSet<String> = ours
                .flat_map(|rule| {
                    let resources = rule.resources.unwrap_or_default();
                    rule.verbs.into_iter().flat_map(move |verb| {
                        resources.clone().into_iter().map(move |resource| format!("{verb} {resource}"))
                    })
                })
                .collect();
            if found == wanted { Ok(()) } else { Err(format!("{role}: {found:?} instead of {wanted:?}")) }
        })
        .await;
    }
}

/// Who the kubeconfig says.
pub(crate) async fn client_of(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// Asks until it is so, for a minute: authorizer, admission and aggregation learn of objects by watches.
pub(crate) async fn eventually(mut ask: impl AsyncFnMut() -> Result<(), String>) {
    let end = Instant::now() + Duration::from_mins(1);
    while let Err(otherwise) = ask().await {
        assert!(Instant::now() < end, "not within a minute: {otherwise}");
        sleep(Duration::from_millis(50)).await;
    }
}
