//! What kubectl says of the kinds: that nothing is wrong with their definitions, their columns, their fields.

use std::process::Command;
use std::time::Duration;

use asa_operator::api::{Kind, crd};
use cluster::Cluster;
use kube::api::PostParams;

use crate::document::base;
use crate::server::{object, resources_in};
use crate::shape::fields;

/// Until the API server publishes the schema of a definition that it has, with room for a busy machine.
const PUBLISHED: Duration = Duration::from_mins(1);

#[tokio::test]
async fn the_definition_is_accepted_without_a_warning() {
    let cluster = cluster::shared().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let definition = crd::yaml().unwrap();

    std::fs::write(file.path(), &definition).unwrap();
    let (succeeded, stdout, stderr) = run(apply(cluster).arg(file.path()));
    assert!(succeeded && stderr.is_empty(), "{stderr}");
    assert_eq!(stdout.lines().count(), Kind::ALL.len(), "{stdout}");

    // That a warning would be seen.
    std::fs::write(file.path(), definition.replace("int64", "uint64")).unwrap();
    let (succeeded, _, stderr) = run(apply(cluster).arg(file.path()));
    assert!(!succeeded && stderr.contains("unrecognized format"), "{stderr}");
}

#[tokio::test]
async fn kubectl_shows_the_columns() {
    let cluster = cluster::shared().await;
    let namespace = cluster.namespace("columns").await.unwrap();
    for kind in Kind::ALL {
        let resources = resources_in(cluster, kind, &namespace);
        resources.create(&PostParams::default(), &object(base(kind))).await.unwrap();
        crate::status::report(&resources, kind).await;
    }
    let table = |arguments: &[&str]| {
        let (succeeded, stdout, stderr) =
            run(cluster.kubectl().args(["--namespace", &namespace, "get"]).args(arguments));
        assert!(succeeded && stderr.is_empty(), "{stderr}");
        stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    for (short, own, value) in [("asacred", "ORG", "40669820"), ("asccred", "PROGRAM", "AppStore")] {
        let narrow = table(&[short]);
        assert_eq!(narrow[0], "NAME READY REASON SECRET EXPIRES AGE");
        assert!(narrow[1].starts_with("acme True Available acme 2026-03-01T13:00:00Z "), "{}", narrow[1]);

        let wide = table(&[short, "--output=wide"]);
        assert_eq!(wide[0], format!("NAME READY REASON SECRET EXPIRES AGE {own} RENEWS MESSAGE"));
        let end = format!(" {value} 2026-03-01T12:28:00Z The token works");
        assert!(wide[1].ends_with(&end), "{}", wide[1]);
    }

    let mut both = table(&["apple", "--output=name"]);
    both.sort();
    assert_eq!(both, ["appstoreconnectcredential.asa-operator.dev/acme", "asacredential.asa-operator.dev/acme"]);
}

#[tokio::test]
async fn kubectl_explains_every_field() {
    let cluster = cluster::shared().await;
    for (kind, short) in [(Kind::Ads, "asacred"), (Kind::AppStoreConnect, "asccred")] {
        let whole = explanation(cluster, &[&format!("{short}.spec"), "--recursive"]).await;
        let of_spec =
            fields(kind).into_iter().filter(|(path, _)| path.starts_with("spec.") && !path.ends_with([']', '}']));
        for (path, field) in of_spec {
            let (parent, name) = path.rsplit_once('.').unwrap();
            assert!(whole.contains(&format!("{name}\t<")), "{path}: {whole}");
            // One by one only those of the spec itself: each is a program that asks the API server for its schemas.
            if parent == "spec" {
                let explained = explanation(cluster, &[&format!("{short}.{path}")]).await;
                let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                let description = words(field["description"].as_str().unwrap());
                assert!(words(&explained).contains(&description), "{path}: {explained}");
            }
        }
    }
}

/// What `kubectl explain` prints, once the API server has published the schemas.
async fn explanation(cluster: &Cluster, arguments: &[&str]) -> String {
    let published = async {
        loop {
            let (succeeded, stdout, stderr) = run(cluster.kubectl().arg("explain").args(arguments));
            if succeeded {
                return stdout;
            }
            let is_early =
                ["couldn't find resource", "not found in OpenAPI schema"].iter().any(|text| stderr.contains(text));
            assert!(is_early, "{stderr}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PUBLISHED, published).await.unwrap()
}

fn apply(cluster: &Cluster) -> Command {
    let mut kubectl = cluster.kubectl();
    kubectl.args(["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--warnings-as-errors"]);
    kubectl.arg("--filename");
    kubectl
}

/// Whether the command succeeded, and what it wrote to stdout and to stderr.
fn run(command: &mut Command) -> (bool, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}
