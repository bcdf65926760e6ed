//! Steady state costs nothing.

use std::time::Duration;

use tokio::time::sleep;

use crate::support::stage::Stage;

#[tokio::test]
async fn in_an_idle_minute_nothing_at_all_is_asked_of_apple_or_of_the_api_server() {
    let stage = Stage::ready().await;
    let mark = stage.mark();

    sleep(Duration::from_mins(1)).await;

    assert_eq!(stage.work_since(&mark), Vec::<String>::new());
}
