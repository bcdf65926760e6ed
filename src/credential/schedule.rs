//! When: every decision about time, as functions of the times alone.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::now::{between, earlier, later};

/// Renewal starts here at the latest, as a fraction of life. Half a life leaves 30 minutes for an outage; SPIRE does the
/// same, cert-manager waits for two thirds.
const LATEST_RENEWAL: f64 = 0.50;

/// Renewal starts here at the earliest. The spread below [`LATEST_RENEWAL`] keeps 10,000 credentials that were created
/// together from arriving in the same minute for ever.
const EARLIEST_RENEWAL: f64 = 0.45;

/// Less left than this, and than a sixth of life: urgent. With one-hour tokens both are ten minutes.
const URGENT: Duration = Duration::from_mins(10);

/// Less left than this, and than a twelfth of life: an unverified token is better than none.
const LAST_CHANCE: Duration = Duration::from_mins(5);

/// A failed attempt without a live token is repeated after 1, 2, 4 … and at most this.
const LONGEST_BACKOFF: Duration = Duration::from_mins(1);

/// A rejected client is tried again after 1, 2, 4 … minutes and at most this: only a human can mend it.
const LONGEST_REJECTION: Duration = Duration::from_mins(30);

/// However short a token's life, attempts are at least this far apart.
const SHORTEST_RETRY: Duration = Duration::from_secs(1);

/// Identity is resolved anew after this long.
pub const IDENTITY_LIFE: Duration = Duration::from_hours(24);

/// From when to when something is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// The moment before Apple was asked for it, or the moment of signing.
    pub issued_at: Timestamp,
    /// From then on it is refused.
    pub expires_at: Timestamp,
}

impl Life {
    /// The whole length.
    #[must_use]
    pub fn length(self) -> Duration {
        between(self.issued_at, self.expires_at)
    }

    /// From when on its renewal goes before everything else.
    #[must_use]
    pub fn urgent_at(self) -> Timestamp {
        earlier(self.expires_at, URGENT.min(self.length() / 6))
    }

    /// From when on a new token replaces it even if Apple could not be asked to verify the new one.
    #[must_use]
    pub fn last_chance_at(self) -> Timestamp {
        earlier(self.expires_at, LAST_CHANCE.min(self.length() / 12))
    }
}

/// The share of a token's life after which a resource renews it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(f64);

impl Share {
    /// Between 45 % and 50 %; a function of `uid`, so that it is the same after a restart.
    #[must_use]
    pub fn of(uid: &str) -> Self {
        Self(EARLIEST_RENEWAL + (LATEST_RENEWAL - EARLIEST_RENEWAL) * spread(uid))
    }
}

/// However early somebody wants it, renewal starts after this share of life at the earliest: nothing else would keep a
/// credential from renewing without end.
const SHORTEST_USE: f64 = 0.05;

/// When the renewal of an access token starts: after this share of its life.
///
/// `renew_before` (time before expiry) can only make it earlier, and counts only where life is longer than it; a twentieth
/// of life passes in any case.
#[must_use]
pub fn renewal(life: Life, share: Share, renew_before: Option<Duration>) -> Timestamp {
    let ours = later(life.issued_at, life.length().mul_f64(share.0));
    match renew_before {
        Some(before) if before < life.length() => {
            let earliest = later(life.issued_at, life.length().mul_f64(SHORTEST_USE));
            ours.min(earlier(life.expires_at, before).max(earliest))
        }
        _ => ours,
    }
}

/// When a new client secret is due: `renew_before` its end.
#[must_use]
pub fn client_secret_renewal(life: Life, renew_before: Duration) -> Timestamp {
    earlier(life.expires_at, renew_before)
}

/// A number in `[0, 1)` that belongs to `uid`: evenly spread over uids and always the same for one.
fn spread(uid: &str) -> f64 {
    let digest = Sha256::digest(uid.as_bytes());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    f64::from(number) / (f64::from(u32::MAX) + 1.0)
}

/// What a failure asks of the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Try again soon: the cause may pass by itself.
    Soon,
    /// Apple refused the client itself: every attempt until a change will fail as well.
    Rejected,
    /// Apple asked for a pause of this length.
    After(Duration),
}

