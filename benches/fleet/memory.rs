//! Memory of the process at 0, 1,000 and 5,000 credentials and beside 5,000 foreign Secrets; a restart with all fresh.

use std::{collections::BTreeMap, time::Duration};

use crate::{Result, operator::Operator, stage::Stage};

const FEW: usize = 1000;
const MANY: usize = 5000;

pub(crate) async fn measure(stage: &Stage) -> Result<()> {
    for size in [0, FEW, MANY] {
        let fleet = stage.namespace(size).await?;
        stage.credentials(&fleet).await?;
        let operator = Operator::start(stage, Some(&fleet.namespace))?;
        operator.ready().await?;
        stage.all_ready(&fleet).await?;
        report(&format!("{size} credentials, just issued"), &operator).await?;
        drop(operator);
        restart(stage, &fleet.namespace, &format!("{size} fresh")).await?;
        if size == FEW {
            stage.foreign_secrets(&fleet, MANY).await?;
            restart(stage, &fleet.namespace, "1000 fresh and 5,000 foreign Secrets of 4 KiB").await?;
        }
    }
    Ok(())
}

/// Settled is what is resident a little after the last event.
async fn report(what: &str, operator: &Operator) -> Result<()> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (settled, peak) = (operator.memory("VmRSS")?, operator.memory("VmHWM")?);
    println!("| memory, {what}, MiB settled / peak | {settled:.1} / {peak:.1} |");
    Ok(())
}

async fn restart(stage: &Stage, namespace: &str, what: &str) -> Result<()> {
    let count = || -> Result<BTreeMap<String, usize>> {
        let mut requests = BTreeMap::new();
        for request in stage.cluster.requests(namespace, "asa-operator/")? {
            *requests.entry(format!("{} {}", request.verb, request.resource)).or_default() += 1;
        }
        Ok(requests)
    };
    let (before, asked) = (count()?, stage.apple.state().counts().total());
    let operator = Operator::start(stage, Some(namespace))?;
    let seconds = operator.ready().await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let requests = count()?.into_iter().filter_map(|(request, after)| {
        let new = after - before.get(&request).copied().unwrap_or_default();
        (new > 0).then(|| format!("{request} {new}"))
    });
    let requests: Vec<String> = requests.collect();
    let apple = stage.apple.state().counts().total() - asked;
    println!("| restart with {what}, s until /readyz | {seconds:.2} |");
    println!("| its requests | {}; Apple {apple} |", requests.join(", "));
    report(&format!("restarted with {what}"), &operator).await
}
