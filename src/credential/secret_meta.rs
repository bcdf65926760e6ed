//! What the operator remembers of a Secret: never its data.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde::{Deserialize, Serialize};

use super::{applied::Applied, published::Record};
use crate::api::names::{ANNOTATION_RECORD, LABEL_OWNER_UID};

/// One state of one object: the same uid and resourceVersion mean the same bytes.
///
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// The object's UID.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
}

/// No labels.
static NONE: BTreeMap<String, String> = BTreeMap::new();

/// The metadata of a Secret, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretMeta {
    /// Which state of it.
    pub version: Version,
    /// The label with the owner's UID.
    pub owner_label: Option<String>,
    /// All owner references: a change has to carry the others' along.
    pub owner_references: Vec<OwnerReference>,
    /// What was written with the data, where the annotation can be read.
    pub record: Option<Record>,
    /// What the spec set on it.
    pub applied: Option<Box<Applied>>,
    /// Whether it is being deleted.
    pub is_going: bool,
}

impl SecretMeta {
    /// Keeps what matters of `metadata`; `None` where it lacks uid or resourceVersion, as no object of a server does.
    #[must_use]
    pub fn of(metadata: &ObjectMeta) -> Option<Self> {
        let annotation = |name| metadata.annotations.as_ref().and_then(|all| all.get(name));
        let label = |name| metadata.labels.as_ref().and_then(|all| all.get(name));
        Some(Self {
            version: Version { uid: metadata.uid.clone()?, resource_version: metadata.resource_version.clone()? },
            owner_label: label(LABEL_OWNER_UID).cloned(),
            owner_references: metadata.owner_references.clone().unwrap_or_default(),
            record: annotation(ANNOTATION_RECORD).and_then(|text| serde_json::from_str(text).ok()),
            applied: metadata.annotations.as_ref().and_then(|annotations| {
                let labels = metadata.labels.as_ref().unwrap_or(&NONE);
                Applied::of(labels, annotations).map(Box::new)
            }),
            is_going: metadata.deletion_timestamp.is_some(),
        })
    }

    /// Whether it carries `uid` as its owner, by label or by owner reference.
    #[must_use]
    pub fn belongs_to(&self, uid: &str) -> bool {
        self.has_label(uid) || self.has_owner_reference(uid)
    }

    /// Whether the marks of ownership are as they should be: the label always, the owner reference unless the Secret is to
    /// outlive its resource.
    #[must_use]
    pub fn is_fully_marked(&self, uid: &str, retained: bool) -> bool {
        self.has_label(uid) && self.has_owner_reference(uid) != retained
    }

    /// Whether the operator wrote it under this name for the resource with this uid.
    #[must_use]
    pub fn was_written_for(&self, uid: &str, name: &str) -> bool {
        self.belongs_to(uid) && self.record.as_ref().is_some_and(|record| record.secret == name)
    }

    /// Whether an owner reference names `uid`.
    #[must_use]
    pub fn has_owner_reference(&self, uid: &str) -> bool {
        self.owner_references.iter().any(|owner| owner.uid == uid)
    }

    fn has_label(&self, uid: &str) -> bool {
        self.owner_label.as_deref() == Some(uid)
    }
}
