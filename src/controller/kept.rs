//! What is kept alive: each credential with the life of its token, from what is seen of the cluster alone.

use std::sync::Arc;

use jiff::Timestamp;

use super::{index::SecretName, world::World};
use crate::{
    api::Credential,
    credential::{
        published::Record,
        queue::Id,
        schedule::{self, Life, Share},
        sight::Sight,
        target::Target,
    },
};

/// A credential, and the life of the token that readers of its Secret find.
pub(super) struct Kept {
    pub(super) id: Id,
    pub(super) object: Arc<Credential>,
    pub(super) life: Option<Life>,
}

/// All credentials, in no order. Nothing is locked afterwards.
pub(super) fn kept<C, A>(world: &World<C, A>) -> Vec<Kept> {
    let index = world.index();
    let kept = index.credentials().map(|(id, object)| {
        let managed = SecretName { namespace: id.namespace.to_string(), name: object.secret_name() };
        Kept { id: id.clone(), life: published(object, &index.sight(&managed)), object: Arc::clone(object) }
    });
    kept.collect()
}

/// The life of the token in the managed Secret; where that cannot be seen, of the one that was last reported.
fn published(object: &Credential, managed: &Sight) -> Option<Life> {
    match managed {
        Sight::Present(meta) => {
            let record = meta.record.as_ref().filter(|_| meta.belongs_to(object.uid()));
            record.filter(|record| record.is_possible(Target::Managed, object.kind())).map(Record::life)
        }
        Sight::Absent => None,
        Sight::Unknown => {
            let reported = object.status()?.access_token?;
            Some(Life { issued_at: reported.issued_at, expires_at: reported.expires_at })
        }
    }
}

impl Kept {
    /// When its renewal starts.
    pub(super) fn renewal(&self) -> Option<Timestamp> {
        let share = Share::of(self.object.uid());
        self.life.map(|life| schedule::renewal(life, share, self.object.token_renew_before()))
    }

    /// Whether its token is to be renewed at all.
    pub(super) fn is_looked_after(&self) -> bool {
        !self.object.is_suspended() && self.object.metadata().deletion_timestamp.is_none()
    }
}
