//! Who may act: the one process that leads, and for how long it may be sure of that.

use std::{future::Future, pin::pin, task::Poll, time::Duration};

use tokio::sync::watch;

use super::clock::Clock;

/// Leave to act. It ends by itself, on this process' steady clock, unless it is extended in time: whoever was stopped for a
/// minute knows at once that it is over.
#[derive(Clone, Debug)]
pub struct Mandate(Option<Limited>);

#[derive(Clone, Debug)]
struct Limited {
    clock: Clock,
    granted: watch::Receiver<Granted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Granted {
    term: Term,
    until: Duration,
}

/// Which time in office. Between two different ones somebody else may have acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term(u64);

/// Where a mandate comes from.
#[derive(Debug)]
pub struct Grantor(watch::Sender<Granted>);

impl Grantor {
    /// A mandate that was not given yet.
    #[must_use]
    pub fn new(clock: Clock) -> (Self, Mandate) {
        let (sender, granted) = watch::channel(Granted { term: Term(0), until: Duration::ZERO });
        (Self(sender), Mandate(Some(Limited { clock, granted })))
    }

    /// Gives the mandate for this time in office, until the steady clock shows `until`.
    pub fn grant(&self, term: u64, until: Duration) {
        self.set(Granted { term: Term(term), until });
    }

    /// Takes it back.
    pub fn withdraw(&self) {
        let term = self.0.borrow().term;
        self.set(Granted { term, until: Duration::ZERO });
    }

    fn set(&self, news: Granted) {
        self.0.send_if_modified(|granted| std::mem::replace(granted, news) != news);
    }
}

impl Mandate {
    /// That of a process that is the only one.
    #[must_use]
    pub fn without_end() -> Self {
        Self(None)
    }

    /// The term that runs now, if one does.
    #[must_use]
    pub fn term(&self) -> Option<Term> {
        let Some(limited) = &self.0 else { return Some(Term(0)) };
        let Granted { term, until } = *limited.granted.borrow();
        (limited.clock.now().steady < until).then_some(term)
    }

    /// Returns as soon as something else than `term` runs.
    pub async fn until_other_than(&mut self, term: Option<Term>) {
        while self.term() == term {
            let Some(Limited { clock, granted }) = &mut self.0 else { return std::future::pending().await };
            let left = granted.borrow_and_update().until.saturating_sub(clock.now().steady);
            tokio::select! {
                Ok(()) = granted.changed() => {}
                () = tokio::time::sleep(left), if !left.is_zero() => {}
                else => std::future::pending().await,
            }
        }
    }

    /// Does `work`, or as much of it as the present term allows: before each piece of it the clock is looked at.
    ///
    /// Nothing wakes it at the end of the term; it merely goes no further.
    pub async fn while_it_lasts<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let term = self.term()?;
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            if self.term() == Some(term) { work.as_mut().poll(context).map(Some) } else { Poll::Ready(None) }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_mandate_ends_by_itself_and_goes_on_if_it_is_extended_in_time() {
        let clock = Clock::system();
        let (grantor, mut mandate) = Grantor::new(clock.clone());
        assert_eq!(mandate.term(), None);
        grantor.grant(1, SECOND);
        mandate.until_other_than(None).await;
        assert_eq!(mandate.term(), Some(Term(1)));

        tokio::time::sleep(SECOND / 2).await;
        grantor.grant(1, 3 * SECOND);
        mandate.until_other_than(Some(Term(1))).await;
        assert!(clock.now().steady >= 3 * SECOND, "ended at {:?}", clock.now().steady);
        assert_eq!(mandate.term(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_mandate_that_is_withdrawn_or_given_anew_is_noticed() {
        let (grantor, mut mandate) = Grantor::new(Clock::system());
        grantor.grant(1, SECOND);
        grantor.grant(2, SECOND);
        mandate.until_other_than(Some(Term(1))).await;
        assert_eq!(mandate.term(), Some(Term(2)));
        grantor.withdraw();
        mandate.until_other_than(Some(Term(2))).await;
        assert_eq!(mandate.term(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn work_goes_no_further_once_its_term_is_over() {
        let (grantor, mandate) = Grantor::new(Clock::system());
        assert_eq!(mandate.while_it_lasts(async {}).await, None);
        grantor.grant(1, SECOND);
        assert_eq!(mandate.while_it_lasts(tokio::time::sleep(SECOND / 2)).await, Some(()));
        assert_eq!(mandate.while_it_lasts(tokio::time::sleep(SECOND)).await, None);
        grantor.grant(2, 9 * SECOND);
        let another = async {
            grantor.grant(3, 9 * SECOND);
            tokio::task::yield_now().await;
        };
        assert_eq!(mandate.while_it_lasts(another).await, None, "another term is not this one");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_alone_has_it_without_end() {
        let mut mandate = Mandate::without_end();
        assert_eq!(mandate.while_it_lasts(tokio::time::sleep(1000 * SECOND)).await, Some(()));
        let other = tokio::time::timeout(1000 * SECOND, mandate.until_other_than(Some(Term(0)))).await;
        assert!(other.is_err());
    }
}
