//! What of the chart repeats other files, and what it has to say of every object.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinitionSpec;
use serde_json::{Value, json};

use crate::helm::{NAMESPACE, everything, find, merged, rendered, tiers, workspace, yaml};

#[test]
fn chart_and_operator_have_the_version_of_the_workspace() {
    let chart = yaml("charts/asa-operator/Chart.yaml");
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_crds_are_those_of_the_workspace_and_marked_as_the_chart_s() {
    let text = std::fs::read_to_string(workspace("crds/asa-operator.dev.yaml")).unwrap();
    let wanted: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    assert_eq!(wanted.len(), 2);
    for crd in wanted {
        let name = crd["metadata"]["name"].as_str().unwrap();
        let objects = rendered(&json!({}));
        let found = find(&objects, &format!("CustomResourceDefinition/{name}")).unwrap();
        // As the API server reads it: 1 and 1.0 are the same bound.
        let spec = |crd: &Value| serde_json::from_value::<CustomResourceDefinitionSpec>(crd["spec"].clone()).unwrap();
        assert_eq!(spec(found), spec(&crd), "{name}");
        assert_eq!(found["metadata"]["annotations"], json!({"helm.sh/resource-policy": "keep"}));
    }
}

#[test]
fn the_defaults_of_the_operator_s_options_are_those_that_the_operator_has() {
    let options = std::fs::read_to_string(workspace("src/cli/run.rs")).unwrap();
    let values = yaml("charts/asa-operator/values.yaml");
    let apple = values["apple"].as_object().unwrap().values();
    let others = ["logFormat", "logFilter", "secretPollInterval"].map(|name| &values[name]);
    for value in apple.chain(others) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert!(options.contains(&format!("default_value = \"{text}\"")), "{text}");
    }
}

#[test]
fn every_object_says_whose_it_is_and_carries_what_the_user_wants_on_all() {
    let objects = rendered(&merged(&everything(), &json!({"extraObjects": []})));
    for object in objects {
        let meta = &object["metadata"];
        assert_eq!(meta["labels"]["app.kubernetes.io/name"], "asa-operator", "{object}");
        assert_eq!(meta["labels"]["team"], "growth", "{object}");
        assert_eq!(meta["annotations"]["example.com/contact"], "growth", "{object}");
    }
}

#[test]
fn labels_of_the_user_do_not_replace_those_that_select_the_pods() {
    let label = json!({"app.kubernetes.io/name": "a", "app.kubernetes.io/component": "b"});
    let objects = rendered(&json!({"commonLabels": label, "podLabels": label}));
    let deployment = find(&objects, "Deployment").unwrap();
    let selector = deployment["spec"]["selector"]["matchLabels"].as_object().unwrap();
    for (key, value) in selector {
        assert_eq!(deployment["spec"]["template"]["metadata"]["labels"][key], *value);
    }
    assert_eq!(find(&objects, "Service").unwrap()["spec"]["selector"], json!(selector));
}

#[test]
fn two_releases_of_one_name_in_two_namespaces_share_nothing_of_the_cluster() {
    let cluster_wide = |namespace| -> Vec<String> {
        let objects = crate::helm::rendered_in(namespace, &merged(&everything(), &json!({"crds": {"enabled": false}})));
        let objects = objects.iter().filter(|object| object["metadata"]["namespace"].is_null());
        objects.map(|object| format!("{}/{}", object["kind"], object["metadata"]["name"])).collect()
    };
    let (one, other) = (cluster_wide("one"), cluster_wide("other"));
    assert!(one.len() > 10);
    assert!(one.iter().all(|name| !other.contains(name)), "{one:?} {other:?}");
}

