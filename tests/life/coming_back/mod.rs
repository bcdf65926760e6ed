//! What happens while the operator is down is made good when it is back, with the fewest requests that can prove what is
//! there.

mod row;

use std::collections::{BTreeMap, BTreeSet};

use asa_operator::api::{AsaCredential, Reason};
use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use self::row::{Event, Row, rows};
use crate::support::awaited::{not_ready, ready};
use crate::support::credential::{CLIENT_SECRET, Credential, NAME, credential};
use crate::support::eventually;
use crate::support::fleet::{AT_ONCE, UNPACED};
use crate::support::key::KeyPair;
use crate::support::stage::Stage;
use crate::support::work::Mark;

/// What a backup has of a credential.
struct Backup {
    credential: AsaCredential,
    secrets: Vec<Secret>,
}

#[tokio::test]
async fn what_happened_while_the_operator_was_down_is_made_good_with_the_fewest_requests() {
    let mut stage = Stage::with_arguments(&UNPACED).await;
    let (keys, rows) = ([KeyPair::new(), KeyPair::new()], rows());
    stage.settle(&rows, &keys).await;
    let mut backups = BTreeMap::new();
    for row in &rows {
        backups.insert(row.name.clone(), stage.back_up(&row.name).await);
    }
    stage.renew_all_that_will_be_old(&rows).await;
    let told = stage.all_events().await;

    stage.kill_operator();
    let changes = rows.iter().map(|row| stage.let_happen(row, &keys, &backups[&row.name]));
    stream::iter(changes).buffer_unordered(AT_ONCE).for_each(async |()| ()).await;
    let mark = stage.mark();
    stage.start_operator(&UNPACED).await;

    stage.all_work_is_done(&rows, &mark).await;
    stage.all_are_like_fresh_ones(&rows, &keys).await;
    let now = stage.all_events().await;
    for row in rows.iter().filter(|row| row.ends_like_a_fresh_one()) {
        assert_eq!(warnings(&now[&row.name]), warnings(&told[&row.name]), "{}: nobody is alarmed", row.name);
    }
}

#[tokio::test]
async fn a_restore_from_another_cluster_under_the_eyes_of_the_operator_costs_one_token_and_no_foreign_write() {
    let stage = Stage::ready().await;
    let backup = stage.back_up(NAME).await;
    stage.lose(&backup).await;
    let mark = stage.mark();

    let acme = stage.restore(&backup, credential()).await;

    let uid = acme.metadata.uid.unwrap();
    for name in [NAME, CLIENT_SECRET] {
        let is_its = |secret: &Secret| secret.owner_references().iter().all(|owner| owner.uid == uid);
        stage.until_secret(name, "a Secret of the new resource", is_its).await;
    }
    stage.until(ready()).await;
    stage.operator_saw_it_all().await;
    assert_eq!(stage.token_requests_since(&mark), 1);
    let work = stage.work_since(&mark);
    let writes = work.iter().filter(|line| line.contains(" secrets ") && !line.starts_with("get"));
    assert_eq!(writes.collect::<Vec<_>>(), ["create secrets acme", "create secrets acme-client-secret"], "{work:?}");
}

fn warnings(events: &BTreeSet<String>) -> Vec<&String> {
    events.iter().filter(|event| event.starts_with("Warning")).collect()
}

