//! README, docs and examples say what is true: what can be checked of them is checked here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use asa_operator::api::{AppStoreConnectCredential, AsaCredential, ConditionType, Kind, Reason};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams, ValidationDirective};
use serde_json::Value;

/// Of each kind: its minimal example, and one with every field.
const EXAMPLES: [(Kind, &str, &str); 2] = [
    (Kind::Ads, "examples/minimal.yaml", "examples/full.yaml"),
    (Kind::AppStoreConnect, "examples/app-store-connect.yaml", "examples/app-store-connect-full.yaml"),
];

/// The page that is about one kind only.
const APP_STORE_CONNECT: &str = "docs/app-store-connect.md";

#[tokio::test]
async fn the_api_server_accepts_the_examples_as_they_are() {
    let cluster = cluster::shared().await;
    for example in EXAMPLES.iter().flat_map(|(_, minimal, full)| [minimal, full]) {
        let mut kubectl = cluster.kubectl();
        kubectl.args(["apply", "--dry-run=server", "--validate=strict", "--filename"]).arg(path(example));
        let output = kubectl.output().unwrap();
        assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_full_examples_have_every_field_of_the_spec() {
    for (kind, _, full) in EXAMPLES {
        let example: Value = serde_saphyr::from_str(&read(full)).unwrap();
        assert_eq!(example["kind"], kind.as_str());
        for path in paths(&spec(kind), "/spec") {
            assert!(example.pointer(&path).is_some(), "{path} is not in {full}");
        }
    }
}

#[tokio::test]
async fn the_api_server_accepts_every_example_of_the_pages_for_users() {
    let cluster = cluster::shared().await;
    let namespace = cluster.namespace("documents").await.unwrap();
    let params = PatchParams { dry_run: true, ..PatchParams::apply("a-reader") };
    let params = PatchParams { field_validation: Some(ValidationDirective::Strict), ..params };
    for (kind, minimal, _) in EXAMPLES {
        let minimal: DynamicObject = serde_saphyr::from_str(&read(minimal)).unwrap();
        let there = minimal.metadata.name.as_deref().unwrap();
        let (type_, pages) = match kind {
            Kind::Ads => (ApiResource::erase::<AsaCredential>(&()), &["docs/fields.md", "docs/rollover.md"][..]),
            Kind::AppStoreConnect => {
                (ApiResource::erase::<AppStoreConnectCredential>(&()), &["docs/fields.md", APP_STORE_CONNECT][..])
            }
        };
        let resources: Api<DynamicObject> = Api::namespaced_with(cluster.client().unwrap(), &namespace, &type_);
        resources.create(&PostParams::default(), &minimal).await.unwrap();
        for page in pages {
            let examples = examples(page, kind);
            assert!(examples.len() > 2, "{page} has {} examples", examples.len());
            for example in examples {
                let answer = match example["metadata"]["name"].as_str() {
                    Some(name) => resources.patch(name, &params.clone().force(), &Patch::Apply(&example)).await,
                    None => resources.patch(there, &params, &Patch::Merge(&example)).await,
                };
                if let Err(refusal) = answer {
                    panic!("{page}: {example}: {refusal}");
                }
            }
        }
    }
}

#[test]
fn the_page_of_fields_has_an_example_of_every_field_of_the_spec() {
    for kind in Kind::ALL {
        let examples = examples("docs/fields.md", kind);
        let paths = paths(&spec(kind), "/spec");
        assert!(paths.len() > 15, "{paths:?}");
        for path in paths {
            let is_there = |example: &Value| example.pointer(&path).is_some();
            assert!(examples.iter().any(is_there), "no example of docs/fields.md for {} has {path}", kind.as_str());
        }
    }
}

#[test]
fn the_readme_shows_the_minimal_example() {
    let yaml = format!("```yaml\n{}```\n", read("examples/minimal.yaml"));
    assert!(read("README.md").contains(&yaml));
}

#[test]
fn the_readme_lists_every_option_of_run_with_its_default() {
    let help = Command::new(env!("CARGO_BIN_EXE_asa-operator")).args(["run", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed: BTreeSet<String> = rows(&read("README.md"), "option of `run`").into_iter().collect();
    let told = help.split("\n      --").skip(1).map(|option| {
        let name = option.split_whitespace().next().unwrap();
        let default = option.split("[default: ").nth(1).and_then(|rest| rest.split(']').next());
        // Where there is no default, the table may say what its absence means.
        default.map_or_else(|| format!("`--{name}`"), |default| format!("`--{name}` | `{default}`"))
    });
    let told: Vec<String> = told.collect();
    assert!(told.len() > 10, "{help}");
    for option in &told {
        assert!(listed.iter().any(|row| row.starts_with(&format!("| {option} |"))), "no row for {option}");
    }
    assert_eq!(listed.len(), told.len(), "a row is about no option");
}

#[test]
fn the_page_of_conditions_has_a_paragraph_for_every_type_and_reason_and_for_no_other() {
    let page = read("docs/conditions.md");
    let (types, reasons) = page.split_once("## Reasons").unwrap();
    let names = |all: &[String]| all.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(paragraphs(types), names(&ConditionType::ALL.iter().map(ToString::to_string).collect::<Vec<_>>()));
    assert_eq!(paragraphs(reasons), names(&Reason::ALL.iter().map(ToString::to_string).collect::<Vec<_>>()));
}

/// The names of the paragraphs, each of which says what a word means and what to do.
fn paragraphs(text: &str) -> BTreeSet<String> {
    let sections = text.split("### `").skip(1).map(|section| section.split_once("`\n").unwrap());
    let named = sections.map(|(name, words)| {
        let (meaning, remedy) = words.split_once("*To do").unwrap_or_else(|| panic!("{name} has no remedy"));
        assert!(meaning.trim().len() > 20 && remedy.trim().len() > 5, "{name}: {words}");
        name.to_owned()
    });
    named.collect()
}

#[test]
fn every_test_that_the_page_of_promises_names_is_there() {
    let page = read("docs/promises.md");
    let mut sources = String::new();
    for folder in ["src", "tests"] {
        collect(&path(folder), &mut sources);
    }
    let names: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|word| word.matches('_').count() > 2).collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        assert!(sources.contains(&format!("fn {name}()")), "no test {name}");
    }
    let numbers: Vec<String> = (1..=11).map(|number| format!("\n**{number}. ")).collect();
    assert!(numbers.iter().all(|number| page.contains(number)), "a promise is missing");
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let page = read("docs/threat-model.md");
    let threats = page.lines().filter(|line| line.starts_with("| ") && line.contains("::"));
    let mut count = 0;
    for threat in threats {
        count += 1;
        assert!(threat.starts_with(&format!("| {count} | ")), "{threat}");
        let tests = threat.split('`').skip(1).step_by(2).filter_map(|word| word.split_once("::"));
        for (file, name) in tests {
            assert!(read(file).contains(&format!("fn {name}()")), "no test {name} in {file}");
        }
    }
    assert!(count >= 25, "{count} threats");
}

/// All Rust below a folder.
fn collect(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    for page in [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/conditions.md",
        "docs/promises.md",
        "docs/fields.md",
        "docs/rollover.md",
        "docs/monitoring.md",
        "docs/threat-model.md",
        "docs/install.md",
        "docs/rbac.md",
        "docs/proxy.md",
        "docs/consumers.md",
        "docs/image.md",
        "charts/asa-operator/README.md",
        APP_STORE_CONNECT,
    ]
    .into_iter()
    .map(ToOwned::to_owned)
    .chain(runbooks())
    {
        let text = read(&page);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let target = target.split('#').next().unwrap();
            let file = path(&page).parent().unwrap().join(target);
            assert!(file.exists(), "{page} links to {target}");
        }
    }
}

/// What to do about each alert.
fn runbooks() -> Vec<String> {
    let entries = fs::read_dir(path("docs/runbooks")).unwrap();
    entries.map(|entry| format!("docs/runbooks/{}", entry.unwrap().file_name().to_str().unwrap())).collect()
}

#[test]
fn every_file_that_contributors_are_sent_to_is_there() {
    let text = read("CONTRIBUTING.md");
    for word in text.split('`').skip(1).step_by(2) {
        if ["src/", "tests/", "examples/", "docs/", "demo/"].iter().any(|folder| word.starts_with(folder)) {
            assert!(path(word).exists(), "{word}");
        }
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

/// The rows of all tables whose first column is headed so.
fn rows(page: &str, heading: &str) -> Vec<String> {
    let mut rows = Vec::new();
    let mut lines = page.lines();
    while lines.by_ref().any(|line| line.starts_with(&format!("| {heading} |"))) {
        rows.extend(lines.by_ref().skip(1).take_while(|line| line.starts_with('|')).map(ToOwned::to_owned));
    }
    rows
}

/// The schema of a kind's spec.
fn spec(kind: Kind) -> Value {
    let crds = asa_operator::api::crd::crds().into_iter().map(|crd| serde_json::to_value(crd).unwrap());
    let mut of_kind = crds.filter(|crd| crd["spec"]["names"]["kind"] == kind.as_str());
    of_kind.next().unwrap()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone()
}

/// The paths of all properties below a schema, as JSON pointers.
fn paths(schema: &Value, parent: &str) -> Vec<String> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let below = properties.iter().map(|(name, schema)| {
        let path = format!("{parent}/{name}");
        [vec![path.clone()], paths(schema, &path)].concat()
    });
    below.flatten().collect()
}

/// The kinds that a chapter of a page is about, by its heading.
fn kinds(page: &str, heading: &str) -> &'static [Kind] {
    match heading {
        _ if page == APP_STORE_CONNECT => &[Kind::AppStoreConnect],
        "The Secret" | "Pause and renewal on demand" => &Kind::ALL,
        "App Store Connect" => &[Kind::AppStoreConnect],
        _ => &[Kind::Ads],
    }
}

/// The YAML blocks of a page that are about a kind.
fn examples(page: &str, kind: Kind) -> Vec<Value> {
    let text = read(page);
    let chapters = text.split("\n## ").filter(|chapter| kinds(page, chapter.lines().next().unwrap()).contains(&kind));
    let mut examples = Vec::new();
    for chapter in chapters {
        let mut lines = chapter.lines();
        while let Some(fence) = lines.find(|line| line.trim_start() == "```yaml") {
            let indent = fence.len() - fence.trim_start().len();
            let block = lines.by_ref().take_while(|line| line.trim_start() != "```");
            let block: Vec<&str> = block.map(|line| line.get(indent..).unwrap_or_default()).collect();
            examples.push(serde_saphyr::from_str(&block.join("\n")).unwrap());
        }
    }
    examples
}
