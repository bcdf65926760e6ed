//! What is seen of the cluster: the credentials, and of Secrets the metadata that matters to one of them.
//!
//! Pure: watches and answers are applied to it, and it says whom they concern.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use crate::{
    api::{
        Credential, Kind,
        names::{ANNOTATION_FLUX_REQUESTED_AT, ANNOTATION_REQUESTED_AT},
    },
    credential::{
        queue::Id,
        secret_meta::{SecretMeta, Version},
        sight::{Holder, Sight, Stray},
        target::Target,
    },
};

/// A namespace that is watched on its own, or all of them.
pub type Scope = Option<String>;

/// A Secret's namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// How a scope's Secrets are seen.
#[derive(Debug)]
enum Secrets {
    /// They are not: one has to ask for each by name.
    Polled,
    /// By a watch. A hash for each name that is there, ours or not, tells what is certainly absent; 5,000 foreign
    /// Secrets cost 80 KB and no request.
    Watched(HashSet<u64>),
}

/// All that is seen.
#[derive(Debug, Default)]
pub struct Index {
    credentials: HashMap<Id, Arc<Credential>>,
    secrets: HashMap<SecretName, Sight>,
    /// Sorted; nearly every Secret has one user, for which a tree would be a waste.
    users: HashMap<SecretName, Vec<Id>>,
    /// Secrets that were written for a credential and that it does not name any more.
    strays: HashMap<Id, BTreeMap<String, Arc<SecretMeta>>>,
    /// The UID of the last Secret of this name that a watch told to be gone.
    gone: HashMap<SecretName, String>,
    scopes: HashMap<Scope, Secrets>,
}

impl Index {
    /// The credential, if it is there.
    #[must_use]
    pub fn credential(&self, id: &Id) -> Option<&Arc<Credential>> {
        self.credentials.get(id)
    }

    /// All credentials.
    pub fn credentials(&self) -> impl Iterator<Item = (&Id, &Arc<Credential>)> {
        self.credentials.iter()
    }

    /// What is seen of a Secret that a credential names.
    #[must_use]
    pub fn sight(&self, secret: &SecretName) -> Sight {
        if let Some(sight) = self.secrets.get(secret) {
            return sight.clone();
        }
        match self.scope(&secret.namespace) {
            Some(Secrets::Watched(there)) if !there.contains(&hash(secret)) => Sight::Absent,
            _ => Sight::Unknown,
        }
    }

    /// Whose a Secret of `namespace` is.
    #[must_use]
    pub fn holder(&self, namespace: &str, meta: &SecretMeta) -> Holder {
        let controller = meta.owner_references.iter().find(|owner| owner.controller == Some(true));
        if let Some(owner) = controller.or(meta.owner_references.first()) {
            return Holder::Object(format!("{} {}", owner.kind, owner.name));
        }
        let holder = meta.owner_label.as_deref().and_then(|uid| self.by_uid(namespace, uid));
        holder.map_or(Holder::Nobody, |id| Holder::Object(format!("{} {}", id.kind.as_str(), id.name)))
    }

    fn by_uid(&self, namespace: &str, uid: &str) -> Option<&Id> {
        let mut there = self.credentials.iter().filter(|(id, _)| *id.namespace == *namespace);
        there.find(|(_, object)| object.uid() == uid).map(|(id, _)| id)
    }

    /// The Secrets that were written for a credential and that it does not name any more.
    #[must_use]
    pub fn strays(&self, id: &Id) -> Vec<Stray> {
        let strays = self.strays.get(id).into_iter().flatten();
        strays.map(|(name, meta)| Stray { name: name.clone(), meta: Some(Arc::clone(meta)) }).collect()
    }

    /// Whether the Secrets of `namespace` have to be asked for.
    #[must_use]
    pub fn is_polled(&self, namespace: &str) -> bool {
        matches!(self.scope(namespace), Some(Secrets::Polled))
    }

    fn scope(&self, namespace: &str) -> Option<&Secrets> {
        self.scopes.get(&Some(namespace.to_owned())).or_else(|| self.scopes.get(&None))
    }

    /// A credential is there, as a watch or the answer to a write tells. `true` if it is news.
    pub fn apply_credential(&mut self, object: impl Into<Credential>) -> Option<Id> {
        let mut object = object.into();
        let id = id_of(&object);
        if let Some(known) = self.credentials.get(&id)
            && known.uid() == object.uid()
            && !is_newer(known.metadata().resource_version.as_deref(), object.metadata().resource_version.as_deref())
        {
            return None;
        }
        let metadata = object.metadata_mut();
        metadata.managed_fields = None;
        if let Some(annotations) = &mut metadata.annotations {
            annotations.retain(|name, _| [ANNOTATION_REQUESTED_AT, ANNOTATION_FLUX_REQUESTED_AT].contains(&&**name));
        }
        let named = secrets_of(&object);
        self.drop_interest(&id, &named);
        for secret in named {
            if let Some(strays) = self.strays.get_mut(&id)
                && let Some(meta) = strays.remove(&secret.name)
            {
                self.secrets.insert(secret.clone(), Sight::Present(meta));
            }
            let users = self.users.entry(secret).or_default();
            if let Err(place) = users.binary_search(&id) {
                users.insert(place, id.clone());
            }
        }
        self.credentials.insert(id.clone(), Arc::new(object));
        Some(id)
    }

