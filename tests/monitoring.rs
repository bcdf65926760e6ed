//! Alerts, runbooks and dashboard belong together. That each alert fires when it should is for promtool: `tests/alerts/`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The chapters of a runbook, in their order.
const CHAPTERS: [&str; 5] = ["What it means", "Impact", "How to look", "Causes and cures", "How it ends"];

#[test]
fn every_alert_says_what_it_is_how_bad_and_what_to_do() {
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        assert!(["critical", "warning"].contains(&alert["labels"]["severity"].as_str().unwrap()), "{name}");
        assert_eq!(keys(&alert["labels"]), ["severity"], "{name}");
        assert_eq!(keys(&alert["annotations"]), ["description", "runbook_url", "summary"], "{name}");
        assert_eq!(alert["annotations"]["runbook_url"], format!("docs/runbooks/{name}.md"));
        let [summary, description] =
            ["summary", "description"].map(|part| alert["annotations"][part].as_str().unwrap());
        assert!(summary.ends_with('.') && !summary.contains('\n'), "{name}: {summary}");
        assert!(description.len() > 100 && !description.contains('\n'), "{name}: {description}");
    }
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    assert_eq!(files("docs/runbooks", "md"), names());
    for name in names() {
        let page = read(&format!("docs/runbooks/{name}.md"));
        assert!(page.starts_with(&format!("# {name}\n")), "{name}");
        let chapters: Vec<&str> = page.split("\n## ").skip(1).map(|chapter| chapter.lines().next().unwrap()).collect();
        assert_eq!(chapters, CHAPTERS, "{name}");
        assert!((30..=60).contains(&page.lines().count()), "{name}");
    }
}

#[test]
fn every_runbook_begins_with_the_severity_and_the_wait_of_its_alert_and_so_does_the_overview() {
    let overview = read("docs/monitoring.md");
    for alert in alerts() {
        let [name, severity] = [&alert["alert"], &alert["labels"]["severity"]].map(|value| value.as_str().unwrap());
        let wait = alert["for"].as_str();
        let row = format!("| [{name}](runbooks/{name}.md) | {severity} | {} | ", wait.unwrap_or("0"));
        assert!(overview.contains(&row), "{row}");
        let wait = match wait {
            None => "at once",
            Some("1m") => "after one minute",
            Some("2m") => "after two minutes",
            Some("3m") => "after three minutes",
            Some("5m") => "after five minutes",
            Some("10m") => "after ten minutes",
            Some("15m") => "after a quarter of an hour",
            Some(other) => panic!("{name}: {other} has no words yet"),
        };
        let runbook = read(&format!("docs/runbooks/{name}.md")).to_lowercase();
        assert!(runbook.contains(&format!("\n{severity}, {wait}.\n")), "{name}: {severity}, {wait}");
    }
}

#[test]
fn of_every_alert_it_is_tried_that_it_fires_and_that_it_does_not() {
    assert_eq!(files("tests/alerts", "yaml"), names());
    for name in names() {
        let tests: Value = serde_saphyr::from_str(&read(&format!("tests/alerts/{name}.yaml"))).unwrap();
        let tests = tests["tests"].as_array().unwrap();
        let cases: Vec<&Value> = tests.iter().flat_map(|test| test["alert_rule_test"].as_array().unwrap()).collect();
        assert!(cases.iter().all(|case| case["alertname"] == *name), "{name}");
        let firing = cases.iter().filter(|case| !case["exp_alerts"].as_array().unwrap().is_empty()).count();
        assert!(firing > 0 && cases.len() - firing > 1, "{name}");
    }
}

/// What Prometheus itself and the kubelet tell.
const OF_OTHERS: [&str; 2] = ["container_cpu_usage_seconds_total", "container_memory_working_set_bytes"];

#[test]
fn every_metric_and_label_that_an_alert_or_the_dashboard_asks_for_is_one_that_there_is() {
    let page = read("docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let told: BTreeMap<&str, BTreeSet<&str>> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (cells[0].trim_end_matches('`'), cells[2].split(", ").collect())
        })
        .collect();
    let dashboard: Value = serde_json::from_str(&read("charts/asa-operator/files/dashboard.json")).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().filter_map(|panel| panel["targets"].as_array());
    let targets: Vec<Value> = targets.flatten().cloned().collect();
    assert!(targets.len() > 20, "{}", targets.len());
    let mut asked = 0;
    for asks in alerts().iter().chain(&targets) {
        let query = asks["expr"].as_str().unwrap();
        for (metric, labels) in metrics(query) {
            if OF_OTHERS.contains(&metric.as_str()) {
                continue;
            }
            let known = told.get(metric.trim_end_matches("_bucket"));
            let known = known.unwrap_or_else(|| panic!("there is no {metric}: {query}"));
            assert!(labels.iter().all(|label| known.contains(label.as_str())), "{metric} has no {labels:?}: {query}");
            asked += 1;
        }
    }
    assert!(asked > 60, "{asked}");
}

/// The metrics that a query asks for, each with the labels by which it selects. Their names have underscores, as names of functions may,
/// which stand before a parenthesis; our labels have none.
fn metrics(query: &str) -> Vec<(String, Vec<String>)> {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(start) = rest.find(|letter| is_of_name(letter) || letter == '[' || letter == '{') {
        rest = &rest[start..];
        if let Some(end) = rest.starts_with(['[', '{']).then(|| rest.find([']', '}']).unwrap()) {
            rest = &rest[end..];
            continue;
        }
        let (name, behind) = rest.split_at(rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len()));
        rest = behind;
        if name.contains('_') && !behind.trim_start().starts_with('(') {
            let matchers = behind.strip_prefix('{').map_or("", |matchers| matchers.split('}').next().unwrap());
            let labels = matchers.split(',').filter_map(|matcher| matcher.split(['=', '!']).next());
            let labels = labels.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
            found.push((name.to_owned(), labels.collect()));
        }
    }
    found
}

fn alerts() -> Vec<Value> {
    let rules: Value = serde_saphyr::from_str(&read("charts/asa-operator/files/alerts.yaml")).unwrap();
    let groups = rules["groups"].as_array().unwrap();
    let alerts: Vec<Value> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect();
    assert!(alerts.len() > 10, "{}", alerts.len());
    alerts
}

fn names() -> BTreeSet<String> {
    alerts().iter().map(|alert| alert["alert"].as_str().unwrap().to_owned()).collect()
}

fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// The names, without their extension, of all files of a folder, which have no other.
fn files(folder: &str, extension: &str) -> BTreeSet<String> {
    let names = fs::read_dir(path(folder)).unwrap().map(|entry| entry.unwrap().path());
    let names = names.inspect(|path| assert_eq!(path.extension().unwrap(), extension, "{}", path.display()));
    names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}
