//! The labels and annotations that the spec sets on the managed Secret. Which ones were set is remembered there, so that
//! a removed one goes and somebody else's stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api::{Credential, GROUP, names::ANNOTATION_APPLIED};

/// What was set, with the values that are there now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    labels: BTreeMap<String, Option<String>>,
    annotations: BTreeMap<String, Option<String>>,
}

/// The annotation's text: names only.
#[derive(Default, PartialEq, Deserialize, Serialize)]
struct Names {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    labels: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    annotations: BTreeSet<String>,
}

type Strings = BTreeMap<String, String>;

impl Applied {
    /// What the annotation names, with its values; `None` where there is no such annotation, or nothing in it.
    #[must_use]
    pub fn of(labels: &Strings, annotations: &Strings) -> Option<Self> {
        let names: Names = serde_json::from_str(annotations.get(ANNOTATION_APPLIED)?).ok()?;
        let present = |names: BTreeSet<String>, there: &Strings| {
            names.into_iter().map(|name| (name.clone(), there.get(&name).cloned())).collect()
        };
        Some(Self { labels: present(names.labels, labels), annotations: present(names.annotations, annotations) })
    }

    /// Whether what is there is what `object` asks for.
    #[must_use]
    pub fn is_in_step(this: Option<&Self>, object: &Credential) -> bool {
        let same = |wanted: &Strings, there: &BTreeMap<String, Option<String>>| {
            users(wanted).count() == there.len()
                && users(wanted).all(|(name, value)| there.get(name).is_some_and(|there| there.as_ref() == Some(value)))
        };
        let (labels, annotations) = (object.secret_labels(), object.secret_annotations());
        match this {
            Some(applied) => same(labels, &applied.labels) && same(annotations, &applied.annotations),
            None => users(labels).chain(users(annotations)).next().is_none(),
        }
    }

    /// The merge patches of labels and annotations that bring `before` to what `object` asks for.
    #[must_use]
    pub fn patches(object: &Credential, before: Option<&Self>) -> (Map<String, Value>, Map<String, Value>) {
        let patch = |wanted: &Strings, before: Option<&BTreeMap<String, Option<String>>>| {
            let gone = before.into_iter().flat_map(BTreeMap::keys).filter(|name| !wanted.contains_key(*name));
            let gone = gone.map(|name| (name.clone(), Value::Null));
            users(wanted).map(|(name, value)| (name.clone(), json!(value))).chain(gone).collect::<Map<_, _>>()
        };
        let (labels, annotations) = (object.secret_labels(), object.secret_annotations());
        let label_patch = patch(labels, before.map(|before| &before.labels));
        let mut annotation_patch = patch(annotations, before.map(|before| &before.annotations));
        let keys = |wanted| users(wanted).map(|(name, _)| name.clone()).collect();
        let names = Names { labels: keys(labels), annotations: keys(annotations) };
        if names != Names::default() {
            let text = serde_json::to_string(&names).unwrap_or_default();
            annotation_patch.insert(ANNOTATION_APPLIED.into(), json!(text));
        } else if before.is_some() {
            annotation_patch.insert(ANNOTATION_APPLIED.into(), Value::Null);
        }
        (label_patch, annotation_patch)
    }
}

/// Without those of our own domain, which are not the user's to set. The schema refuses them; a resource that is older than
/// the rule may have one, and the operator would write against itself.
fn users(wanted: &Strings) -> impl Iterator<Item = (&String, &String)> {
    wanted.iter().filter(|(name, _)| name.split_once('/').is_none_or(|(domain, _)| domain != GROUP))
}
