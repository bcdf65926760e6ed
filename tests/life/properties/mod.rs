//! Each property of the spec comes, changes, is refused and goes: what is there then is what a fresh resource of the same
//! spec has.

#[allow(dead_code, reason = "the tests of the schema need more of it")]
#[path = "../../crd/document.rs"]
mod document;
#[path = "../../crd/property.rs"]
mod property;
mod walkers;

use std::collections::{BTreeMap, BTreeSet};

use asa_operator::api::AsaCredential;
use fake_apple::Endpoint;
use futures::{StreamExt as _, stream};
use kube::Api;
use kube::ResourceExt as _;
use kube::api::{ApiResource, DynamicObject, ListParams, PostParams};
use serde_json::Value;

use self::walkers::{Fresh, Keys, RENEWAL_HEALTHY, STEPS, Walker, credential};
use crate::support::eventually;
use crate::support::fleet::{AT_ONCE, UNPACED};
use crate::support::outlook::Outlooks;
use crate::support::stage::{Stage, WITNESS};

#[tokio::test]
async fn a_property_that_comes_changes_is_refused_and_goes_leaves_what_a_fresh_resource_has() {
    let stage = Stage::with_arguments(&UNPACED).await;
    let (keys, walkers) = (Keys::new(), Walker::all());
    let fresh = Fresh::of(&walkers);
    let walked: Vec<_> = walkers.iter().flat_map(|walker| (0..STEPS).map(|step| walker.document(step))).collect();
    stage.store(&keys, walked.iter().chain(fresh.documents())).await;
    stage.operator_saw_it_all().await;
    let users = stage.users_secrets().await;

    fresh.upload(&stage, &keys);
    stage.apply_all(fresh.documents().map(credential).collect()).await;
    let mut before = Outlooks::new();
    for step in 0..STEPS {
        for walker in &walkers {
            walker.upload(&stage, &keys, step);
        }
        stage.change_all(&walkers, step).await;
        let are_alike = async || {
            let seen = stage.outlooks().await;
            let differences = walkers.iter().flat_map(|walker| differences(walker, step, &fresh, &seen, &before));
            let differences: Vec<_> = differences.collect();
            if differences.is_empty() { Ok(seen) } else { Err(differences.join("\n")) }
        };
        eventually("likeness", are_alike).await;
        stage.operator_saw_it_all().await;
        let seen = are_alike().await.unwrap();
        if step == 2 {
            stage.are_refused(&walkers, &seen).await;
        }
        before = seen;
    }
    stage.tell_the_same_events(&walkers, &fresh, &before).await;
    for walker in &walkers {
        let path = walker.property.path;
        assert_eq!(stage.tokens_asked_for(walker), walker.bundles(), "{path}: one token for each client and key");
    }
    assert!(stage.users_secrets().await == users, "the keys are the user's");
}

/// In what a walker differs from a fresh credential of the same spec. Where the new spec leaves alone what was published
/// for the last one, it differs in nothing else.
fn differences(walker: &Walker, step: usize, fresh: &Fresh, seen: &Outlooks, before: &Outlooks) -> Vec<String> {
    let fresh = &seen[fresh.like(walker, step)];
    let expected = match walker.parts_told_of_what_stays(step) {
        None => fresh.clone(),
        Some(parts) => {
            let stays = before[&walker.name].with(parts, fresh);
            stays.saying_first("The published token works until …. ", RENEWAL_HEALTHY)
        }
    };
    let differences = seen[&walker.name].differences(&expected).into_iter();
    differences.map(|difference| format!("{}, step {step}: {difference}", walker.property.path)).collect()
}

