//! The objects that the story applies.

use fake_apple::{ApiKey, Client, Config, Settings};
use serde_json::{Value, json};

use crate::image::TOOLS;

/// The name of the stand-in for Apple in DNS.
pub(crate) const APPLE_HOST: &str = "apple.test";

/// The namespace of credentials and workload.
pub(crate) const NAMESPACE: &str = "marketing";

/// The namespace of the operator.
pub(crate) const OPERATOR: &str = "asa-operator";

/// Seconds that an access token lives. Half of it is left for the next renewal, which is more than a failover takes.
pub(crate) const TOKEN_LIFE: u32 = 60;

const CLIENT: &str = "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577";
const KEY_ID: &str = "bacaebda-e219-41ee-a907-e2c25b24d1b2";
const API_KEY_ID: &str = "2X9R4HXF34";
const ISSUER: &str = "57246542-96fe-1a63-e053-0824d011072a";

/// A key pair as PEM, made as Apple says.
pub(crate) struct KeyPair {
    pub(crate) private: String,
    pub(crate) public: String,
}

/// What Apple knows at the start.
pub(crate) fn config(ads: &KeyPair, app_store: &KeyPair) -> Config {
    let client = Client::new(CLIENT, CLIENT, KEY_ID, ads.public.as_str());
    Config {
        // The workload calls more often than Apple would let it.
        settings: Settings { token_life_seconds: TOKEN_LIFE, hourly_limit: 1_000_000, ..Settings::default() },
        clients: vec![client.organization(40_669_820, "Acme").ad_account(9001, "Acme Europe")],
        api_keys: vec![ApiKey::team(API_KEY_ID, ISSUER, app_store.public.as_str())],
        ..Config::default()
    }
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// The stand-in for Apple: HTTPS by an authority of its own, whose certificate it leaves in `folder` of the machine.
pub(crate) fn apple(config: &Config, folder: &str) -> Value {
    let labels = json!({"app": "apple"});
    let arguments = [
        "--listen=0.0.0.0:8090",
        "--https-listen=0.0.0.0:8443",
        &format!("--https-name={APPLE_HOST}"),
        "--config=/config/config.json",
        "--ca-out=/out/ca.pem",
    ];
    json!({"apiVersion": "v1", "kind": "List", "items": [
        namespace("apple"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "apple", "namespace": "apple"},
         "data": {"config.json": json!(config).to_string()}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "apple", "namespace": "apple"}, "spec": {
            "selector": labels,
            "ports": [{"name": "https", "port": 443, "targetPort": 8443}, {"name": "http", "port": 80, "targetPort": 8090}]}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "apple", "namespace": "apple", "labels": labels}, "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "apple", "image": TOOLS, "imagePullPolicy": "Never",
                "command": ["/bin/fake-apple"], "args": arguments,
                "readinessProbe": {"tcpSocket": {"port": 8443}, "periodSeconds": 1},
                "volumeMounts": [{"name": "config", "mountPath": "/config"}, {"name": "out", "mountPath": "/out"}]}],
            "volumes": [{"name": "config", "configMap": {"name": "apple"}},
                {"name": "out", "hostPath": {"path": folder, "type": "Directory"}}]}},
    ]})
}

/// Both keys and both credentials. Secrets stay when the credential of Apple Ads goes.
pub(crate) fn credentials(ads: &KeyPair, app_store: &KeyPair) -> Value {
    let secret = |name: &str, entry: &str, key: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "stringData": {entry: key}});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        secret("acme-key", "private-key.pem", &ads.private),
        secret("acme-api-key", "AuthKey.p8", &app_store.private),
        {"apiVersion": "asa-operator.dev/v1alpha1", "kind": "AsaCredential",
         "metadata": {"name": "acme", "namespace": NAMESPACE}, "spec": {
            "clientId": CLIENT, "teamId": CLIENT, "keyId": KEY_ID, "privateKey": {"secretRef": {"name": "acme-key"}},
            "secret": {"formats": ["CurlConfig"], "deletionPolicy": "Retain"}}},
        {"apiVersion": "asa-operator.dev/v1alpha1", "kind": "AppStoreConnectCredential",
         "metadata": {"name": "acme-app-store", "namespace": NAMESPACE}, "spec": {
            "keyId": API_KEY_ID, "issuerId": ISSUER, "privateKey": {"secretRef": {"name": "acme-api-key", "key": "AuthKey.p8"}},
            "secret": {"formats": ["CurlConfig"]}}},
    ]})
}

/// A workload that calls Apple with nothing but mounted files, one line for each call: seconds since boot, the file for curl,
/// the status, and when the token was issued.
const CALLS: &str = r#"
call() {
    issued=$(cat "/$1/issued_at")
    status=$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' --cacert /ca/ca.pem \
        --config "/$1/$2" "https://apple.test$3")
    echo "$(cut -d' ' -f1 /proc/uptime) $2 $status $issued"
}
while sleep 0.1; do
    call ads curl-campaign-v5 /api/v5/campaigns
    call ads curl-platform-v1 /v1/campaigns
    call app-store curl-app-store-connect /app-store-connect/v1/apps
done
"#;

/// The workload's pod, as little privileged as can be.
pub(crate) fn workload(ca: &str) -> Value {
    let mount = |name: &str| json!({"name": name, "mountPath": format!("/{name}"), "readOnly": true});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "apple-ca", "namespace": NAMESPACE}, "data": {"ca.pem": ca}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "workload", "namespace": NAMESPACE}, "spec": {
            "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 1000},
            "containers": [{"name": "workload", "image": TOOLS, "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", CALLS],
                "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
                "volumeMounts": [mount("ads"), mount("app-store"), mount("ca")]}],
            "volumes": [{"name": "ads", "secret": {"secretName": "acme"}},
                {"name": "app-store", "secret": {"secretName": "acme-app-store"}},
                {"name": "ca", "configMap": {"name": "apple-ca"}}]}},
    ]})
}

/// The chart's values.
pub(crate) fn values(ca: &str, log_filter: &str) -> Value {
    json!({
        "image": {"repository": crate::image::OPERATOR.0, "tag": crate::image::OPERATOR.1, "pullPolicy": "Never"},
        "replicas": 2,
        "caBundle": {"pem": ca},
        "logFilter": log_filter,
        "apple": {
            "idUrl": format!("https://{APPLE_HOST}"),
            "adsPlatformUrl": format!("https://{APPLE_HOST}/v1"),
            "adsCampaignUrl": format!("https://{APPLE_HOST}/api/v5"),
            "appStoreConnectUrl": format!("https://{APPLE_HOST}/app-store-connect"),
            "enterpriseUrl": format!("https://{APPLE_HOST}/enterprise"),
        },
    })
}