impl Stage<'_> {
    /// Waits until all of them are as the first document asks.
    async fn settle(&self, rows: &[Row], keys: &[KeyPair; 2]) {
        for row in rows {
            self.register(row.client(keys));
            self.create_secret(&format!("{}-key", row.name), "Opaque", &[("private-key.pem", keys[0].private())]).await;
        }
        self.apply_all(rows.iter().map(Row::before).collect()).await;
        let settled = |seen: &AsaCredential| ready().holds(seen) || not_ready(Reason::Ambiguous).holds(seen);
        self.until_each("settled", settled).await;
        eventually("an Event about each", async || {
            let told = self.all_events().await;
            match rows.iter().find(|row| !told.contains_key(&row.name)) {
                Some(row) => Err(&row.name),
                None => Ok(()),
            }
        })
        .await;
    }

    async fn back_up(&self, name: &str) -> Backup {
        let credential = self.credentials().get(name).await.unwrap();
        let mut secrets = Vec::new();
        for name in [name.to_owned(), format!("{name}-client-secret")] {
            secrets.extend(self.secrets().get_opt(&name).await.unwrap());
        }
        Backup { credential, secrets }
    }

    async fn renew_all_that_will_be_old(&self, rows: &[Row]) {
        for row in rows.iter().filter(|row| row.event.needs_a_later_state()) {
            self.request_renewal_of(&row.name, "later").await;
            let handled = |seen: &AsaCredential| {
                seen.status.as_ref().is_some_and(|status| status.last_handled_reconcile_at.as_deref() == Some("later"))
            };
            self.until_named(&row.name, "renewed", handled).await;
        }
    }

    async fn let_happen(&self, row: &Row, keys: &[KeyPair; 2], backup: &Backup) {
        let (name, key) = (&row.name, format!("{}-key", row.name));
        match row.event {
            Event::Nothing => {}
            Event::KeyReplaced => drop(self.write_entry(&key, "private-key.pem", keys[1].private()).await),
            Event::KeyTouched => {
                self.change_secret(&key, json!({"metadata": {"labels": {"team": "growth"}}})).await;
            }
            Event::SecretEdited => drop(self.write_entry(name, "access_token", "edited").await),
            Event::Gone(endings) => {
                for ending in endings {
                    self.delete_secret(&format!("{name}{ending}")).await;
                }
            }
            Event::StatusGone => self.put_status(&AsaCredential { status: None, ..backup.credential.clone() }).await,
            Event::StatusOld => self.put_back_resource(&backup.credential).await,
            Event::SecretsOld => self.put_back(backup).await,
            Event::BothOld => {
                self.put_back(backup).await;
                self.put_back_resource(&backup.credential).await;
            }
            Event::Elsewhere | Event::ElsewhereWithoutStatus => self.restore_elsewhere(row, backup).await,
        }
        if row.event != Event::Elsewhere && row.event != Event::ElsewhereWithoutStatus {
            self.apply(row.after()).await;
        }
    }

    /// Somebody gives a credential this status.
    async fn put_status(&self, wanted: &AsaCredential) {
        let mut there = self.credentials().get(&wanted.name_any()).await.unwrap();
        there.status.clone_from(&wanted.status);
        self.credentials().replace_status(&wanted.name_any(), &PostParams::default(), &there).await.unwrap();
    }

    /// A credential gets the annotations and the status of the backup.
    async fn put_back_resource(&self, backup: &AsaCredential) {
        let name = backup.name_any();
        let mut there = self.credentials().get(&name).await.unwrap();
        there.metadata.annotations.clone_from(&backup.metadata.annotations);
        self.credentials().replace(&name, &PostParams::default(), &there).await.unwrap();
        self.put_status(backup).await;
    }

    /// The Secrets that are there get the content and the annotations of the backup.
    async fn put_back(&self, backup: &Backup) {
        for secret in &backup.secrets {
            let mut there = self.secret(&secret.name_any()).await;
            there.data.clone_from(&secret.data);
            there.metadata.annotations.clone_from(&secret.metadata.annotations);
            self.secrets().replace(&secret.name_any(), &PostParams::default(), &there).await.unwrap();
        }
    }

    /// The cluster is lost, and all that was in it is made anew from the backup.
    async fn restore_elsewhere(&self, row: &Row, backup: &Backup) {
        self.lose(backup).await;
        self.restore(backup, row.after()).await;
        if row.event == Event::Elsewhere {
            self.put_status(&backup.credential).await;
        }
        // What names an owner that is not there is collected.
        for secret in backup.secrets.iter().filter(|secret| !secret.owner_references().is_empty()) {
            self.until_gone(&secret.name_any()).await;
        }
    }

    /// Nothing is left of what the backup has.
    async fn lose(&self, backup: &Backup) {
        self.credentials().delete(&backup.credential.name_any(), &DeleteParams::background()).await.unwrap();
        for secret in &backup.secrets {
            // Some go with the resource.
            drop(self.secrets().delete(&secret.name_any(), &DeleteParams::default()).await);
            self.until_gone(&secret.name_any()).await;
        }
    }

    /// Everything is made anew, with other UIDs; Secrets first, as backup tools do it.
    async fn restore(&self, backup: &Backup, document: Credential) -> AsaCredential {
        for secret in &backup.secrets {
            let mut secret = secret.clone();
            (secret.metadata.uid, secret.metadata.resource_version) = (None, None);
            self.secrets().create(&PostParams::default(), &secret).await.unwrap();
        }
        self.apply(document).await
    }

    /// Waits until for each credential was done what was to be done, and not more.
    async fn all_work_is_done(&self, rows: &[Row], mark: &Mark) {
        let look = async || {
            let mut wrong = Vec::new();
            for row in rows {
                let mut work = self.work_for(&row.name, &row.client_id(), mark);
                work.retain(|line| !line.ends_with(" events"));
                let seen = self.credentials().get(&row.name).await.unwrap();
                if work != row.work || !row.end.holds(&seen) {
                    wrong.push(format!("{}: {work:?}, not {:?}; {}", row.name, row.work, row.end));
                }
            }
            if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
        };
        eventually("exactly this work", look).await;
        self.operator_saw_it_all().await;
        look().await.unwrap();
    }

    async fn all_are_like_fresh_ones(&self, rows: &[Row], keys: &[KeyPair; 2]) {
        let rows = rows.iter().filter(|row| row.ends_like_a_fresh_one());
        let rows: Vec<_> = rows.collect();
        for row in &rows {
            self.register(row.fresh_client(keys));
            let key = if row.event == Event::KeyReplaced { &keys[1] } else { &keys[0] };
            let secret = format!("{}-key", row.fresh_name());
            self.create_secret(&secret, "Opaque", &[("private-key.pem", key.private())]).await;
        }
        self.apply_all(rows.iter().map(|row| row.fresh()).collect()).await;
        eventually("likeness", async || {
            let seen = self.outlooks().await;
            let differences = |row: &&Row| {
                let (own, fresh) = (&seen[&row.name], &seen[&row.fresh_name()]);
                let differences = own.differences(&fresh.with(row.parts_of_the_past(), own));
                differences.into_iter().map(|difference| format!("{}: {difference}", row.name)).collect::<Vec<_>>()
            };
            let differences: Vec<_> = rows.iter().flat_map(differences).collect();
            if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
        })
        .await;
    }
}
