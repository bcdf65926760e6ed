//! What `/metrics` shows, read back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::eventually;

/// One series: its name, labels and value.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// One scrape in Prometheus' text format.
pub(super) struct Scrape(pub(super) String);

impl Scrape {
    pub(super) async fn of(address: &str) -> Self {
        let url = format!("http://{address}/metrics");
        let answer = eventually(&url, async || reqwest::get(&url).await).await;
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        Self(answer.text().await.unwrap())
    }

    /// Each family with its type.
    pub(super) fn families(&self) -> BTreeMap<String, String> {
        let types = self.0.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        types.map(|(name, type_)| (name.to_owned(), type_.to_owned())).collect()
    }

    pub(super) fn series(&self) -> Vec<Series> {
        self.0.lines().filter(|line| !line.starts_with('#')).map(series).collect()
    }

    /// The names of the labels of a family's series; `le` belongs to the type.
    pub(super) fn labels_of(&self, family: &str, type_: &str) -> BTreeSet<String> {
        let suffixes: &[&str] = if type_ == "histogram" { &["_bucket", "_count", "_sum"] } else { &[""] };
        let is_of = |name: &str| suffixes.iter().any(|suffix| name.strip_suffix(suffix) == Some(family));
        let all = self.series().into_iter().filter(|series| is_of(&series.name));
        all.flat_map(|series| series.labels.into_keys()).filter(|label| label != "le").collect()
    }

    /// The value of the one series of this name that has these labels.
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let all = self.series();
        let has =
            |series: &Series| labels.iter().all(|(key, value)| series.labels.get(*key).is_some_and(|is| is == value));
        let found: Vec<_> = all.iter().filter(|series| series.name == name && has(series)).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}");
        found[0].value
    }

    /// What Prometheus' own judge says of it; nothing if it is well.
    pub(super) fn judged(&self) -> String {
        let mut promtool = Command::new(cluster::tool("promtool").unwrap())
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        promtool.stdin.take().unwrap().write_all(self.0.as_bytes()).unwrap();
        let said = promtool.wait_with_output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr))
    }
}

/// Labels here have no escaped characters.
fn series(line: &str) -> Series {
    let (what, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = what.split_once('{').unwrap_or((what, ""));
    let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
    let labels = labels.map(|label| label.split_once('=').unwrap());
    let labels = labels.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned())).collect();
    Series { name: name.to_owned(), labels, value: value.parse().unwrap() }
}
