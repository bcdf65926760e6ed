//! The steps, done through the two ports.

mod asking;
mod key;
mod secrets;

pub(super) use key::KeyInHand;

use super::{apple::Apple, cluster::Cluster, learned::Learned, world::World};
use crate::credential::{
    failure::{ClusterClass, ClusterFailure, Failure, Side, Subject},
    now::Now,
    observed::Observed,
    plan::Step,
    queue::Id,
};

/// Does `step` for `id`.
pub(super) async fn perform<C: Cluster, A: Apple>(
    world: &World<C, A>,
    id: &Id,
    step: &Step,
    seen: &Observed<'_>,
    key: &mut KeyInHand,
    now: Now,
) -> Learned {
    let doing = Doing { world, id, seen, now };
    match step {
        Step::Look(target) => doing.look(*target).await,
        Step::LookAtKey => doing.look_at_key().await,
        Step::LookBack(name) => doing.look_back(name).await,
        Step::Inspect(target) => doing.inspect(*target).await,
        Step::LoadKey => doing.load_key(key).await,
        Step::GenerateKey => doing.generate_key().await,
        Step::SignClientSecret => doing.sign_client_secret(key).await,
        Step::SignToken => doing.sign_token(key).await,
        Step::Probe(program) => doing.probe(*program, key).await,
        Step::Recall(name) => doing.recall(name).await,
        Step::RequestToken => doing.request_token().await,
        Step::Verify(api) => doing.verify(*api).await,
        Step::Resolve(api) => doing.resolve(*api).await,
        Step::Publish(target) => doing.publish(*target).await,
        Step::Restore(target) => doing.restore(*target).await,
        Step::Remove(name) => doing.remove(name).await,
        // The drive waits by itself.
        Step::Wait(_) => Learned::LookedAtKey,
    }
}

struct Doing<'a, C, A> {
    world: &'a World<C, A>,
    id: &'a Id,
    seen: &'a Observed<'a>,
    now: Now,
}

fn failed(verb: &'static str, subject: Subject, class: ClusterClass) -> Learned {
    Learned::Failed(Side::Cluster, Failure::Cluster(ClusterFailure { verb, subject, class }))
}
