//! Who is next: takes object, Secret, time and slot events, and says which credential runs.
//!
//! First by class (urgent, then never tried, then ended, then due, and last those that only a human can mend), within a
//! class namespaces in turn, within a namespace the soonest expiry. A credential that has to ask Apple waits in the line of that
//! host until pacing lets it in; one that does not is never held up by those.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    line::Line,
    now::Now,
    pacing::{Entry, Pacing},
    schedule::Life,
};
use crate::{
    api::{Condition, ConditionStatus, ConditionType, Credential, Kind, conditions::find},
    apple::error::Host,
};

/// Names a credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Which kind it is of.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl Id {
    /// The credential `name` of this kind in `namespace`.
    #[must_use]
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

/// What the queue has to know of a credential to put it into a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The life of the published token.
    pub life: Option<Life>,
    /// Whether it was driven to a result before, in this process or (by its status) in an earlier one.
    pub tried: bool,
    /// Whether, by its status, it gets no token until somebody changes something: Apple rejected the client, for example.
    pub is_stalled: bool,
}

/// What a credential waits for after it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A change of its objects.
    Changed,
    /// A change, or this time.
    At(Timestamp),
    /// Leave to ask this host.
    Host(Host),
}

/// A credential whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which one.
    pub id: Id,
    /// The host it was let in to, where it waited for one; it owes [`Pacing::leave`].
    pub granted: Option<Host>,
    /// How long it waited for its turn.
    pub waited: Duration,
}

/// What a credential does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing, until something changes.
    None,
    /// It waits for this time.
    At(Timestamp),
    /// It waits for its turn, or runs, since then (steady clock).
    Since(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Idle,
    Timed(Timestamp),
    /// If it is still waiting at `again`, it goes to another place.
    Waiting {
        gate: Option<Host>,
        class: Class,
        key: Timestamp,
        again: Option<Timestamp>,
    },
    Running(After),
}

/// What happened to a credential while it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Nothing,
    Changed,
    Forgotten,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// It lives, and not for long.
    Urgent,
    NeverTried,
    /// Too late already: whoever still lives can be saved, and whoever is new need not wait for thousands of these.
    Ended,
    Due,
    /// Whatever it had is as good as lost: thousands of these must not cost the others a single turn.
    Stalled,
}

impl Class {
    const FIRST: Self = Self::Urgent;
    const LAST: Self = Self::Stalled;
}

#[derive(Debug)]
struct Item {
    standing: Standing,
    place: Place,
    /// Since when it waits for its turn, or runs (steady clock).
    since: Duration,
}

/// All credentials, each idle, waiting for its time, waiting for its turn, or running.
#[derive(Debug, Default)]
pub struct Queue {
    items: BTreeMap<Id, Item>,
    times: BTreeSet<(Timestamp, Id)>,
    promotions: BTreeSet<(Timestamp, Id)>,
    lines: BTreeMap<(Option<Host>, Class), Line>,
    refused: BTreeMap<Host, Duration>,
    running: usize,
    most_running: usize,
    adds: u64,
}

impl Queue {
    /// An empty queue that lets at most `most_running` credentials run at once.
    #[must_use]
    pub fn new(most_running: usize) -> Self {
        Self { most_running, ..Self::default() }
    }

    /// Something about `id` changed: it runs as soon as it can, again if it is running now.
    pub fn wake(&mut self, id: &Id, standing: Standing, now: Now) {
        self.leave_place(id);
        let item = self.items.entry(id.clone()).or_insert(Item { standing, place: Place::Idle, since: now.steady });
        item.standing = standing;
        if let Place::Running(after) = &mut item.place {
            *after = After::Changed;
        } else {
            self.line_up(id, None, now);
        }
    }