impl Stage<'_> {
    /// The users' Secrets with the keys of these documents.
    async fn store<'a>(&self, keys: &Keys, documents: impl Iterator<Item = &'a Value>) {
        let secrets = keys.secrets(documents);
        let created = secrets.iter().map(|(name, entries)| self.create_secret(name, "Opaque", entries));
        stream::iter(created).buffer_unordered(AT_ONCE).for_each(async |_| ()).await;
    }

    /// The state of each Secret with a key.
    async fn users_secrets(&self) -> BTreeMap<String, Option<String>> {
        let secrets = self.secrets().list(&ListParams::default()).await.unwrap().into_iter();
        let users = secrets.filter(|secret| secret.type_.as_deref() == Some("Opaque"));
        let versions = users.map(|secret| (secret.name_any(), secret.resource_version()));
        versions.filter(|(name, _)| !name.starts_with(WITNESS)).collect()
    }

    /// The users make a step on each of these.
    async fn change_all(&self, walkers: &[Walker], step: usize) {
        if step == 0 {
            return self.apply_all(walkers.iter().map(|walker| credential(&walker.document(step))).collect()).await;
        }
        let changes = walkers.iter().map(|walker| self.replace(walker.document(step)));
        stream::iter(changes).buffer_unordered(AT_ONCE).for_each(async |changed| drop(changed.unwrap())).await;
    }

    /// A user replaces the whole of a credential, as an editor does.
    async fn replace(&self, document: Value) -> kube::Result<DynamicObject> {
        let kind = ApiResource::erase::<AsaCredential>(&());
        let untyped: Api<DynamicObject> = Api::namespaced_with(self.kube.clone(), &self.namespace, &kind);
        let mut wanted: DynamicObject = serde_json::from_value(document).unwrap();
        loop {
            wanted.metadata.resource_version = untyped.get_metadata(&wanted.name_any()).await?.resource_version();
            match untyped.replace(&wanted.name_any(), &PostParams::default(), &wanted).await {
                // Its status was written meanwhile.
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                answer => return answer,
            }
        }
    }

    /// The API server refuses what is not valid, and everything stays as it is.
    async fn are_refused(&self, walkers: &[Walker], before: &Outlooks) {
        for walker in walkers {
            for document in walker.refused() {
                let answer = self.replace(document).await;
                let is_refused = matches!(&answer, Err(kube::Error::Api(status)) if status.code == 422);
                assert!(is_refused, "{}: {answer:?}", walker.property.path);
            }
        }
        self.operator_saw_it_all().await;
        let after = self.outlooks().await;
        for walker in walkers {
            let differences = after[&walker.name].differences(&before[&walker.name]);
            assert!(differences.is_empty(), "{}: {}", walker.property.path, differences.join("\n"));
        }
    }

    /// What was told of a walker is what was told of fresh ones, and that renewals go well again where they did not.
    async fn tell_the_same_events(&self, walkers: &[Walker], fresh: &Fresh, seen: &Outlooks) {
        eventually("the same Events", async || {
            let told = self.all_events().await;
            let of = |name: &str| told.get(name).cloned().unwrap_or_default();
            let differing = walkers.iter().filter_map(|walker| {
                let like: Vec<_> = (0..STEPS).map(|step| fresh.like(walker, step)).collect();
                let mut expected: BTreeSet<String> = like.iter().flat_map(|name| of(name)).collect();
                if like.iter().any(|name| seen[*name].denies(RENEWAL_HEALTHY)) {
                    expected.insert("Normal OnSchedule".to_owned());
                }
                let own = of(&walker.name);
                (own != expected || own.is_empty())
                    .then(|| format!("{}: {own:?}, not {expected:?}", walker.property.path))
            });
            let differing: Vec<_> = differing.collect();
            if differing.is_empty() { Ok(()) } else { Err(differing.join("\n")) }
        })
        .await;
    }

    fn tokens_asked_for(&self, walker: &Walker) -> usize {
        let calls = self.apple.state().calls().into_iter().filter(|call| call.endpoint == Some(Endpoint::Token));
        calls.filter(|call| call.client.as_ref().is_some_and(|client| client.ends_with(&walker.name))).count()
    }
}