#[test]
fn with_a_list_of_namespaces_nothing_is_granted_to_the_operator_in_the_whole_cluster() {
    for tier in &tiers(&["a", "b"])[2..] {
        let objects = rendered(tier);
        assert_eq!(find(&objects, "ClusterRoleBinding"), None);
        let bound: Vec<&Value> = objects
            .iter()
            .filter(|object| object["kind"] == "RoleBinding")
            .map(|object| &object["metadata"]["namespace"])
            .collect();
        assert_eq!(bound, ["a", "b", NAMESPACE]);
        let arguments = &find(&objects, "Deployment").unwrap()["spec"]["template"]["spec"]["containers"][0]["args"];
        let arguments = arguments.as_array().unwrap();
        assert!(["--namespace=a", "--namespace=b"].iter().all(|wanted| arguments.contains(&json!(wanted))));
    }
}

#[test]
fn egress_goes_to_the_ports_that_the_urls_name_and_to_the_proxy_s_alone_where_there_is_one() {
    let ports = |values: &Value| {
        let values = merged(&json!({"networkPolicy": {"enabled": true}}), values);
        find(&rendered(&values), "NetworkPolicy").unwrap()["spec"]["egress"][2]["ports"].clone()
    };
    assert_eq!(ports(&json!({})), json!([{"port": 443}]));
    let changed = json!({"apple": {"idUrl": "https://apple.test:8443", "enterpriseUrl": "http://127.0.0.1/a:1"}});
    assert_eq!(ports(&changed), json!([{"port": 8443}, {"port": 443}, {"port": 80}]));
    let proxied = json!({"proxy": {"httpsProxy": "http://user@proxy.test:3128/"}});
    assert_eq!(ports(&merged(&changed, &proxied)), json!([{"port": 3128}]));
}

#[test]
fn what_monitors_and_the_test_pod_ask_is_there() {
    for secure in [false, true] {
        let values = json!({"metrics": {
            "secure": {"enabled": secure, "tlsSecretName": "a"},
            "serviceMonitor": {"enabled": true},
            "podMonitor": {"enabled": true},
        }});
        let objects = rendered(&values);
        let names = |ports: &Value| -> Vec<Value> {
            ports.as_array().unwrap().iter().map(|port| port["name"].clone()).collect()
        };
        let container = &find(&objects, "Deployment").unwrap()["spec"]["template"]["spec"]["containers"][0];
        let of_service = names(&find(&objects, "Service").unwrap()["spec"]["ports"]);
        let wanted = if secure { "metrics" } else { "http" };
        for (monitor, endpoints) in [("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints")] {
            let endpoint = &find(&objects, monitor).unwrap()["spec"][endpoints][0];
            assert_eq!(endpoint["port"], wanted, "{monitor}");
            assert_eq!(endpoint["scheme"] == "https", secure, "{monitor}");
            assert_eq!(endpoint["honorLabels"], true, "{monitor}");
        }
        let service = find(&objects, "Service").unwrap();
        let pod = &find(&objects, "Deployment").unwrap()["spec"]["template"];
        for (monitor, selected) in [("ServiceMonitor", service), ("PodMonitor", pod)] {
            let wanted = find(&objects, monitor).unwrap()["spec"]["selector"]["matchLabels"].as_object().unwrap();
            assert!(wanted.iter().all(|(key, value)| selected["metadata"]["labels"][key] == *value), "{monitor}");
        }
        assert!(names(&container["ports"]).contains(&json!(wanted)) && of_service.contains(&json!(wanted)));

        let containers = find(&objects, "Pod").unwrap()["spec"]["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 1, "helm test --logs shows one");
        let url = |path| format!("http://test-asa-operator.{NAMESPACE}.svc:8080/{path}");
        let mut asked = vec!["probe".to_owned(), url("livez"), url("readyz")];
        asked.extend((!secure).then(|| url("metrics")));
        assert_eq!(containers[0]["args"], json!(asked));
    }
}

#[test]
fn the_chart_takes_the_values_that_the_page_on_proxies_shows() {
    let page = std::fs::read_to_string(workspace("docs/proxy.md")).unwrap();
    let examples: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 4);
    for example in examples {
        rendered(&serde_saphyr::from_str(example).unwrap());
    }
}
