//! The one task that decides who runs: it takes events and ended runs into the queue, and starts whoever is next.

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use tokio::task::{self, JoinError, JoinSet};

use super::{
    apple::Apple,
    cluster::Cluster,
    drive::{Mind, drive},
    health::Health,
    mandate::Term,
    neglect::neglected,
    world::World,
};
use crate::credential::{
    now::Now,
    pacing::MOST_IN_FLIGHT,
    queue::{Id, Next, Queue, Run},
};

/// The wall clock is compared with the steady one this often, so that no due time is missed by more after a suspend or a
/// step of the clock.
const TICK: Duration = Duration::from_secs(15);

/// Whether a credential is neglected is looked at this often.
const LOOK: Duration = Duration::from_mins(1);

/// Three hosts' worth of requests in flight, and as many runs again that have to do with the API server only.
pub const MOST_RUNNING: usize = 6 * MOST_IN_FLIGHT as usize;

/// A wall clock that moved against the steady one by this much was set.
const STEP: Duration = Duration::from_secs(5);

/// After a panic in a run, which is a bug, the credential is tried again this much later.
const AFTER_PANIC: Duration = Duration::from_mins(1);

/// Once it has to stop, what runs gets this long to come to rest: a token that was just issued shall be published. Longer,
/// and little would be left of the 10 s within which the process ends.
const GRACE: Duration = Duration::from_secs(5);

/// What a run leaves, if it was not cut off by the end of the mandate.
type Ended = Option<(Id, Box<Mind>, Next)>;

struct Pump<C, A> {
    world: Arc<World<C, A>>,
    queue: Queue,
    /// Of those who have anything in mind.
    minds: HashMap<Id, Box<Mind>>,
    runs: JoinSet<Ended>,
    tasks: HashMap<task::Id, Id>,
    /// The time in office in which credentials run; none: this process stands by.
    term: Option<Term>,
    /// The last one.
    minds_are_of: Option<Term>,
}

/// Runs credentials as their turns come, until `stop`, and while this process has the mandate: without it the queue is
/// filled and not drained.
///
/// Who runs when it has to stop gets some seconds to come to rest. Whatever runs then, or when the mandate ends, is dropped
/// between two steps or within one, which loses nothing: the next process looks again.
pub async fn run<C: Cluster, A: Apple>(world: Arc<World<C, A>>, health: Health, stop: impl Future<Output = ()>) {
    let mut pump = Pump {
        world: Arc::clone(&world),
        queue: Queue::new(MOST_RUNNING),
        minds: HashMap::new(),
        runs: JoinSet::new(),
        tasks: HashMap::new(),
        term: None,
        minds_are_of: None,
    };
    let mut mandate = world.mandate.clone();
    let mut last = world.clock.now();
    // When credentials began to get turns.
    let mut since = last.steady;
    let mut look_at = since;
    tokio::pin!(stop);
    loop {
        let now = world.clock.now();
        if was_set(last, now) {
            tracing::warn!("the clock was set; all credentials are looked at again");
            pump.wake_all(now);
        }
        last = now;
        let led_in = pump.term;
        pump.follow(mandate.term(), now).await;
        if pump.term != led_in {
            since = now.steady;
        }
        let has_started = pump.term.is_some() && pump.start_all(now);
        // Before a standby they wait for no turn.
        let waiting = if pump.term.is_some() { pump.queue.depth() } else { 0 };
        health.beat(now.steady, has_started || waiting == 0);
        world.metrics.queue(waiting, pump.queue.running(), pump.queue.adds());
        if now.steady >= look_at {
            look_at = now.steady + LOOK;
            let neglected = pump.term.and_then(|_| neglected(&world, &pump.queue, since, now));
            health.neglects(neglected.map(|id| id.to_string()));
        }
        let wake_at = pump.queue.wake_at(now).filter(|_| pump.term.is_some());
        tokio::select! {
            biased;
            () = &mut stop => break,
            () = mandate.until_other_than(pump.term) => {}
            Some(ended) = pump.runs.join_next_with_id() => pump.ended(ended),
            woken = world.woken() => woken.iter().for_each(|id| pump.wake(id)),
            () = world.clock.sleep(wake_at, TICK) => {}
        }
    }
    tokio::select! {
        () = pump.come_to_rest() => {}
        () = world.clock.sleep(None, GRACE) => tracing::info!("{} runs are cut off", pump.queue.running()),
    }
    pump.runs.shutdown().await;
}