/// How long to wait after the `failures`-th failure in a row (1 for the first), while the published token has `left`.
///
/// Never longer than a quarter of the life left (at least 1 s), unless Apple rejected the client or asked for a pause.
/// Without a live token (`left` zero): 1, 2, 4 … 60 s.
#[must_use]
pub fn retry(how: Retry, failures: u32, left: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let doubled = |first: Duration, most: Duration| (first * 2_u32.pow(doublings)).min(most);
    match how {
        Retry::After(pause) => pause.max(SHORTEST_RETRY),
        Retry::Rejected => doubled(Duration::from_mins(1), LONGEST_REJECTION),
        Retry::Soon if left.is_zero() => doubled(SHORTEST_RETRY, LONGEST_BACKOFF),
        Retry::Soon => doubled(SHORTEST_RETRY, left / 4).max(SHORTEST_RETRY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn life(length: Duration) -> Life {
        let issued_at = Timestamp::UNIX_EPOCH;
        Life { issued_at, expires_at: later(issued_at, length) }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn renewal_starts_between_45_and_50_percent_of_life_and_uses_the_whole_range() {
        let starts: Vec<i64> =
            (0..1000).map(|n| renewal(life(HOUR), Share::of(&format!("uid-{n}")), None).as_second()).collect();
        assert!(starts.iter().all(|&s| (1620..=1800).contains(&s)));
        assert!(starts.iter().any(|&s| s < 1640) && starts.iter().any(|&s| s > 1780));
    }

    #[test]
    fn renewal_is_the_same_for_the_same_uid() {
        assert_eq!(renewal(life(HOUR), Share::of("a"), None), renewal(life(HOUR), Share::of("a"), None));
        assert_ne!(renewal(life(HOUR), Share::of("a"), None), renewal(life(HOUR), Share::of("b"), None));
    }

    #[test]
    fn renew_before_only_makes_it_earlier() {
        let minutes = |m: u64| Some(Duration::from_secs(60 * m));
        assert_eq!(renewal(life(HOUR), Share::of("a"), minutes(50)), at(600));
        assert_eq!(renewal(life(HOUR), Share::of("a"), minutes(5)), renewal(life(HOUR), Share::of("a"), None));
    }

    #[test]
    fn however_early_a_renewal_is_wanted_a_twentieth_of_life_passes() {
        let almost_all = Some(Duration::from_secs(3599));
        assert_eq!(renewal(life(HOUR), Share::of("a"), almost_all), at(180));
    }

    #[test]
    fn a_life_shorter_than_renew_before_is_renewed_at_half() {
        let short = life(Duration::from_secs(10));
        assert_eq!(renewal(short, Share::of("a"), Some(HOUR)), renewal(short, Share::of("a"), None));
    }

    #[test]
    fn a_failed_renewal_is_tried_again_within_a_quarter_of_the_life_left() {
        for failures in 1..40 {
            for left in [1, 3, 10, 60, 600, 1800] {
                let left = Duration::from_secs(left);
                let wait = retry(Retry::Soon, failures, left);
                assert!(wait <= (left / 4).max(SHORTEST_RETRY), "{failures} {left:?} {wait:?}");
                assert!(wait >= SHORTEST_RETRY);
            }
        }
    }

    #[test]
    fn without_a_live_token_attempts_double_up_to_a_minute() {
        let waits: Vec<u64> = (1..=9).map(|n| retry(Retry::Soon, n, Duration::ZERO).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn a_rejected_client_is_tried_again_after_minutes() {
        let waits: Vec<u64> = (1..=7).map(|n| retry(Retry::Rejected, n, HOUR).as_secs() / 60).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn a_pause_that_apple_asked_for_is_kept() {
        let pause = Duration::from_secs(90);
        assert_eq!(retry(Retry::After(pause), 7, Duration::from_secs(4)), pause);
    }

    #[test]
    fn an_hour_becomes_urgent_ten_minutes_before_its_end_and_a_minute_ten_seconds_before() {
        assert_eq!(life(HOUR).urgent_at(), at(3000));
        assert_eq!(life(Duration::from_mins(1)).urgent_at(), at(50));
        assert_eq!(life(HOUR).last_chance_at(), at(3300));
        assert_eq!(life(Duration::from_mins(1)).last_chance_at(), at(55));
    }
}