    /// A credential is gone. Says whom that concerns: itself, and those whose Secrets were taken by it.
    pub fn remove_credential(&mut self, id: &Id) -> Vec<Id> {
        let object = self.credentials.get(id).cloned();
        let taken = object.iter().flat_map(|object| targets_of(object)).flat_map(|secret| self.users_of(&secret));
        let concerned = taken.filter(|user| user != id).chain([id.clone()]).collect();
        self.drop_interest(id, &[]);
        self.strays.remove(id);
        self.credentials.remove(id);
        concerned
    }

    /// All credentials of a kind and scope were listed: the others of them are gone.
    pub fn keep_credentials(&mut self, kind: Kind, scope: &Scope, listed: &HashSet<Id>) -> Vec<Id> {
        let in_scope = |id: &Id| id.kind == kind && scope.as_ref().is_none_or(|namespace| **namespace == *id.namespace);
        let gone: Vec<Id> =
            self.credentials.keys().filter(|id| in_scope(id) && !listed.contains(*id)).cloned().collect();
        gone.iter().flat_map(|id| self.remove_credential(id)).collect()
    }

    /// A Secret is there. Says whom it concerns; a state that is known already concerns nobody.
    ///
    /// The answer to a request may be older than what a watch told meanwhile, and no event would correct it: what is gone
    /// stays gone.
    pub fn apply_secret(&mut self, secret: SecretName, meta: SecretMeta) -> Vec<Id> {
        if self.gone.get(&secret) == Some(&meta.version.uid) {
            return Vec::new();
        }
        if let Some(there) = self.names(&secret.namespace) {
            there.insert(hash(&secret));
        }
        if !self.users.contains_key(&secret) {
            return self.apply_stray(&secret, meta);
        }
        if let Some(Sight::Present(known)) = self.secrets.get(&secret)
            && !is_news(&known.version, &meta.version)
        {
            return Vec::new();
        }
        let users = self.users_of(&secret);
        self.secrets.insert(secret, Sight::Present(Arc::new(meta)));
        users
    }

    /// A Secret that no credential names matters if it was written for one.
    fn apply_stray(&mut self, secret: &SecretName, meta: SecretMeta) -> Vec<Id> {
        if meta.record.is_none() {
            return Vec::new();
        }
        let owners = meta.owner_references.iter().map(|owner| owner.uid.as_str()).chain(meta.owner_label.as_deref());
        let mut owners = owners.filter(|uid| meta.was_written_for(uid, &secret.name));
        let Some(id) = owners.find_map(|uid| self.by_uid(&secret.namespace, uid)).cloned() else {
            return Vec::new();
        };
        let version = meta.version.clone();
        let known = self.strays.entry(id.clone()).or_default().insert(secret.name.clone(), Arc::new(meta));
        if known.is_some_and(|known| known.version == version) { Vec::new() } else { vec![id] }
    }

    /// A Secret is not there; `uid` tells which one is gone, where that is known.
    pub fn remove_secret(&mut self, secret: SecretName, uid: Option<&str>) -> Vec<Id> {
        if let Some(Sight::Present(known)) = self.secrets.get(&secret)
            && uid.is_some_and(|uid| uid != known.version.uid)
        {
            return Vec::new();
        }
        if let Some(there) = self.names(&secret.namespace) {
            there.remove(&hash(&secret));
        }
        let users = self.users_of(&secret);
        if !users.is_empty() {
            if let Some(uid) = uid {
                self.gone.insert(secret.clone(), uid.to_owned());
            }
            self.secrets.insert(secret, Sight::Absent);
            return users;
        }
        self.drop_strays(|namespace, name| *namespace == *secret.namespace && *name == *secret.name)
    }

    /// A Secret was not there when it was asked for, and `before` that was seen of it. What a watch told meanwhile is
    /// later, and no event would correct what is noted now. Says whom it concerns.
    pub fn learn_absence(&mut self, secret: SecretName, before: &Sight) -> Vec<Id> {
        let is_news = *before != Sight::Absent && self.sight(&secret) == *before;
        if is_news { self.remove_secret(secret, None) } else { Vec::new() }
    }

    /// Forgets strays by namespace and name. Says whose they were.
    fn drop_strays(&mut self, is_gone: impl Fn(&str, &str) -> bool) -> Vec<Id> {
        let mut concerned = Vec::new();
        self.strays.retain(|id, strays| {
            let before = strays.len();
            strays.retain(|name, _| !is_gone(&id.namespace, name));
            if strays.len() < before {
                concerned.push(id.clone());
            }
            !strays.is_empty()
        });
        concerned
    }

