//! What stands on and in our Secrets, as others may have edited it. The input has two lines, the label and the UID of an
//! owner reference; what follows is the record, and the client secret.

use std::sync::Arc;

use asa_operator::api::Kind;
use asa_operator::api::names::{ANNOTATION_RECORD, LABEL_OWNER_UID};
use asa_operator::apple::ads::ClientSecret;
use asa_operator::credential::entries::Entries;
use asa_operator::credential::published::{Record, change, restoration};
use asa_operator::credential::secret_meta::SecretMeta;
use asa_operator::credential::sight::Sight;
use asa_operator::credential::target::Target as Which;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use crate::Target;
use crate::acme::{UID, acme};
use crate::plan::{Scene, judge, owner};
use crate::wire::split_at;

pub(crate) const TARGET: Target =
    Target { name: "record", run, reaches: &["a record", "no record", "a client secret"] };

/// The Secrets that a resource of either kind has.
const SECRETS: [(fn() -> Scene, Which); 3] =
    [(Scene::settled, Which::Managed), (Scene::settled, Which::ClientSecret), (Scene::settled_api_key, Which::Managed)];

fn run(data: &[u8]) -> &'static str {
    let data = String::from_utf8_lossy(data);
    let (label, rest) = split_at(data.as_bytes(), b"\n");
    let (uid, text) = split_at(rest, b"\n");
    let string = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let metadata = ObjectMeta {
        uid: Some("uid-of-target".into()),
        resource_version: Some("7".into()),
        labels: Some([(LABEL_OWNER_UID.to_owned(), string(label))].into()),
        annotations: Some([(ANNOTATION_RECORD.to_owned(), string(text))].into()),
        owner_references: Some(vec![owner(&string(uid))]),
        ..ObjectMeta::default()
    };
    let meta = SecretMeta::of(&metadata).expect("what has uid and resourceVersion");
    insist_on_others_marks(&meta);
    for (settled, target) in SECRETS {
        let mut scene = settled();
        *scene.sight_mut(target) = Sight::Present(Arc::new(meta.clone()));
        judge(&scene);
    }
    if let Some(record) = &meta.record {
        insist_on_the_same_again(record, &meta);
        return "a record";
    }
    if client_secret(string(text)) { "a client secret" } else { "no record" }
}

/// What others put there goes along with each write, and ours is there afterwards.
fn insist_on_others_marks(meta: &SecretMeta) {
    let body = serde_json::to_value(restoration(Which::Managed, &acme(), meta)).expect("JSON");
    assert_eq!(body["metadata"]["resourceVersion"], "7");
    assert_eq!(body["metadata"]["labels"][LABEL_OWNER_UID], UID);
    let owners = &body["metadata"]["ownerReferences"];
    let names = |uid: &str| owners.as_array().is_some_and(|all| all.iter().any(|owner| owner["uid"] == uid));
    let is_left_alone = *owners == Value::Null && meta.has_owner_reference(UID);
    assert!(is_left_alone || names(UID) && meta.owner_references.iter().all(|owner| names(&owner.uid)), "{owners}");
}

fn insist_on_the_same_again(record: &Record, meta: &SecretMeta) {
    assert!(record.serves_as(record));
    let entries = Entries::read(Which::Managed, Kind::Ads, []);
    let body = change(Which::Managed, &acme(), &entries, record, meta, &meta.version);
    let body = serde_json::to_value(body).expect("JSON");
    let text = body["metadata"]["annotations"][ANNOTATION_RECORD].as_str().expect("a text").to_owned();
    let again: Record = serde_json::from_str(&text).expect("a record that was just written");
    assert_eq!(again, *record);
}

/// A client secret that was published and edited is read to its life, or refused without showing it.
fn client_secret(text: String) -> bool {
    match ClientSecret::from_published(text) {
        Ok(secret) => {
            assert!(secret.issued_at() < secret.expires_at());
            assert!(!format!("{secret:?}").contains(secret.expose()));
            true
        }
        Err(_) => false,
    }
}
