//! Whether those who had to wait for Apple asked in the order that was promised.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Bound,
    time::Duration,
};

use asa_operator::{apple::error::Host, credential::now::earlier};
use jiff::Timestamp;

use crate::{storm_stage::Storm, toy_apple::Visit, toy_cluster::namespace_of, world::BURST};

/// A token of an hour that has less left is urgent.
const URGENT: Duration = Duration::from_mins(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Urgent,
    New,
    Ended,
    Due,
}

/// Somebody's first request for a token.
struct Asked<'a> {
    name: &'a str,
    at: Timestamp,
    /// When the token ends that it had.
    end: Option<Timestamp>,
}

impl Asked<'_> {
    fn class(&self) -> Class {
        match self.end {
            None => Class::New,
            Some(end) if self.at >= end => Class::Ended,
            Some(end) if self.at >= earlier(end, URGENT) => Class::Urgent,
            Some(_) => Class::Due,
        }
    }
}

impl Storm {
    /// What was wrong with the order of the first requests for tokens, once the first burst was over: that one goes to
    /// whoever comes to it first.
    pub(crate) fn disorder(&self, visits: &[Visit]) -> Vec<String> {
        let asked = self.asked(visits);
        let in_line = &asked[asked.len().min(BURST as usize)..];
        let complaints = [self.overtaking(in_line), unfairness(in_line)];
        complaints.into_iter().flatten().collect()
    }

    fn asked<'a>(&'a self, visits: &'a [Visit]) -> Vec<Asked<'a>> {
        let mut known = HashSet::new();
        let names = visits.iter().filter(|visit| visit.host == Host::AppleId).filter_map(|visit| {
            let name = visit.client_id.as_deref()?.strip_prefix("SEARCHADS.")?;
            Some((name, visit.at))
        });
        let ours = names.filter(|(name, _)| self.ends.contains_key(*name) || self.created.contains_key(*name));
        let first = ours.filter(|(name, _)| known.insert(*name));
        first.map(|(name, at)| Asked { name, at, end: self.ends.get(name).copied() }).collect()
    }

    /// Whether somebody came before another who waited already, and was of an earlier class, or of the same one and the
    /// same namespace with a sooner end. Goes backwards: then it is known who still waited.
    fn overtaking(&self, in_line: &[Asked<'_>]) -> Option<String> {
        let mut waiting: BTreeMap<&str, BTreeSet<Timestamp>> = BTreeMap::new();
        let mut created = Timestamp::MAX;
        in_line.iter().rev().find_map(|asked| {
            let Asked { name, at, end } = asked;
            let class = asked.class();
            let ended = |waiting: &BTreeSet<Timestamp>| waiting.first().copied().filter(|end| end <= at);
            let living =
                |waiting: &BTreeSet<Timestamp>| waiting.range((Bound::Excluded(*at), Bound::Unbounded)).next().copied();
            let is_urgent = |end: Timestamp| *at >= earlier(end, URGENT);
            let own = waiting.get(namespace_of(name));
            let sooner = own.and_then(|own| if class == Class::Ended { ended(own) } else { living(own) });
            let complaint = if class > Class::Urgent && waiting.values().filter_map(living).any(is_urgent) {
                Some("an urgent one")
            } else if class > Class::New && created < *at {
                Some("a new one")
            } else if class > Class::Ended && waiting.values().any(|waiting| ended(waiting).is_some()) {
                Some("one whose token had ended")
            } else if end.zip(sooner).is_some_and(|(end, sooner)| sooner < end) {
                Some("one whose token ends sooner")
            } else {
                None
            };
            match end {
                Some(end) => drop(waiting.entry(namespace_of(name)).or_default().insert(*end)),
                None => created = created.min(self.created[*name]),
            }
            complaint.map(|other| format!("{class:?} {name} came before {other} at {at}"))
        })
    }
}

/// Whether a namespace had two turns while another one waited for one. Only of those who are due: who is urgent takes
/// turns with whoever else is so at that time.
fn unfairness(in_line: &[Asked<'_>]) -> Option<String> {
    let due = in_line.iter().filter(|asked| asked.class() == Class::Due);
    let turns: Vec<(&str, Timestamp)> = due.map(|asked| (namespace_of(asked.name), asked.at)).collect();
    let last: BTreeMap<&str, usize> =
        turns.iter().enumerate().map(|(turn, (namespace, _))| (*namespace, turn)).collect();
    let mut before: BTreeMap<&str, usize> = BTreeMap::new();
    for (turn, (namespace, at)) in turns.iter().enumerate() {
        if let Some(previous) = before.insert(namespace, turn) {
            let waits = |other: &&str| last[*other] > turn && before.get(*other).is_none_or(|turn| *turn < previous);
            if let Some(other) = last.keys().find(|other| *other != namespace && waits(other)) {
                return Some(format!("{namespace} had two turns at {at} while {other} waited"));
            }
        }
    }
    None
}
