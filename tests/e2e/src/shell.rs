//! Runs programs, waits for conditions, and says what failed.

use std::fmt::Display;
use std::io;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use jiff::Timestamp;

/// Between two looks at a condition.
const POLL: Duration = Duration::from_millis(100);

/// What did not hold, in words that need no source.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Done<T = ()> = Result<T, Failure>;

/// Fails with this text.
pub(crate) fn fail<T>(text: impl Into<String>) -> Done<T> {
    Err(Failure(text.into()))
}

/// Puts what was tried in front of an error.
pub(crate) fn cannot<E: Display>(what: impl Display) -> impl FnOnce(E) -> Failure {
    move |error| Failure(format!("cannot {what}: {error}"))
}

/// Runs it to its end; what it printed, or a failure with what it complained.
pub(crate) fn run(command: &mut Command) -> Done<String> {
    let output = command.output().map_err(cannot(format!("run {}", command.get_program().display())))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    fail(format!("{command:?} failed ({}): {printed}{said}", output.status))
}

/// As `run`, with its output passed on as it comes.
pub(crate) fn run_aloud(command: &mut Command) -> Done {
    command.stdout(io::stderr());
    let status = command.status().map_err(cannot(format!("run {}", command.get_program().display())))?;
    if status.success() { Ok(()) } else { fail(format!("{command:?} failed ({status})")) }
}

/// Looks until there is something, and tells it; fails with `what` after so many seconds.
pub(crate) fn until<T>(what: &str, seconds: i64, mut look: impl FnMut() -> Done<Option<T>>) -> Done<T> {
    let deadline = now() + Duration::from_secs(seconds.unsigned_abs());
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if now() > deadline {
            return fail(format!("not within {seconds} s: {what}"));
        }
        sleep(POLL);
    }
}

/// The clock that pods, Leases and audit log go by too, as all are on this machine.
#[expect(clippy::disallowed_methods, reason = "the one place where this program reads a clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Seconds from one moment to another; negative if that was before.
pub(crate) fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}