    /// All Secrets of a scope were listed and are watched from here on: the others of that scope are gone.
    pub fn secrets_listed(&mut self, scope: &Scope, listed: &HashSet<SecretName>) -> Vec<Id> {
        self.scopes.insert(scope.clone(), Secrets::Watched(listed.iter().map(hash).collect()));
        let in_scope = |secret: &SecretName| scope.as_ref().is_none_or(|namespace| *namespace == secret.namespace);
        let gone: Vec<SecretName> = self
            .secrets
            .iter()
            .filter(|(secret, sight)| in_scope(secret) && **sight != Sight::Absent && !listed.contains(*secret))
            .map(|(secret, _)| secret.clone())
            .collect();
        let gone = gone.into_iter().flat_map(|secret| self.remove_secret(secret, None)).collect::<Vec<_>>();
        let in_scope = |namespace: &str| scope.as_ref().is_none_or(|scope| scope == namespace);
        let is_listed = |namespace: &str, name: &str| {
            listed.contains(&SecretName { namespace: namespace.to_owned(), name: name.to_owned() })
        };
        let strays = self.drop_strays(|namespace, name| in_scope(namespace) && !is_listed(namespace, name));
        gone.into_iter().chain(strays).collect()
    }

    /// The Secrets of a scope cannot be watched. Says whom that concerns, unless it was known.
    pub fn secrets_polled(&mut self, scope: &Scope) -> Vec<Id> {
        let before = self.scopes.insert(scope.clone(), Secrets::Polled);
        if matches!(before, Some(Secrets::Polled)) {
            return Vec::new();
        }
        let in_scope = |id: &&Id| scope.as_ref().is_none_or(|namespace| **namespace == *id.namespace);
        self.credentials.keys().filter(in_scope).cloned().collect()
    }

    fn names(&mut self, namespace: &str) -> Option<&mut HashSet<u64>> {
        let own = Some(namespace.to_owned());
        let scope = if self.scopes.contains_key(&own) { own } else { None };
        match self.scopes.get_mut(&scope) {
            Some(Secrets::Watched(there)) => Some(there),
            Some(Secrets::Polled) | None => None,
        }
    }

    fn users_of(&self, secret: &SecretName) -> Vec<Id> {
        self.users.get(secret).into_iter().flatten().cloned().collect()
    }

    /// Forgets the Secrets that `id` named, but for those that it still names.
    fn drop_interest(&mut self, id: &Id, still_named: &[SecretName]) {
        let Some(object) = self.credentials.get(id).cloned() else { return };
        for secret in secrets_of(&object).into_iter().filter(|secret| !still_named.contains(secret)) {
            let Some(users) = self.users.get_mut(&secret) else { continue };
            users.retain(|user| user != id);
            if users.is_empty() {
                self.users.remove(&secret);
                // What is known of it stays true only while its events are kept.
                self.gone.remove(&secret);
                if let Some(Sight::Present(meta)) = self.secrets.remove(&secret)
                    && meta.was_written_for(object.uid(), &secret.name)
                {
                    self.strays.entry(id.clone()).or_default().insert(secret.name, meta);
                }
            }
        }
    }
}

/// The names of all Secrets that a credential has to do with.
fn secrets_of(object: &Credential) -> Vec<SecretName> {
    let key = SecretName { namespace: object.namespace().to_owned(), name: object.key_ref().name.clone() };
    targets_of(object).chain([key]).collect()
}

/// The names of the Secrets that it writes.
fn targets_of(object: &Credential) -> impl Iterator<Item = SecretName> {
    let namespace = object.namespace().to_owned();
    let names = Target::ALL.into_iter().filter_map(|target| target.name(object));
    names.map(move |name| SecretName { namespace: namespace.clone(), name })
}

/// The name by which the queue knows `object`.
#[must_use]
pub fn id_of(object: &Credential) -> Id {
    Id::new(object.kind(), object.namespace(), object.name())
}

fn hash(secret: &SecretName) -> u64 {
    let mut hasher = DefaultHasher::new();
    secret.hash(&mut hasher);
    hasher.finish()
}

fn is_news(known: &Version, told: &Version) -> bool {
    known.uid != told.uid || is_newer(Some(&known.resource_version), Some(&told.resource_version))
}

/// Whether `told` is a later state than `known` of the same object: the answer to our own write may come before older
/// events do. Versions that are no numbers are taken for later unless they are the same.
///
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>
fn is_newer(known: Option<&str>, told: Option<&str>) -> bool {
    let number = |version: Option<&str>| version.and_then(|text| text.parse::<u64>().ok());
    match (number(known), number(told)) {
        (Some(known), Some(told)) => told > known,
        _ => known != told,
    }
}

#[cfg(test)]
mod tests;