    /// `id` ran and waits for `next`. If something changed meanwhile, it runs again.
    pub fn finished(&mut self, id: &Id, standing: Standing, next: Next, now: Now) {
        let Some(item) = self.items.get_mut(id) else { return };
        let Place::Running(after) = item.place else { return };
        self.running -= 1;
        item.standing = standing;
        item.place = Place::Idle;
        match (after, next) {
            (After::Forgotten, _) => {
                self.items.remove(id);
            }
            (After::Changed, _) => self.line_up(id, None, now),
            (After::Nothing, Next::Changed) => {}
            (After::Nothing, Next::At(time)) => {
                item.place = Place::Timed(time);
                self.times.insert((time, id.clone()));
            }
            (After::Nothing, Next::Host(host)) => self.line_up(id, Some(host), now),
        }
    }

    /// `id` is gone. If it is running, [`Queue::finished`] is still owed.
    pub fn forget(&mut self, id: &Id) {
        self.leave_place(id);
        match self.items.get_mut(id).map(|item| &mut item.place) {
            Some(Place::Running(after)) => *after = After::Forgotten,
            _ => {
                self.items.remove(id);
            }
        }
    }

    /// The credential that runs next, if one may run now.
    pub fn next(&mut self, now: Now, pacing: &mut Pacing) -> Option<Run> {
        self.take_due(now);
        self.promote(now);
        let run = self.choose(now, pacing);
        for host in Host::ALL {
            let waiting = self.lines.range((Some(host), Class::FIRST)..=(Some(host), Class::LAST));
            pacing.set_contended(host, waiting.into_iter().any(|(_, line)| !line.is_empty()));
        }
        run
    }

    fn choose(&mut self, now: Now, pacing: &mut Pacing) -> Option<Run> {
        self.refused.clear();
        if self.running >= self.most_running {
            return None;
        }
        let waited_for = self.lines.iter().filter(|(_, line)| !line.is_empty());
        let gates: BTreeSet<Option<Host>> = waited_for.map(|((gate, _), _)| *gate).collect();
        gates.into_iter().find_map(|gate| {
            let granted = match gate {
                Some(host) => match pacing.enter(host, now.steady) {
                    Entry::Granted => Some(host),
                    Entry::NotBefore(when) => {
                        self.refused.insert(host, when);
                        return None;
                    }
                    Entry::Full => return None,
                },
                None => None,
            };
            let (id, waited) = self.pop(gate, now)?;
            self.running += 1;
            Some(Run { id, granted, waited })
        })
    }

    /// What `id` does at the moment.
    #[must_use]
    pub fn turn(&self, id: &Id) -> Turn {
        self.items.get(id).map_or(Turn::None, |item| match item.place {
            Place::Idle => Turn::None,
            Place::Timed(time) => Turn::At(time),
            Place::Waiting { .. } | Place::Running(_) => Turn::Since(item.since),
        })
    }

    /// When [`Queue::next`] may say something new although nothing changes.
    #[must_use]
    pub fn wake_at(&self, now: Now) -> Option<Timestamp> {
        let timed = self.times.first().map(|(time, _)| *time);
        let refused = self.refused.values().min().map(|&steady| now.wall_at(steady));
        timed.into_iter().chain(refused).min()
    }

