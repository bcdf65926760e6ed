//! What happens to a credential while the operator is down, and what the operator does about it when it is back.

use asa_operator::api::Reason;
use fake_apple::Client;
use serde_json::{Value, json};

use crate::support::awaited::{Awaited, not_ready, ready};
use crate::support::credential::{Credential, ORG, credential, other_client};
use crate::support::key::KeyPair;

/// Another id of the same client's, by which Apple knows the same keys.
const OTHER_KEY_ID: &str = "0b5d1c2e-other";

const OTHER_ORG: i64 = ORG + 1;

/// What happens, beside a change of the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Nothing at all.
    Nothing,
    /// There is another key in the key's Secret.
    KeyReplaced,
    /// Somebody labels the key's Secret.
    KeyTouched,
    /// Somebody writes into the managed Secret.
    SecretEdited,
    /// These Secrets are gone, `<name>` and the rest of their names.
    Gone(&'static [&'static str]),
    /// The status is gone: a backup had none.
    StatusGone,
    /// What is in the Secrets is what was there before the last renewal.
    SecretsOld,
    /// The status is what it was before the last renewal.
    StatusOld,
    /// Both.
    BothOld,
    /// The resource is another one, and so its Secrets are another's: those of a cluster that was lost.
    Elsewhere,
    /// Likewise; there was no status in the backup.
    ElsewhereWithoutStatus,
}

impl Event {
    /// Whether the token is renewed before, so that what was there is old.
    pub(super) fn needs_a_later_state(self) -> bool {
        matches!(self, Self::SecretsOld | Self::StatusOld | Self::BothOld)
    }
}

/// One credential.
pub(super) struct Row {
    /// What it is called for a reader, and then also the credential's name.
    pub(super) name: String,
    before: fn(Credential) -> Credential,
    after: fn(Credential) -> Credential,
    pub(super) event: Event,
    /// All that is asked for it, and written.
    pub(super) work: &'static [&'static str],
    /// What is told of it in the end.
    pub(super) end: Awaited,
}

const STATUS: &str = "update asacredentials/status acme";
const PATCH: &str = "patch secrets acme";
const READ: &str = "get secrets acme";
const READ_SIGNED: &str = "get secrets acme-client-secret";
const READ_KEY: &str = "get secrets acme-key";
/// Before a Secret is made for one that had some, or removed: a resource that changed meanwhile would not want it.
const RESOURCE: &str = "get asacredentials acme";
const TOKEN: &str = "apple token 200";
const PROOF: &str = "apple me-v1 200";

fn same(document: Credential) -> Credential {
    document
}

fn secret(document: Credential, secret: Value) -> Credential {
    document.with("secret", secret)
}

fn signed(document: Credential, signed: Value) -> Credential {
    document.with("clientSecret", signed)
}

