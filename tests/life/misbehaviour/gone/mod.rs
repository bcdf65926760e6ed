//! An API that is gone, as API v5 is after 2027-01-26: for credentials that never saw it, and for those whose ids it told.

mod row;

use std::collections::BTreeMap;

use asa_operator::api::AsaCredential;
use asa_operator::api::names::ANNOTATION_RECORD;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::Value;

use self::row::{Beside, Row, differences, rows};
use super::is_complete;
use crate::support::credential::other_client;
use crate::support::eventually;
use crate::support::fleet::{AT_ONCE, UNPACED};
use crate::support::secrets::entries;
use crate::support::stage::Stage;

/// What there was before an API went away.
struct Before {
    /// When the ids were resolved.
    since: Timestamp,
    entries: BTreeMap<String, String>,
}

#[tokio::test]
async fn an_api_that_is_gone_takes_no_credential_down_that_another_serves_and_no_id_that_it_told() {
    let mut stage = Stage::with_arguments(&UNPACED).await;
    stage.create_key_secret().await;
    let rows = rows();
    for row in &rows {
        stage.register(other_client(&row.client_id(), stage.key.public()));
    }
    for row in new_ones(&rows) {
        stage.loses(row);
    }
    stage.apply_all(rows.iter().map(Row::document).collect()).await;
    let before = stage.resolved(&rows).await;

    for row in old_ones(&rows) {
        stage.loses(row);
    }
    stage.renew_on_demand(old_ones(&rows), "gone").await;
    stage.all_tell_it(&rows, &before, "gone").await;
    stage.asked_as_often_as_promised(&rows);

    stage.restart().await;
    stage.renew_on_demand(old_ones(&rows), "still gone").await;
    stage.all_tell_it(&rows, &before, "still gone").await;

    stage.apple.state().clear_faults();
    stage.restart().await;
    stage.renew_on_demand(rows.iter(), "back").await;
    let is_row = |seen: &AsaCredential| rows.iter().any(|row| row.name == seen.name_any());
    stage.until_each("complete", |seen| !is_row(seen) || is_complete(seen)).await;
}

fn old_ones(rows: &[Row]) -> impl Iterator<Item = &Row> {
    rows.iter().filter(|row| row.is_old)
}

fn new_ones(rows: &[Row]) -> impl Iterator<Item = &Row> {
    rows.iter().filter(|row| !row.is_old)
}

fn has_handled(credential: &AsaCredential, request: &str) -> bool {
    credential.status.as_ref().is_some_and(|status| status.last_handled_reconcile_at.as_deref() == Some(request))
}

impl Stage<'_> {
    fn loses(&self, row: &Row) {
        for fault in row.faults() {
            self.apple.state().fail(fault);
        }
    }

    async fn restart(&mut self) {
        self.kill_operator();
        self.start_operator(&UNPACED).await;
    }

    async fn renew_on_demand<'r>(&self, rows: impl Iterator<Item = &'r Row>, request: &str) {
        let requests = rows.map(|row| self.request_renewal_of(&row.name, request));
        stream::iter(requests).buffer_unordered(AT_ONCE).for_each(async |()| ()).await;
    }

    async fn managed_secrets(&self) -> BTreeMap<String, Secret> {
        let managed = ListParams::default().fields("type=asa-operator.dev/access-token");
        let secrets = self.secrets().list(&managed).await.unwrap();
        secrets.into_iter().map(|secret| (secret.name_any(), secret)).collect()
    }

    /// Waits until the ids of old credentials are resolved, and tells since when.
    async fn resolved(&self, rows: &[Row]) -> BTreeMap<String, Before> {
        let old = |seen: &AsaCredential| old_ones(rows).any(|row| row.name == seen.name_any());
        self.until_each("complete", |seen| !old(seen) || is_complete(seen)).await;
        let secrets = self.managed_secrets().await;
        let before = |row: &Row| {
            let secret = &secrets[&row.name];
            let record: Value = serde_json::from_str(&secret.annotations()[ANNOTATION_RECORD]).unwrap();
            let since = record["identity"]["resolvedAt"].as_str().unwrap().parse().unwrap();
            (row.name.clone(), Before { since, entries: entries(secret) })
        };
        old_ones(rows).map(before).collect()
    }

    /// Waits until each credential tells what it should, and has the ids that it should have.
    async fn all_tell_it(&self, rows: &[Row], before: &BTreeMap<String, Before>, request: &str) {
        let look = async || {
            // Secrets last: a token that is reported is there.
            let all = self.credentials().list(&ListParams::default()).await.unwrap();
            let all: BTreeMap<_, _> = all.into_iter().map(|seen| (seen.name_any(), seen)).collect();
            let secrets = self.managed_secrets().await;
            let wrong = rows.iter().flat_map(|row| {
                let seen = &all[&row.name];
                let waits = row.is_old && !has_handled(seen, request);
                let wrong = if waits { vec!["waits".to_owned()] } else { complaints(row, seen, &secrets, before) };
                wrong.into_iter().map(|wrong| format!("{}: {wrong}", row.name))
            });
            let wrong: Vec<_> = wrong.collect();
            if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
        };
        eventually("what should be told", look).await;
        self.operator_saw_it_all().await;
        look().await.unwrap();
    }

    /// An API that is gone for good is asked once for each credential, and once for each renewal on demand; the others of
    /// which something is to be had are not asked in its place.
    fn asked_as_often_as_promised(&self, rows: &[Row]) {
        for row in rows.iter().filter(|row| row.beside != Beside::Nothing) {
            let asked = self.asked_at(&row.client_id(), row.list()).len();
            match row.is_old {
                true => assert_eq!(asked, 2, "{}", row.name),
                false if row.is_passing() => assert!(asked >= 1, "{}", row.name),
                false => assert_eq!(asked, 1, "{}", row.name),
            }
        }
    }
}

fn complaints(
    row: &Row,
    seen: &AsaCredential,
    secrets: &BTreeMap<String, Secret>,
    before: &BTreeMap<String, Before>,
) -> Vec<String> {
    let before = before.get(&row.name);
    let token = seen.status.as_ref().and_then(|status| status.access_token);
    let sayings = row.sayings(before.map(|before| before.since), token.map(|life| life.expires_at));
    let mut wrong = differences(seen, &sayings);
    let published = secrets.get(&row.name).map(entries);
    match (before, published) {
        (None, None) if row.beside == Beside::Nothing => {}
        (None, Some(published)) if row.beside != Beside::Nothing => {
            let told = row.its_entries().iter().filter(|entry| published.contains_key(**entry));
            wrong.extend(told.map(|entry| format!("{entry} is there, and nobody told it")));
        }
        (Some(before), Some(published)) => {
            let of_token = ["access_token", "authorization", "issued_at", "expires_at"];
            let others = |entries: &BTreeMap<String, String>| {
                let others = entries.iter().filter(|(name, _)| !of_token.contains(&name.as_str()));
                others.map(|(name, value)| (name.clone(), value.clone())).collect::<BTreeMap<_, _>>()
            };
            if others(&published) != others(&before.entries) {
                wrong.push(format!("other ids: {:?}", others(&published)));
            }
            let is_new = published["access_token"] != before.entries["access_token"];
            if is_new != (row.beside != Beside::Nothing) {
                wrong.push(format!("the token is new: {is_new}"));
            }
        }
        (_, published) => wrong.push(format!("published: {}", published.is_some())),
    }
    wrong
}
