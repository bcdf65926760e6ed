//! Whether Apple was asked no faster than promised.

use asa_operator::{apple::error::Host, credential::pacing::MOST_IN_FLIGHT};
use jiff::Timestamp;

use crate::{
    toy_apple::Visit,
    world::{BURST, PER_SECOND},
};

/// What was wrong with the pace at each host; a process that started at `restart` has a new allowance.
pub(crate) fn hurry(visits: &[Visit], restart: Option<Timestamp>) -> Vec<String> {
    let at = |host| visits.iter().filter(move |visit| visit.host == host);
    Host::ALL.into_iter().flat_map(|host| haste(at(host), restart).into_iter().chain(crowding(at(host)))).collect()
}

/// Whether a host was asked more often than its rate allows; a new process has a new allowance.
fn haste<'a>(visits: impl Iterator<Item = &'a Visit>, restart: Option<Timestamp>) -> Option<String> {
    let (mut level, mut last) = (0.0, Timestamp::MIN);
    for Visit { host, at, .. } in visits {
        let is_new = restart.is_some_and(|restart| last < restart && restart <= *at);
        let drained = at.duration_since(last).as_secs_f64() * f64::from(PER_SECOND);
        level = if is_new { 1.0 } else { (level - drained).max(0.0) + 1.0 };
        if level > f64::from(BURST) + 0.001 {
            return Some(format!("{host:?}: too many requests at {at}"));
        }
        last = *at;
    }
    None
}

/// Whether too many requests to a host were under way at once.
fn crowding<'a>(visits: impl Iterator<Item = &'a Visit>) -> Option<String> {
    let mut under_way: Vec<Timestamp> = Vec::new();
    for Visit { host, at, until, .. } in visits {
        under_way.retain(|until| until > at);
        under_way.push(*until);
        if under_way.len() > MOST_IN_FLIGHT as usize {
            return Some(format!("{host:?}: too many requests under way at {at}"));
        }
    }
    None
}