impl Row {
    fn new(name: &'static str, work: &'static [&'static str]) -> Self {
        Self { name: name.to_owned(), before: same, after: same, event: Event::Nothing, work, end: ready() }
    }

    fn happens(self, event: Event) -> Self {
        Self { event, ..self }
    }

    /// The spec before, and after.
    fn changed(self, before: fn(Credential) -> Credential, after: fn(Credential) -> Credential) -> Self {
        Self { before, after, ..self }
    }

    fn ends(self, end: Awaited) -> Self {
        Self { end, ..self }
    }

    /// The client, which no other row has.
    pub(super) fn client_id(&self) -> String {
        client_id(&self.name)
    }

    pub(super) fn client(&self, keys: &[KeyPair; 2]) -> Client {
        self.known_as(&self.client_id(), keys)
    }

    fn document(&self) -> Credential {
        credential().named(&self.name).of_client(&self.client_id())
    }

    pub(super) fn before(&self) -> Credential {
        (self.before)(self.document())
    }

    pub(super) fn after(&self) -> Credential {
        (self.after)(self.document())
    }

    /// Whether it has what it should have in the end.
    pub(super) fn ends_like_a_fresh_one(&self) -> bool {
        !self.name.contains("elsewhere-retained")
    }

    /// Which parts of the status are older: who writes into a Secret is not answered with a write of the status that only
    /// tells of it.
    pub(super) fn parts_of_the_past(&self) -> &[&str] {
        if self.event.needs_a_later_state() { &["status.secret", "status.lastHandledReconcileAt"] } else { &[] }
    }

    /// A credential that was never anything else.
    pub(super) fn fresh(&self) -> Credential {
        let name = self.fresh_name();
        (self.after)(credential().named(&name).of_client(&client_id(&name)))
    }

    pub(super) fn fresh_name(&self) -> String {
        format!("fresh-{}", self.name)
    }

    pub(super) fn fresh_client(&self, keys: &[KeyPair; 2]) -> Client {
        self.known_as(&client_id(&self.fresh_name()), keys)
    }

    fn known_as(&self, client_id: &str, [first, second]: &[KeyPair; 2]) -> Client {
        let client = other_client(client_id, first.public());
        let key_id = client.keys[0].key_id.clone();
        let client = client.key(key_id, second.public()).key(OTHER_KEY_ID, first.public());
        if self.name.contains("two-organizations") { client.organization(OTHER_ORG, "Acme Asia") } else { client }
    }
}

fn client_id(name: &str) -> String {
    format!("SEARCHADS.{name}")
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = keys_and_ids();
    rows.extend(names_and_forms());
    rows.extend(policies());
    rows.extend(lost());
    rows.extend(restored());
    for (number, row) in rows.iter_mut().enumerate() {
        // None begins like another.
        row.name = format!("c{number:02}-{}", row.name);
    }
    rows
}

fn keys_and_ids() -> Vec<Row> {
    vec![
        Row::new("untouched", &[]),
        Row::new("key-replaced", &[PROOF, TOKEN, READ_KEY, PATCH, "patch secrets acme-client-secret", STATUS])
            .happens(Event::KeyReplaced),
        Row::new("key-touched", &[READ_KEY]).happens(Event::KeyTouched),
        Row::new("key-id", &[PROOF, TOKEN, READ_KEY, PATCH, "patch secrets acme-client-secret", STATUS])
            .changed(same, |document| document.with("keyId", json!(OTHER_KEY_ID))),
        Row::new("two-organizations", &["apple acls-v1 200", "apple acls-v5 200", READ, PATCH, STATUS])
            .changed(same, |document| document.with("organization", json!({"orgId": OTHER_ORG}))),
        Row::new("one-api", &["apple acls-v1 200", READ, PATCH, STATUS])
            .changed(same, |document| document.with("apis", json!(["PlatformV1"]))),
    ]
}

fn names_and_forms() -> Vec<Row> {
    vec![
        Row::new(
            "renamed",
            &["create secrets acme-new", "delete secrets acme", RESOURCE, RESOURCE, READ, READ, STATUS],
        )
        .changed(same, |document| {
            let name = format!("{}-new", document.name());
            secret(document, json!({"name": name}))
        }),
        Row::new(
            "signed-renamed",
            &[
                "create secrets acme-signed",
                "delete secrets acme-client-secret",
                RESOURCE,
                RESOURCE,
                "get secrets acme-client-secret",
                READ_KEY,
                STATUS,
            ],
        )
        .changed(same, |document| {
            let name = format!("{}-signed", document.name());
            signed(document, json!({"secretName": name}))
        }),
        Row::new("formats", &[READ, PATCH, STATUS])
            .changed(same, |document| secret(document, json!({"formats": ["Json"]}))),
        Row::new("labels", &[PATCH, STATUS])
            .changed(same, |document| secret(document, json!({"labels": {"team": "growth"}}))),
    ]
}

fn policies() -> Vec<Row> {
    let retained = |document| secret(document, json!({"deletionPolicy": "Retain"}));
    let ephemeral = |document| signed(document, json!({"mode": "Ephemeral"}));
    vec![
        Row::new("retained", &[PATCH, STATUS]).changed(same, retained),
        Row::new("retained-no-more", &[RESOURCE, PATCH, STATUS]).changed(retained, same),
        Row::new(
            "ephemeral",
            &["delete secrets acme-client-secret", RESOURCE, "get secrets acme-client-secret", STATUS],
        )
        .changed(same, ephemeral),
        Row::new("ephemeral-no-more", &["create secrets acme-client-secret", RESOURCE, READ_KEY, STATUS])
            .changed(ephemeral, same),
        Row::new("lifetime", &[READ_KEY, "patch secrets acme-client-secret", STATUS])
            .changed(same, |document| signed(document, json!({"lifetime": "720h"}))),
    ]
}

/// The ids asked for anew.
const LISTS: [&str; 2] = ["apple acls-v1 200", "apple acls-v5 200"];

/// All that a credential takes that has nothing left.
const ANEW: &[&str] = &[
    LISTS[0],
    LISTS[1],
    PROOF,
    TOKEN,
    "create secrets acme",
    "create secrets acme-client-secret",
    RESOURCE,
    RESOURCE,
    READ_KEY,
    STATUS,
];

fn lost() -> Vec<Row> {
    vec![
        Row::new("secret-edited", &[LISTS[0], LISTS[1], PROOF, TOKEN, READ, READ_SIGNED, PATCH, STATUS])
            .happens(Event::SecretEdited),
        Row::new(
            "secret-gone",
            &[LISTS[0], LISTS[1], PROOF, TOKEN, "create secrets acme", RESOURCE, READ_SIGNED, STATUS],
        )
        .happens(Event::Gone(&[""])),
        Row::new("secrets-gone", ANEW).happens(Event::Gone(&["", "-client-secret"])),
        Row::new("signed-gone", &["create secrets acme-client-secret", RESOURCE, READ_KEY, STATUS])
            .happens(Event::Gone(&["-client-secret"])),
    ]
}

/// From a backup. Where it has no status, nobody knows what was found, and the token that is there asks for the ids.
fn restored() -> Vec<Row> {
    let retained = |document| secret(document, json!({"deletionPolicy": "Retain"}));
    let adopted = |document| secret(document, json!({"deletionPolicy": "Retain", "adoption": "IfUnowned"}));
    let asked_anew: &[&str] = &[LISTS[0], LISTS[1], READ, READ, READ_KEY, PATCH, STATUS];
    vec![
        Row::new("status-gone", asked_anew).happens(Event::StatusGone),
        Row::new("two-organizations-status-gone", asked_anew)
            .happens(Event::StatusGone)
            .ends(not_ready(Reason::Ambiguous)),
        Row::new("secrets-old", &[READ, STATUS]).happens(Event::SecretsOld),
        Row::new("status-old", &[READ, STATUS]).happens(Event::StatusOld),
        Row::new("both-old", &[READ]).happens(Event::BothOld),
        Row::new("elsewhere", ANEW).happens(Event::Elsewhere),
        Row::new("elsewhere-retained", &[READ_KEY, STATUS])
            .changed(retained, retained)
            .happens(Event::Elsewhere)
            .ends(not_ready(Reason::SecretNotOwned)),
        Row::new(
            "elsewhere-adopted",
            &["create secrets acme-client-secret", RESOURCE, RESOURCE, READ, READ_KEY, PATCH, STATUS],
        )
        .changed(retained, adopted)
        .happens(Event::Elsewhere),
        Row::new(
            "elsewhere-adopted-bare",
            &[
                LISTS[0],
                LISTS[1],
                "create secrets acme-client-secret",
                RESOURCE,
                READ,
                READ,
                READ_KEY,
                PATCH,
                PATCH,
                STATUS,
            ],
        )
        .changed(retained, adopted)
        .happens(Event::ElsewhereWithoutStatus),
    ]
}
