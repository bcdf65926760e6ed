//! Seconds until 1,000 credentials work again whose tokens all ended while there was no operator, and what a new one waits
//! meanwhile.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use asa_operator::{api::AsaCredential, controller::clock::Clock};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use kube::ResourceExt;
use kube_runtime::watcher::{Config, Event, watcher};

use crate::{
    Result,
    operator::{Operator, Rate, now},
    stage::{Fleet, Stage, is_ready},
};

const FLEET: usize = 1000;

/// More new ones than there is time for.
const MOST_NEW: usize = 400;

/// Long enough for all to get one before the first ends, short enough to wait for the end of the last.
const TOKEN_LIFE: u32 = 20;

/// With Apple's rate as it is by default, which then is the limit, and lifted, which shows the operator.
pub(crate) async fn measure(stage: &Stage) -> Result<()> {
    catch_up(stage, Rate::Default, Duration::from_secs(1)).await?;
    catch_up(stage, Rate::Lifted, Duration::from_millis(100)).await
}

async fn catch_up(stage: &Stage, rate: Rate, pace: Duration) -> Result<()> {
    let all = stage.namespace(FLEET + MOST_NEW).await?;
    let fleet = Fleet { namespace: all.namespace.clone(), size: FLEET };
    stage.credentials(&fleet).await?;
    stage.apple.state().set_token_life(TOKEN_LIFE);
    let before = Operator::start(stage, Some(&fleet.namespace))?;
    stage.all_ready(&fleet).await?;
    drop(before);
    tokio::time::sleep(Duration::from_secs(u64::from(TOKEN_LIFE))).await;
    stage.apple.state().set_token_life(3600);

    let (began, started) = (Clock::system().now().wall, now());
    let _operator = Operator::start_at(stage, Some(&fleet.namespace), rate)?;
    let mut created = HashMap::new();
    let well = tokio::select! {
        well = until_well(stage, &fleet, began) => well?,
        failed = create_new_ones(stage, &all, pace, &mut created) => return Err(failed.into()),
    };
    let caught_up = fleet.names().filter_map(|name| well.get(&name).copied()).max().ok_or("nobody is well")?;
    let mut waits: Vec<f64> =
        created.iter().filter_map(|(name, at)| Some(well.get(name)?.duration_since(*at).as_secs_f64())).collect();
    waits.sort_by(f64::total_cmp);
    let share = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or(f64::NAN);
    let seconds = caught_up.duration_since(started).as_secs_f64();
    println!("| 1,000 whose tokens ended, {rate}, s until all work again | {seconds:.2} |");
    println!(
        "| a new one meanwhile, s until Ready, p50 / p99 of {} | {:.2} / {:.2} |",
        waits.len(),
        share(50),
        share(99)
    );
    Ok(())
}

/// Creates one at each beat; returns only if that fails.
async fn create_new_ones(stage: &Stage, all: &Fleet, pace: Duration, created: &mut HashMap<String, Instant>) -> String {
    let mut beat = tokio::time::interval(pace);
    for name in all.names().skip(FLEET) {
        beat.tick().await;
        created.insert(name.clone(), now());
        if let Err(error) = stage.create(all, &name).await {
            return error.to_string();
        }
    }
    "there were not enough names for new ones".to_owned()
}

/// Who became well when, once the whole fleet is, and the new ones of that time.
async fn until_well(stage: &Stage, fleet: &Fleet, began: Timestamp) -> Result<HashMap<String, Instant>> {
    let is_new = |object: &AsaCredential| {
        let life = object.status.as_ref().and_then(|status| status.access_token);
        life.is_some_and(|life| life.issued_at.as_second() >= began.as_second())
    };
    let mut missing: std::collections::HashSet<String> = fleet.names().collect();
    let mut well = HashMap::new();
    let mut events = watcher(stage.api(fleet), Config::default()).boxed();
    while !missing.is_empty() {
        match events.try_next().await? {
            Some(Event::InitApply(object) | Event::Apply(object)) if is_new(&object) && is_ready(&object) => {
                missing.remove(&object.name_any());
                well.entry(object.name_any()).or_insert_with(now);
            }
            Some(_) => {}
            None => return Err("the watch ended".into()),
        }
    }
    Ok(well)
}
