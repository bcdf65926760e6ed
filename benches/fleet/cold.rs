//! Seconds until 1,000 fresh credentials are Ready, and the floor, in turn.

use std::time::Duration;

use crate::{
    Result, TURNS,
    floor::{self, Template},
    median,
    operator::{Operator, now},
    stage::Stage,
};

const FLEET: usize = 1000;

pub(crate) async fn measure(stage: &Stage, latency: Duration) -> Result<()> {
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    let template = Template::take(stage).await?;
    stage.set_latency(latency);
    for _ in 0..TURNS {
        let fleet = stage.namespace(FLEET).await?;
        stage.credentials(&fleet).await?;
        floors.push(floor::run(stage, &fleet, &template).await?);

        let fleet = stage.namespace(FLEET).await?;
        stage.credentials(&fleet).await?;
        let started = now();
        let operator = Operator::start(stage, Some(&fleet.namespace))?;
        stage.all_ready(&fleet).await?;
        ours.push(started.elapsed().as_secs_f64());
        drop(operator);
    }
    stage.set_latency(Duration::ZERO);
    println!("| 1,000 fresh credentials until Ready, Apple at {} ms, s | {} |", latency.as_millis(), median(ours));
    println!("| the floor, the same requests without a decision, s | {} |", median(floors));
    Ok(())
}
