//! Whether Apple may be asked now: one token bucket per base URL, a limit of requests in flight, and pauses.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use crate::apple::error::Host;

/// Requests under way at once per base URL. With Apple at 100 ms this allows 640 a second; the bucket is the limit long
/// before. A host that hangs holds no more than this many for the 10 s of a request's deadline.
pub const MOST_IN_FLIGHT: u32 = 64;

/// Two clients that are told to wait within this time speak for the host: everyone waits.
const SHARED_THROTTLING: Duration = Duration::from_mins(1);

/// How often a base URL may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests per second in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once after a quiet time.
    pub burst: NonZeroU32,
}

/// The answer to "may this host be asked now?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Yes; [`Pacing::leave`] is owed when the request is over.
    Granted,
    /// Not before the steady clock shows this.
    NotBefore(Duration),
    /// When a request in flight is over.
    Full,
}

/// The gates of all of Apple's hosts.
#[derive(Debug)]
pub struct Pacing {
    gates: BTreeMap<Host, Gate>,
}

#[derive(Debug)]
struct Gate {
    bucket: RateLimiter<NotKeyed, InMemoryState, PassedIn, NoOpMiddleware<Duration>>,
    clock: PassedIn,
    in_flight: u32,
    is_contended: bool,
    paused_until: Duration,
    last_throttled: Option<(Duration, String)>,
}

impl Pacing {
    /// Full buckets for all hosts, each of the given rate.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        let gates = Host::ALL.iter().map(|&host| (host, Gate::new(rate))).collect();
        Self { gates }
    }

    /// Asks for one request to `host` at `now` (steady clock).
    pub fn enter(&mut self, host: Host, now: Duration) -> Entry {
        self.gates.get_mut(&host).map_or(Entry::Granted, |gate| gate.enter(now))
    }

    /// Asks for one request to `host`, unless others already wait in the queue for that host.
    pub fn enter_uncontended(&mut self, host: Host, now: Duration) -> Entry {
        match self.gates.get_mut(&host) {
            Some(gate) if gate.is_contended => Entry::Full,
            Some(gate) => gate.enter(now),
            None => Entry::Granted,
        }
    }

    /// Notes whether somebody waits in the queue for `host`.
    pub fn set_contended(&mut self, host: Host, is_contended: bool) {
        if let Some(gate) = self.gates.get_mut(&host) {
            gate.is_contended = is_contended;
        }
    }

    /// Gives back what [`Pacing::enter`] granted.
    pub fn leave(&mut self, host: Host) {
        if let Some(gate) = self.gates.get_mut(&host) {
            gate.in_flight = gate.in_flight.saturating_sub(1);
        }
    }

    /// Notes that `client` was told to wait for `pause`: the second client within a minute pauses the host.
    pub fn throttled(&mut self, host: Host, client: &str, pause: Duration, now: Duration) {
        let Some(gate) = self.gates.get_mut(&host) else { return };
        let shared = gate
            .last_throttled
            .as_ref()
            .is_some_and(|(when, who)| who != client && now.saturating_sub(*when) <= SHARED_THROTTLING);
        if shared {
            gate.paused_until = gate.paused_until.max(now + pause);
        }
        gate.last_throttled = Some((now, client.to_owned()));
    }
}

impl Gate {
    fn new(rate: Rate) -> Self {
        let clock = PassedIn::default();
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let bucket = RateLimiter::direct_with_clock(quota, clock.clone());
        Self { bucket, clock, in_flight: 0, is_contended: false, paused_until: Duration::ZERO, last_throttled: None }
    }

    fn enter(&mut self, now: Duration) -> Entry {
        if now < self.paused_until {
            return Entry::NotBefore(self.paused_until);
        }
        if self.in_flight >= MOST_IN_FLIGHT {
            return Entry::Full;
        }
        self.clock.set(now);
        match self.bucket.check() {
            Ok(()) => {
                self.in_flight += 1;
                Entry::Granted
            }
            Err(refusal) => Entry::NotBefore(refusal.earliest_possible()),
        }
    }
}

/// A clock that shows what it was last told, so that the bucket reads no clock of its own.
#[derive(Clone, Debug, Default)]
struct PassedIn(Arc<AtomicU64>);

impl PassedIn {
    fn set(&self, now: Duration) {
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Clock for PassedIn {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1000);

    fn pacing(per_second: u32, burst: u32) -> Pacing {
        let number = |n| NonZeroU32::new(n).unwrap();
        Pacing::new(Rate { per_second: number(per_second), burst: number(burst) })
    }

    fn grants(pacing: &mut Pacing, host: Host, now: Duration) -> u32 {
        let mut count = 0;
        while pacing.enter(host, now) == Entry::Granted {
            pacing.leave(host);
            count += 1;
        }
        count
    }

    #[test]
    fn a_quiet_host_takes_a_burst_and_then_the_rate() {
        let mut pacing = pacing(20, 50);
        assert_eq!(grants(&mut pacing, Host::AppleId, START), 50);
        assert_eq!(grants(&mut pacing, Host::AppleId, START + Duration::from_secs(1)), 20);
    }

    #[test]
    fn who_is_refused_learns_when_to_come_again() {
        let mut pacing = pacing(20, 1);
        assert_eq!(pacing.enter(Host::AppleId, START), Entry::Granted);
        let Entry::NotBefore(when) = pacing.enter(Host::AppleId, START) else { panic!("granted") };
        assert_eq!(when, START + Duration::from_millis(50));
        assert_eq!(pacing.enter(Host::AppleId, when), Entry::Granted);
    }

    #[test]
    fn hosts_do_not_share_a_bucket() {
        let mut pacing = pacing(1, 1);
        assert_eq!(grants(&mut pacing, Host::AppleId, START), 1);
        assert_eq!(grants(&mut pacing, Host::AdsPlatform, START), 1);
    }

    #[test]
    fn no_more_than_64_are_in_flight() {
        let mut pacing = pacing(1000, 1000);
        for _ in 0..MOST_IN_FLIGHT {
            assert_eq!(pacing.enter(Host::AdsCampaign, START), Entry::Granted);
        }
        assert_eq!(pacing.enter(Host::AdsCampaign, START), Entry::Full);
        pacing.leave(Host::AdsCampaign);
        assert_eq!(pacing.enter(Host::AdsCampaign, START), Entry::Granted);
    }

    #[test]
    fn one_throttled_client_stops_nobody_else_and_two_within_a_minute_stop_the_host() {
        let mut pacing = pacing(20, 50);
        let pause = Duration::from_secs(30);
        pacing.throttled(Host::AppleId, "acme", pause, START);
        pacing.throttled(Host::AppleId, "acme", pause, START);
        assert_eq!(pacing.enter(Host::AppleId, START), Entry::Granted);

        let later = START + Duration::from_secs(20);
        pacing.throttled(Host::AppleId, "globex", pause, later);
        assert_eq!(pacing.enter(Host::AppleId, later), Entry::NotBefore(later + pause));
        assert_eq!(pacing.enter(Host::AdsPlatform, later), Entry::Granted);
    }

    #[test]
    fn two_clients_more_than_a_minute_apart_do_not_pause_the_host() {
        let mut pacing = pacing(20, 50);
        pacing.throttled(Host::AppleId, "acme", Duration::from_secs(30), START);
        let later = START + Duration::from_secs(61);
        pacing.throttled(Host::AppleId, "globex", Duration::from_secs(30), later);
        assert_eq!(pacing.enter(Host::AppleId, later), Entry::Granted);
    }
}
