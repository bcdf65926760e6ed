//! One run of one credential: look, plan, do one step, look again, until it has to wait.

use std::{collections::BTreeSet, time::Duration};

use tracing::{Instrument as _, field::Empty};

use super::{
    apple::Apple,
    cluster::Cluster,
    learned::{Context, Learned},
    perform::{KeyInHand, perform},
    report::{Reported, report, tell},
    world::{Pass, World},
};
use crate::{
    api::{ConditionStatus, ConditionType, Kind, conditions::find},
    controller::metrics::RunResult,
    credential::{
        failure::Side,
        memory::Memory,
        now::between,
        observed::Observed,
        plan::{Step, Until, is_wanted, plan},
        queue::{Id, Next},
        schedule::Life,
        target::Target,
    },
};

/// More steps than any run takes: one that does not come to rest is stopped rather than let loose on Apple.
const MOST_STEPS: usize = 64;

/// Failures that are kept apart; there are hardly ever two.
const MOST_TOLD: usize = 16;

/// Such a run, which is a bug, is tried again this much later.
const AFTER_MOST_STEPS: Duration = Duration::from_mins(1);

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
    /// The failures that were told and are not over: each is told once, however often it is met again.
    told: BTreeSet<String>,
}

impl Mind {
    /// Forgets what does not outlast a run of `id`.
    pub(super) fn after_a_run(&mut self, id: &Id) {
        if !self.memory.has_trouble() || self.told.len() > MOST_TOLD {
            self.told.clear();
        }
        if id.kind == Kind::Ads {
            self.key = KeyInHand::default();
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_blank(&self) -> bool {
        self.memory.is_blank() && self.key.is_empty() && self.told.is_empty()
    }
}

/// Runs one credential until it has to wait.
pub(super) async fn drive<C: Cluster, A: Apple>(
    world: &World<C, A>,
    id: &Id,
    mind: &mut Mind,
    pass: Option<Pass>,
) -> Next {
    let started = world.clock.now().steady;
    let span = tracing::debug_span!(
        "reconcile",
        kind = id.kind.as_str(),
        namespace = &*id.namespace,
        name = &*id.name,
        outcome = Empty
    );
    let (next, result) = to_rest(world, id, mind, pass).instrument(span.clone()).await;
    if let Some(result) = result {
        span.record("outcome", result.label());
        world.metrics.ran(id.kind, result, next, world.clock.now().steady.saturating_sub(started));
    }
    next
}

/// What it waits for in the end, and how the run went; none where the credential is gone. Every turn looks again, so a
/// crash between two steps loses nothing.
async fn to_rest<C: Cluster, A: Apple>(
    world: &World<C, A>,
    id: &Id,
    mind: &mut Mind,
    mut pass: Option<Pass>,
) -> (Next, Option<RunResult>) {
    let Mind { memory, key, told } = mind;
    let mut result = None;
    let mut news = Vec::new();
    for _ in 0..MOST_STEPS {
        let Some(object) = world.index().credential(id).cloned() else { return (Next::Changed, None) };
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
            let Reported { next, failures } = report(world, &seen, until, &news, now).await;
            memory.status_failures = failures;
            return (next, Some(result.unwrap_or_else(|| RunResult::of(next))));
        }
        let mut asking = None;
        if let Some(host) = step.host() {
            let granted = pass.take().filter(|pass| pass.host() == host).or_else(|| world.enter(host, now));
            let Some(granted) = granted else {
                // Whoever waits in line is not Ready by a token that ended meanwhile. All else that an earlier process
                // told stays, as this one has tried nothing yet.
                if is_told_ready(&seen) && seen.published_life().is_some_and(|life| !seen.is_live(life, now)) {
                    memory.status_failures = report(world, &seen, Until::Changed, &news, now).await.failures;
                } else {
                    tell(&seen, &news);
                }
                return (Next::Host(host), Some(RunResult::Requeue));
            };
            asking = Some(granted);
        }
        let context = Context::of(&seen, now);
        let before = seen.published_life();
        let span = tracing::debug_span!("step", ?step);
        let learned = perform(world, id, &step, &seen, key, now).instrument(span.clone()).await;
        drop(asking);
        if let Some(failure) = learned.failure() {
            span.in_scope(|| tracing::debug!(namespace = &*id.namespace, name = &*id.name, ?step, "failed: {failure}"));
            if told.insert(failure.clone()) {
                news.push(failure);
            }
            result = Some(RunResult::Error);
        }
        if matches!(learned, Learned::Wrote(Target::Managed, _)) {
            tell_slack(world, id, before);
        }
        context.remember(memory, learned, world.clock.now());
    }
    tracing::error!(credential = %id, "a run did not come to rest after {MOST_STEPS} steps");
    let now = world.clock.now();
    (Next::At(now.wall_at(now.steady + AFTER_MOST_STEPS)), Some(RunResult::Error))
}

/// How much life the token `before` had left, if a newer one stands in its place now.
fn tell_slack<C, A>(world: &World<C, A>, id: &Id, before: Option<Life>) {
    if let (Some(old), Some(new)) = (before, world.standing(id).life)
        && new.issued_at > old.issued_at
    {
        world.metrics.replaced(id.kind, between(world.clock.now().wall, old.expires_at));
    }
}
