//! Choices that the input makes. Where it ran out, the first choice is taken.

use std::time::Duration;

use arbitrary::Unstructured;
use jiff::{SignedDuration, Timestamp};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Lengths at which something changes, for a token of an hour; and a second beside some of them.
const LENGTHS: [Duration; 18] = [
    MINUTE,
    SECOND,
    Duration::ZERO,
    Duration::from_mins(2),
    Duration::from_mins(5),
    Duration::from_mins(10),
    Duration::from_mins(26),
    Duration::from_mins(27),
    Duration::from_mins(30),
    Duration::from_mins(50),
    Duration::from_secs(54 * 60 + 59),
    Duration::from_mins(55),
    HOUR,
    Duration::from_hours(23),
    Duration::from_hours(24),
    Duration::from_hours(719),
    Duration::from_hours(3580),
    Duration::from_hours(4296),
];

/// Texts of others, each with something that may break a sentence, a header or a limit.
const TEXTS: [&str; 8] = [
    "",
    "2026-11-22T12:00:00Z",
    "2026-11-22T13:00:00Z",
    "now",
    "line\nbreak\tand\u{1b}[31m\u{202e}",
    "{\"half\":",
    "日本語の名前",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
];

/// The input, read as choices.
pub(super) struct Dice<'a>(Unstructured<'a>);

impl<'a> Dice<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self(Unstructured::new(data))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Yes or no; no where the input ran out.
    pub(super) fn flip(&mut self) -> bool {
        self.up_to(1) == 1
    }

    /// One of `choices`, which are not empty.
    pub(super) fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        self.0.choose(choices).unwrap_or(&choices[0]).clone()
    }

    /// `thing`, or nothing.
    pub(super) fn maybe<T>(&mut self, thing: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flip() { Some(thing(self)) } else { None }
    }

    /// A number from 0 to `most`.
    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        self.0.int_in_range(0..=most).unwrap_or(0)
    }

    /// Any number.
    pub(super) fn any(&mut self) -> i64 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// A length of time up to half a year or so, in whole seconds.
    pub(super) fn length(&mut self) -> Duration {
        if self.flip() { Duration::from_secs(self.up_to(16_000_000)) } else { self.one_of(&LENGTHS) }
    }

    /// A length of time as a spec may name it: within the schema's bounds, or as far off as the type allows.
    pub(super) fn duration(&mut self) -> Duration {
        match self.up_to(3) {
            3 => self.one_of(&[Duration::ZERO, Duration::from_nanos(1), Duration::MAX, Duration::from_secs(u64::MAX)]),
            _ => self.length(),
        }
    }

    /// A moment near `now`, or one of the ends of time, or any.
    pub(super) fn moment(&mut self, now: Timestamp) -> Timestamp {
        match self.up_to(5) {
            0 => now.saturating_sub(self.length()).unwrap_or(now),
            1 => now.saturating_add(self.length()).unwrap_or(now),
            2 => now.saturating_add(SignedDuration::from_nanos(self.any())).unwrap_or(now),
            3 => self.one_of(&[Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH]),
            4 => Timestamp::from_second(self.any()).unwrap_or(now),
            _ => now,
        }
    }

    /// A text of somebody else's.
    pub(super) fn text(&mut self) -> String {
        self.one_of(&TEXTS).to_owned()
    }
}
