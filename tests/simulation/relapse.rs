//! Time travel: a list that tells an earlier state of the world, followed late by all that has happened since.

use crate::{
    post::{Delivery, List, Told},
    world::Simulation,
};
use std::time::Duration;

/// The lists tell what was after so many events of the story; the events since then follow after `hold`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relapse {
    pub(crate) credentials: usize,
    pub(crate) secrets: usize,
    pub(crate) hold: Duration,
    /// Whether a new process makes these lists; else the running one makes them again.
    pub(crate) restarts: bool,
}

impl Relapse {
    /// `first` is what was before the first event.
    pub(crate) fn happen(self, simulation: &mut Simulation, first: List, events: &[Told]) {
        let list = List {
            credentials: after(first.clone(), &events[..self.credentials]).credentials,
            secrets: after(first, &events[..self.secrets]).secrets,
        };
        *simulation.delivery.lock().unwrap() = Delivery::holding(u32::MAX, self.hold, false);
        if self.restarts {
            simulation.restart_seeing(&list);
        } else {
            simulation.follower().list(&list);
        }
        let told_before = |told: &Told| if told.is_of_credential() { self.credentials } else { self.secrets };
        let missing = events.iter().enumerate().filter(|(number, told)| *number >= told_before(told));
        for (_, told) in missing {
            simulation.cluster.stored().tell_again(told);
        }
    }
}

fn after(mut list: List, events: &[Told]) -> List {
    events.iter().cloned().for_each(|told| list.apply(told));
    list
}
