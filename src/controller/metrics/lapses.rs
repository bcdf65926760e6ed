//! How long readers of managed Secrets were left with a token that had ended.

use std::{collections::HashMap, time::Duration};

use crate::credential::{
    now::{Now, between},
    queue::Id,
    schedule::Life,
};

/// The sum, kept up to date at each look. Time before the first look does not count: a process that restarts would count it
/// again and again.
#[derive(Debug)]
pub(super) struct Lapses {
    total: Duration,
    /// When it was last looked.
    looked: Now,
    /// The tokens that were seen then: one that ended and was replaced since counts too.
    lives: HashMap<Id, Life>,
}

impl Lapses {
    /// Nothing counts before `now`.
    pub(super) fn from(now: Now) -> Self {
        Self { total: Duration::ZERO, looked: now, lives: HashMap::new() }
    }

    /// The sum up to `now`, of credentials that publish tokens with these lives.
    ///
    /// A token that was replaced since the last look lay there until the new one was issued, which is when it was written
    /// but for the seconds in which it was verified.
    pub(super) fn look(&mut self, now: Now, seen: impl Iterator<Item = (Id, Life)>) -> Duration {
        // A wall clock that is set forward makes no time pass.
        let passed = now.steady.saturating_sub(self.looked.steady);
        let mut lives = HashMap::with_capacity(self.lives.len());
        for (id, life) in seen {
            let replaced = self.lives.get(&id).filter(|old| old.issued_at < life.issued_at);
            let spans =
                [replaced.map(|old| (old.expires_at, life.issued_at.min(now.wall))), Some((life.expires_at, now.wall))];
            let lapsed: Duration =
                spans.into_iter().flatten().map(|(from, to)| between(from.max(self.looked.wall), to)).sum();
            self.total += lapsed.min(passed);
            lives.insert(id, life);
        }
        self.lives = lives;
        self.looked = now;
        self.total
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::api::Kind;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_second(second.try_into().unwrap()).unwrap()
    }

    fn now(second: u64) -> Now {
        Now { wall: at(second), steady: Duration::from_secs(second) }
    }

    /// A token of `from` to `to`.
    fn acme(from: u64, to: u64) -> impl Iterator<Item = (Id, Life)> {
        let life = Life { issued_at: at(from), expires_at: at(to) };
        [(Id::new(Kind::Ads, "marketing", "acme"), life)].into_iter()
    }

    fn seconds(total: Duration) -> u64 {
        total.as_secs()
    }

    #[test]
    fn a_token_that_lives_adds_nothing_and_one_that_ended_adds_each_second_once() {
        let mut lapses = Lapses::from(now(0));
        assert_eq!(seconds(lapses.look(now(50), acme(0, 100))), 0);
        assert_eq!(seconds(lapses.look(now(110), acme(0, 100))), 10);
        assert_eq!(seconds(lapses.look(now(110), acme(0, 100))), 10);
        assert_eq!(seconds(lapses.look(now(140), acme(0, 100))), 40);
    }

    #[test]
    fn a_token_that_ended_and_was_replaced_between_two_looks_counts_until_the_new_one_came() {
        let mut lapses = Lapses::from(now(0));
        lapses.look(now(90), acme(0, 100));
        assert_eq!(seconds(lapses.look(now(120), acme(107, 200))), 7);
        assert_eq!(seconds(lapses.look(now(150), acme(107, 200))), 7);
    }

    #[test]
    fn a_token_that_was_replaced_in_time_adds_nothing() {
        let mut lapses = Lapses::from(now(0));
        lapses.look(now(40), acme(0, 100));
        assert_eq!(seconds(lapses.look(now(140), acme(50, 150))), 0);
    }

    #[test]
    fn what_was_before_the_process_and_what_a_clock_jumped_over_does_not_count() {
        let mut lapses = Lapses::from(now(500));
        assert_eq!(seconds(lapses.look(now(510), acme(0, 100))), 10);
        let day_later = Now { wall: at(510 + 86400), ..now(515) };
        assert_eq!(seconds(lapses.look(day_later, acme(0, 100))), 15);
    }

    #[test]
    fn a_deleted_credential_takes_nothing_away() {
        let mut lapses = Lapses::from(now(0));
        lapses.look(now(130), acme(0, 100));
        assert_eq!(seconds(lapses.look(now(160), std::iter::empty())), 30);
    }
}
