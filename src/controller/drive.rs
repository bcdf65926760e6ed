//! One run of one credential: look, plan, do one step, look again, until it has to wait.

use super::{
    apple::Apple,
    cluster::Cluster,
    learned::Context,
    perform::{KeyInHand, perform},
    report::{Reported, report},
    world::{Pass, World},
};
use crate::{
    api::{ConditionStatus, ConditionType, Kind, conditions::find},
    controller::metrics::RunResult,
    credential::{
        failure::Side,
        memory::Memory,
        observed::Observed,
        plan::{Step, Until, is_wanted, plan},
        queue::{Id, Next},
    },
};

/// More steps than any run takes: one that does not come to rest is stopped rather than let loose on Apple.
const MOST_STEPS: usize = 64;

fn is_told_ready(seen: &Observed<'_>) -> bool {
    let ready = seen.object.status().and_then(|status| find(&status.conditions, ConditionType::Ready));
    ready.is_some_and(|ready| ready.status == ConditionStatus::True)
}

/// What this process has of one credential.
#[derive(Default)]
pub(super) struct Mind {
    /// What it knows.
    pub(super) memory: Memory,
    /// The private key, where that signs each token: it would else be read for each.
    pub(super) key: KeyInHand,
}

impl Mind {
    /// Forgets what does not outlast a run of `id`.
    pub(super) fn after_a_run(&mut self, id: &Id) {
        if id.kind == Kind::Ads {
            self.key = KeyInHand::default();
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_blank(&self) -> bool {
        self.memory.is_blank() && self.key.is_empty()
    }
}

/// Runs one credential until it has to wait. Every turn looks again, so a crash between two steps loses nothing.
pub(super) async fn drive<C: Cluster, A: Apple>(
    world: &World<C, A>,
    id: &Id,
    mind: &mut Mind,
    mut pass: Option<Pass>,
) -> Next {
    let Mind { memory, key } = mind;
    let mut result = None;
    for _ in 0..MOST_STEPS {
        let Some(object) = world.index().credential(id).cloned() else { return Next::Changed };
        if memory.uid != object.uid() {
            *memory = Memory::of(object.uid());
        }
        let now = world.clock.now();
        let seen = world.observe(&object, memory, now);
        let step = plan(&seen, now);
        if let Step::Wait(until) = step {
            if memory.cluster_trouble.is_some() && !is_wanted(&seen, Side::Cluster, now) {
                memory.succeeded(Side::Cluster);
                continue;
            }
            let Reported { next, failures } = report(world, &seen, until, now).await;
            memory.status_failures = failures;
            world.metrics.ran(id.kind, result.unwrap_or_else(|| RunResult::of(next)));
            return next;
        }
        let mut asking = None;
        if let Some(host) = step.host() {
            let granted = pass.take().filter(|pass| pass.host() == host).or_else(|| world.enter(host, now));
            let Some(granted) = granted else {
                // Whoever waits in line is not Ready by a token that ended meanwhile. All else that an earlier process
                // told stays, as this one has tried nothing yet.
                if is_told_ready(&seen) && seen.published_life().is_some_and(|life| !seen.is_live(life, now)) {
                    memory.status_failures = report(world, &seen, Until::Changed, now).await.failures;
                }
                world.metrics.ran(id.kind, RunResult::Requeue);
                return Next::Host(host);
            };
            asking = Some(granted);
        }
        let context = Context::of(&seen, now);
        let learned = perform(world, &step, &seen, key, now).await;
        drop(asking);
        if let Some(failure) = learned.failure() {
            tracing::warn!(namespace = &*id.namespace, name = &*id.name, ?step, "a step failed: {failure}");
            result = Some(RunResult::Error);
        }
        context.remember(memory, learned, world.clock.now());
    }
    tracing::error!(credential = %id, "a run did not come to rest after {MOST_STEPS} steps");
    Next::At(world.clock.now().wall_at(world.clock.now().steady + std::time::Duration::from_mins(1)))
}