/// Whether the wall clock went another way than the steady one since `last`.
fn was_set(last: Now, now: Now) -> bool {
    let expected = crate::credential::now::later(last.wall, now.steady.saturating_sub(last.steady));
    now.wall.duration_since(expected).unsigned_abs() >= STEP
}

impl<C: Cluster, A: Apple> Pump<C, A> {
    /// Follows a change of the mandate.
    ///
    /// What runs at its end is dropped, and with it what that credential had in mind: it is not known what came of the last
    /// step. The other minds are kept until the next mandate. If that is the old one, nobody else has acted in between,
    /// and tokens in hand can still be published: an API server that was away for a while costs no tokens. If it is another
    /// one, all of them are out of date, and this process begins like one that was just started.
    async fn follow(&mut self, term: Option<Term>, now: Now) {
        if term == self.term {
            return;
        }
        if self.term.is_some() {
            self.runs.shutdown().await;
            self.tasks.clear();
            self.queue = Queue::new(MOST_RUNNING);
            self.wake_all(now);
        }
        if term.is_some() && term != self.minds_are_of {
            self.minds.clear();
            self.world.forget_answers();
            self.minds_are_of = term;
        }
        self.term = term;
    }

    /// Waits for all that run; nobody else begins.
    async fn come_to_rest(&mut self) {
        while let Some(ended) = self.runs.join_next_with_id().await {
            self.ended(ended);
        }
    }

    /// Starts whoever may run now; whether anybody did.
    fn start_all(&mut self, now: Now) -> bool {
        let mut has_started = false;
        loop {
            let next = self.queue.next(now, &mut self.world.pacing());
            let Some(Run { id, granted, waited }) = next else { return has_started };
            has_started = true;
            self.world.metrics.waited(waited);
            let pass = granted.map(|host| self.world.pass(host));
            let mut mind = self.minds.remove(&id).unwrap_or_default();
            let world = Arc::clone(&self.world);
            let name = id.clone();
            let run = async move {
                let next = drive(&world, &id, &mut mind, pass).await;
                mind.after_a_run(&id);
                (id, mind, next)
            };
            let mandate = self.world.mandate.clone();
            let task = self.runs.spawn(async move { mandate.while_it_lasts(run).await });
            self.tasks.insert(task.id(), name);
        }
    }

    fn wake(&mut self, id: &Id) {
        if self.world.index().credential(id).is_some() {
            self.queue.wake(id, self.world.standing(id), self.world.clock.now());
        } else {
            self.queue.forget(id);
            self.minds.remove(id);
            self.world.probes().leave(id);
        }
    }

    fn wake_all(&mut self, now: Now) {
        let ids: Vec<Id> = self.world.index().credentials().map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.queue.wake(&id, self.world.standing(&id), now);
        }
    }

    fn ended(&mut self, ended: Result<(task::Id, Ended), JoinError>) {
        let now = self.world.clock.now();
        let (id, next) = match ended {
            Ok((task, Some((id, mind, next)))) => {
                self.tasks.remove(&task);
                if self.world.index().credential(&id).is_some() && !mind.is_blank() {
                    self.minds.insert(id.clone(), mind);
                }
                (id, next)
            }
            // The mandate is over, or another one, as is noticed before anybody runs again.
            Ok((task, None)) => {
                let Some(id) = self.tasks.remove(&task) else { return };
                (id, Next::At(now.wall))
            }
            Err(error) => {
                let Some(id) = self.tasks.remove(&error.id()) else { return };
                tracing::error!(credential = %id, "a run ended in a panic; it is tried again in a minute");
                (id, Next::At(now.wall_at(now.steady + AFTER_PANIC)))
            }
        };
        self.queue.finished(&id, self.world.standing(&id), next, now);
    }
}
