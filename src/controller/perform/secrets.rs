//! The operator's own Secrets: looked at, read, written, removed.

use std::sync::Arc;

use secrecy::SecretString;

use super::{Doing, failed};
use crate::{
    api::Kind,
    controller::{
        apple::Apple,
        cluster::{Cluster, SecretContent},
        learned::Learned,
    },
    credential::{
        entries::Entries,
        failure::{ClusterClass, Subject},
        memory::{Fence, Known, Proof, TokenInHand},
        now::between,
        published::{Record, change, creation, restoration, thumbprint},
        secret_meta::{SecretMeta, Version},
        target::Target,
    },
};

impl<C: Cluster, A: Apple> Doing<'_, C, A> {
    pub(super) async fn look(&self, target: Target) -> Learned {
        let Some(name) = target.name(self.seen.object) else { return Learned::Looked(target) };
        match self.world.cluster.look(&self.id.namespace, &name).await {
            Ok(meta) => {
                self.world.learn_answer(self.id, &name, self.seen.sight(target), meta);
                Learned::Looked(target)
            }
            Err(class) => failed("read", Subject::Target(target), class),
        }
    }

    /// Looks at what lies under a name of earlier days.
    pub(super) async fn look_back(&self, name: &str) -> Learned {
        match self.world.cluster.look(&self.id.namespace, name).await {
            Ok(Some(meta)) if meta.was_written_for(self.seen.uid(), name) => {
                Learned::Found(name.to_owned(), Arc::new(meta))
            }
            Ok(theirs) => Learned::Removed(name.to_owned(), theirs.map(|meta| meta.version)),
            Err(class) => failed("read", Subject::Target(Target::Managed), class),
        }
    }

    /// Reads one of our Secrets and compares it with its record.
    pub(super) async fn inspect(&self, target: Target) -> Learned {
        let Some(name) = target.name(self.seen.object) else { return Learned::Looked(target) };
        let content = match self.world.cluster.read(&self.id.namespace, &name).await {
            Ok(Some(content)) => content,
            Ok(None) => {
                self.world.learn_answer(self.id, &name, self.seen.sight(target), None);
                return Learned::Looked(target);
            }
            Err(class) => return failed("read", Subject::Target(target), class),
        };
        let meta = content.meta.clone();
        let is_of_type = content.type_ == target.secret_type(self.seen.object.kind());
        let found = intact(target, self.seen.object.kind(), content);
        let known = Known { version: meta.version.clone(), intact: found.is_some(), ours: false, is_of_type };
        let jwt = found.filter(|_| target == Target::ClientSecret).and_then(|(entries, record)| {
            let jwt = SecretString::from(entries.get("client_secret")?.to_owned());
            Some((jwt, record.life(), record.bundle))
        });
        self.world.learn_secret(self.id, &name, Some(meta));
        Learned::Inspected { target, known, jwt }
    }

    /// Reads the token out of a Secret that this operator, or one before it, published and nobody edited.
    pub(super) async fn recall(&self, name: &str) -> Learned {
        let content = match self.world.cluster.read(&self.id.namespace, name).await {
            Ok(Some(content)) => content,
            Ok(None) => {
                self.world.learn_secret(self.id, name, None);
                let is_former = Target::Managed.name(self.seen.object).as_deref() != Some(name);
                return if is_former {
                    Learned::Removed(name.to_owned(), None)
                } else {
                    Learned::Looked(Target::Managed)
                };
            }
            Err(class) => return failed("read", Subject::Target(Target::Managed), class),
        };
        let (version, kind) = (content.meta.version.clone(), self.seen.object.kind());
        let is_ours =
            content.type_ == Target::Managed.secret_type(kind) && content.meta.was_written_for(self.seen.uid(), name);
        let found = intact(Target::Managed, kind, content).filter(|_| is_ours);
        let token = found.and_then(|(entries, record)| {
            let value = entries.token(kind)?.to_owned().into();
            Some(TokenInHand {
                thumbprint: thumbprint(&value),
                value,
                life: record.life(),
                asked_at: self.now.steady.saturating_sub(between(record.issued_at, self.now.wall)),
                bundle: record.bundle,
                proof: Proof::Proved,
                fence: None,
                was_published: false,
            })
        });
        Learned::Recalled(name.to_owned(), version, token)
    }

    pub(super) async fn publish(&self, target: Target) -> Learned {
        let Some((entries, record, fence)) = self.to_publish(target) else { return Learned::Conflict(target) };
        let fence = fence.unwrap_or_else(|| self.seen.fence(target));
        let object = self.seen.object;
        let (verb, written) = match (fence, self.seen.own(target)) {
            (Fence::At(version), Some(meta)) => {
                let body = change(target, object, &entries, &record, meta, &version);
                ("change", self.world.cluster.change(&self.id.namespace, &record.secret, &body).await)
            }
            (Fence::Absent, None) => {
                if let Some(learned) = self.insist_on_the_resource("create", target, self.was_published()).await {
                    return learned;
                }
                let body = creation(target, object, &entries, &record);
                ("create", self.world.cluster.create(&self.id.namespace, &body).await)
            }
            // It came or went since the renewal was planned.
            _ => return Learned::Conflict(target),
        };
        self.written(verb, target, &record.secret, written, Learned::Wrote)
    }

    /// Whether the status tells of a Secret that was published before.
    fn was_published(&self) -> bool {
        self.seen.object.status().is_some_and(|status| status.secret.is_some())
    }

    /// Asks whether the resource is still there as it is seen, where that is in doubt. A Secret that is gone may have gone
    /// with its resource, a missing owner reference may have been taken away by `--cascade=orphan`, and what is left over
    /// by one generation may be what a later one names: the watches are two, and either may be ahead.
    async fn insist_on_the_resource(&self, verb: &'static str, target: Target, in_doubt: bool) -> Option<Learned> {
        if !in_doubt {
            return None;
        }
        match self.world.cluster.is_there(self.seen.object).await {
            Ok(true) => None,
            Ok(false) => Some(failed(verb, Subject::Target(target), ClusterClass::Conflict)),
            Err(class) => Some(failed(verb, Subject::Target(target), class)),
        }
    }

    fn to_publish(&self, target: Target) -> Option<(Entries, Record, Option<Fence>)> {
        match target {
            Target::Managed => {
                let token = self.seen.token_in_hand(self.now)?;
                let (entries, record) = self.seen.managed_to_publish(token)?;
                Some((entries, record, token.fence.clone()))
            }
            Target::ClientSecret => {
                let secret = self.seen.client_secret_in_hand(self.now)?;
                let (entries, record) = self.seen.client_secret_to_publish(secret)?;
                Some((entries, record, secret.fence.clone()))
            }
        }
    }

    /// Sets owner, labels and annotations.
    pub(super) async fn restore(&self, target: Target) -> Learned {
        let object = self.seen.object;
        let found = self.seen.sight(target).meta().zip(target.name(object));
        let Some((meta, name)) = found else { return Learned::Conflict(target) };
        let sets_owner = !target.is_retained(object) && !meta.has_owner_reference(self.seen.uid());
        // An owner of which nothing is known may be the resource that took this one's place.
        let adopts = !meta.belongs_to(self.seen.uid());
        if let Some(learned) = self.insist_on_the_resource("mark", target, sets_owner || adopts).await {
            return learned;
        }
        let body = restoration(target, object, meta);
        let written = self.world.cluster.change(&self.id.namespace, &name, &body).await;
        self.written("mark", target, &name, written, Learned::Restored)
    }

    /// Deletes a Secret of earlier days, if it is what the operator wrote: of its types, with its marks and its record.
    pub(super) async fn remove(&self, name: &str) -> Learned {
        let managed = Subject::Target(Target::Managed);
        let content = match self.world.cluster.read(&self.id.namespace, name).await {
            Ok(content) => content,
            Err(class) => return failed("read", managed, class),
        };
        let is_ours = |content: &SecretContent| {
            let is_of_type =
                Target::ALL.into_iter().any(|target| target.secret_type(self.seen.object.kind()) == content.type_);
            is_of_type && content.meta.was_written_for(self.seen.uid(), name)
        };
        let theirs = content.as_ref().filter(|content| !is_ours(content)).map(|content| content.meta.version.clone());
        if theirs.is_none() {
            if let Some(content) = content {
                if let Some(learned) = self.insist_on_the_resource("delete", Target::Managed, true).await {
                    return learned;
                }
                let deleted = self.world.cluster.delete(&self.id.namespace, name, &content.meta.version).await;
                if let Err(class) = deleted {
                    return failed("delete", managed, class);
                }
            }
            self.world.learn_secret(self.id, name, None);
        }
        Learned::Removed(name.to_owned(), theirs)
    }

    fn written(
        &self,
        verb: &'static str,
        target: Target,
        name: &str,
        written: Result<SecretMeta, ClusterClass>,
        learned: fn(Target, Version) -> Learned,
    ) -> Learned {
        match written {
            Ok(meta) => {
                let version = meta.version.clone();
                self.world.learn_secret(self.id, name, Some(meta));
                learned(target, version)
            }
            Err(ClusterClass::Conflict) => Learned::Conflict(target),
            Err(class) => failed(verb, Subject::Target(target), class),
        }
    }
}

/// Entries and record of a Secret, if they belong together.
fn intact(target: Target, kind: Kind, content: SecretContent) -> Option<(Entries, Record)> {
    let SecretContent { meta, type_, data } = content;
    let record = meta.record?;
    let entries = Entries::read(target, kind, data);
    (type_ == target.secret_type(kind) && record.is_of(&entries)).then_some((entries, record))
}
