//! What 1,000 renewals cost: processor time, and requests by verb and resource.

use std::{collections::BTreeMap, time::Duration};

use crate::{Result, TURNS, median, operator::Operator, stage::Stage};

const FLEET: u32 = 1000;

/// Short enough that a bench sees renewals, long enough that they are spread.
const TOKEN_LIFE: u32 = 120;

pub(crate) async fn measure(stage: &Stage) -> Result<()> {
    stage.apple.state().set_token_life(TOKEN_LIFE);
    let mut costs = Vec::new();
    let mut requests = BTreeMap::new();
    let fleet = stage.namespace(FLEET as usize).await?;
    stage.credentials(&fleet).await?;
    let operator = Operator::start(stage, Some(&fleet.namespace))?;
    stage.all_ready(&fleet).await?;
    // Those of the first publication are made at ten a second.
    while Figures::take(stage, &fleet.namespace, &operator)?.of("create events") < f64::from(FLEET) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for _ in 0..TURNS {
        let before = Figures::take(stage, &fleet.namespace, &operator)?;
        // One renewal each, and the second one of some: what is counted is what happened.
        tokio::time::sleep(Duration::from_secs(u64::from(TOKEN_LIFE) / 2 + 5)).await;
        let after = Figures::take(stage, &fleet.namespace, &operator)?;
        let renewals = after.of("patch secrets") - before.of("patch secrets");
        costs.push((after.processor - before.processor) * 1000.0 / renewals);
        requests = after.per(&before, renewals);
    }
    drop(operator);
    stage.apple.state().set_token_life(3600);
    println!("| CPU seconds per 1,000 renewals | {} |", median(costs));
    for (request, count) in requests {
        println!("| requests per renewal: {request} | {count:.3} |");
    }
    Ok(())
}

struct Figures {
    processor: f64,
    requests: BTreeMap<String, f64>,
}

impl Figures {
    fn take(stage: &Stage, namespace: &str, operator: &Operator) -> Result<Self> {
        let mut requests = BTreeMap::new();
        for request in stage.cluster.requests(namespace, "asa-operator/")? {
            let part = request.subresource.map_or_else(String::new, |part| format!("/{part}"));
            *requests.entry(format!("{} {}{part}", request.verb, request.resource)).or_default() += 1.0;
        }
        for row in stage.apple.state().counts().rows() {
            *requests.entry(format!("Apple {:?}", row.endpoint)).or_default() +=
                f64::from(u32::try_from(row.requests)?);
        }
        Ok(Self { processor: operator.processor_seconds()?, requests })
    }

    fn of(&self, request: &str) -> f64 {
        self.requests.get(request).copied().unwrap_or_default()
    }

    fn per(&self, before: &Self, renewals: f64) -> BTreeMap<String, f64> {
        let counts =
            self.requests.iter().map(|(request, count)| (request.clone(), (count - before.of(request)) / renewals));
        counts.filter(|(_, count)| *count > 0.0).collect()
    }
}
