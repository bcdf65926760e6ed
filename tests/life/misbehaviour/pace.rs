//! When Apple was asked again.

use std::time::Duration;

use asa_operator::api::Life;
use jiff::Timestamp;

/// So much later than promised is a busy machine's doing: dozens of credentials fail in the same second here.
const SLACK: Duration = Duration::from_secs(5);

/// An attempt's ten seconds begin before it is sent, and Apple notes when it arrives.
const ON_ITS_WAY: Duration = Duration::from_millis(500);

/// The shortest that an attempt takes which takes so long.
fn shortest(takes: Duration) -> Duration {
    takes.saturating_sub(ON_ITS_WAY)
}

/// From each attempt to the next one.
pub(super) fn gaps(attempts: &[Timestamp]) -> Vec<Duration> {
    attempts.windows(2).map(|two| two[1].duration_since(two[0]).unsigned_abs()).collect()
}

/// Without a live token: 1, 2, 4 … s after an attempt that takes so long.
pub(super) fn doubles(name: &str, attempts: &[Timestamp], takes: Duration) {
    for (gap, wait) in gaps(attempts).into_iter().zip([1, 2, 4].map(Duration::from_secs)) {
        within(name, gap, shortest(takes) + wait, takes + wait);
    }
}

/// With a token that lives until `end`: a second after an attempt that takes so long at the soonest, and after a quarter
/// of the life left then at the latest.
pub(super) fn keeps_to_a_quarter(name: &str, attempts: &[Timestamp], takes: Duration, end: Timestamp) {
    const SHORTEST: Duration = Duration::from_secs(1);
    for (gap, attempt) in gaps(attempts).into_iter().zip(attempts) {
        let left = Duration::try_from(end.duration_since(*attempt)).unwrap().saturating_sub(takes);
        within(name, gap, shortest(takes) + SHORTEST, takes + SHORTEST.max(left / 4));
    }
}

/// Not sooner than `least` and not later than `most`.
pub(super) fn within(name: &str, gap: Duration, least: Duration, most: Duration) {
    assert!((least..=most + SLACK).contains(&gap), "{name}: {gap:?}, not {least:?} to {most:?}");
}

/// A renewal starts between 45 % and 50 % of a life.
pub(super) fn starts_in_time(name: &str, attempt: Timestamp, life: Life) {
    let length = Duration::try_from(life.expires_at.duration_since(life.issued_at)).unwrap();
    let after = Duration::try_from(attempt.duration_since(life.issued_at)).unwrap();
    within(name, after, length.mul_f64(0.45), length.mul_f64(0.50));
}