    /// How many are waiting for their turn.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.lines.values().map(Line::len).sum()
    }

    /// How often one began to wait for its turn.
    #[must_use]
    pub fn adds(&self) -> u64 {
        self.adds
    }

    /// How many are running.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// Moves those whose time has come into the line.
    fn take_due(&mut self, now: Now) {
        while let Some((time, _)) = self.times.first()
            && *time <= now.wall
            && let Some((_, id)) = self.times.pop_first()
        {
            self.line_up(&id, None, now);
        }
    }

    /// Moves those that became urgent while they waited to the front, and those that ended back; lets those run whose last
    /// chance came: with a token in hand they need not wait for a host any longer.
    fn promote(&mut self, now: Now) {
        while let Some((time, _)) = self.promotions.first()
            && *time <= now.wall
            && let Some((_, id)) = self.promotions.pop_first()
        {
            if let Some(Item { place: Place::Waiting { gate, .. }, standing, .. }) = self.items.get(&id) {
                let gate = gate.filter(|_| !standing.is_last_chance(now.wall));
                self.leave_place(&id);
                self.line_up(&id, gate, now);
            }
        }
    }

    fn line_up(&mut self, id: &Id, gate: Option<Host>, now: Now) {
        let Some(item) = self.items.get_mut(id) else { return };
        let (class, key) = item.standing.class(now.wall);
        let again = item.standing.next_change(now.wall);
        if !matches!(item.place, Place::Waiting { .. }) {
            item.since = now.steady;
            self.adds += 1;
        }
        item.place = Place::Waiting { gate, class, key, again };
        self.promotions.extend(again.map(|time| (time, id.clone())));
        self.lines.entry((gate, class)).or_default().push(key, id.clone());
    }

    /// Whose turn it is behind `gate`, and how long it waited.
    fn pop(&mut self, gate: Option<Host>, now: Now) -> Option<(Id, Duration)> {
        let mut lines = self.lines.range_mut((gate, Class::FIRST)..=(gate, Class::LAST));
        let id = lines.find_map(|(_, line)| line.pop())?;
        let item = self.items.get_mut(&id)?;
        if let Place::Waiting { again: Some(time), .. } = item.place {
            self.promotions.remove(&(time, id.clone()));
        }
        item.place = Place::Running(After::Nothing);
        let since = std::mem::replace(&mut item.since, now.steady);
        Some((id, now.steady.saturating_sub(since)))
    }

    /// Takes `id` out of whatever it waits in.
    fn leave_place(&mut self, id: &Id) {
        let Some(item) = self.items.get_mut(id) else { return };
        match item.place {
            Place::Timed(time) => {
                self.times.remove(&(time, id.clone()));
            }
            Place::Waiting { gate, class, key, again } => {
                if let Some(line) = self.lines.get_mut(&(gate, class)) {
                    line.remove(key, id);
                }
                if let Some(time) = again {
                    self.promotions.remove(&(time, id.clone()));
                }
            }
            Place::Idle | Place::Running(_) => {}
        }
    }
}

impl Standing {
    /// That of `object`, while a token of this life is published.
    #[must_use]
    pub fn of(object: &Credential, life: Option<Life>) -> Self {
        let told = object.status();
        let conditions = told.map_or(&[][..], |status| &status.conditions);
        let now = |condition: &&Condition| condition.observed_generation == object.metadata().generation;
        let says = |type_, said| find(conditions, type_).filter(now).is_some_and(|condition| condition.status == said);
        Self {
            life,
            tried: told.is_some_and(|status| status.observed_generation.is_some()),
            is_stalled: says(ConditionType::Stalled, ConditionStatus::True)
                && says(ConditionType::RenewalHealthy, ConditionStatus::False),
        }
    }

    /// The class at `now`, and the sort key within it.
    fn class(&self, now: Timestamp) -> (Class, Timestamp) {
        let end = self.life.map_or(Timestamp::MAX, |life| life.expires_at);
        match self.life {
            _ if self.is_stalled => (Class::Stalled, end),
            Some(life) if now >= life.expires_at => (Class::Ended, end),
            Some(life) if now >= life.urgent_at() => (Class::Urgent, end),
            None if !self.tried => (Class::NeverTried, now),
            _ => (Class::Due, end),
        }
    }

    /// When one that waits from `now` on gets another class, or need not wait for a host any longer.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let life = self.life?;
        [life.urgent_at(), life.last_chance_at(), life.expires_at].into_iter().find(|time| *time > now)
    }

    fn is_last_chance(&self, now: Timestamp) -> bool {
        self.life.is_some_and(|life| now >= life.last_chance_at())
    }
}

#[cfg(test)]
mod tests;
