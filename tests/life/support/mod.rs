//! What every test here needs: a [`Stage`], words for what is awaited, and the one way to wait.

#[path = "../../apple/support/accepted.rs"]
pub(crate) mod accepted;
pub(crate) mod awaited;
pub(crate) mod credential;
pub(crate) mod fleet;
#[path = "../../apple/support/forms.rs"]
pub(crate) mod forms;
pub(crate) mod history;
pub(crate) mod key;
#[path = "../../apple/support/openssl.rs"]
pub(crate) mod openssl;
pub(crate) mod operator;
pub(crate) mod outlook;
pub(crate) mod rbac;
pub(crate) mod reader;
#[path = "../../apple/support/refused.rs"]
pub(crate) mod refused;
pub(crate) mod secrets;
pub(crate) mod stage;
pub(crate) mod work;

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(45);

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(40);

/// Looks until there is what is wanted. What a look gives otherwise says what is seen instead.
///
/// # Panics
/// After a long while, with what was last seen.
pub(crate) async fn eventually<T, E: Display>(wanted: &str, look: impl AsyncFnMut() -> Result<T, E>) -> T {
    within(DEADLINE, wanted, look).await
}

/// The same for what the operator does a minute later on purpose.
pub(crate) async fn a_minute_later<T, E: Display>(wanted: &str, look: impl AsyncFnMut() -> Result<T, E>) -> T {
    within(DEADLINE + Duration::from_mins(1), wanted, look).await
}

async fn within<T, E: Display>(deadline: Duration, wanted: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> T {
    let started = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if started.elapsed() > deadline => panic!("no {wanted} within {deadline:?}, but: {seen}"),
            Err(_) => sleep(INTERVAL).await,
        }
    }
}
