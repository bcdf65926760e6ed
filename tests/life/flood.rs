//! Answers without end, and answers that take for ever: what they cost, and whom they hold up.

use std::time::Duration;

use asa_operator::api::{ConditionType, CredentialStatus, Reason};
use fake_apple::{Counts, Delivery, Endpoint, Fault};
use futures::future::join_all;
use tokio::time::Instant;

use crate::support::awaited::{is_not, ready};
use crate::support::credential::{Credential, KEY_SECRET, credential, other_client};
use crate::support::stage::Stage;

/// Of each kind, at once.
const MANY: usize = 20;

/// What all of them together may cost, in KiB.
const MOST: u64 = 32 * 1024;

/// Whoever had to wait for the end of a dripping answer would wait for ten seconds. Half of that is more than what a busy
/// machine adds to what a credential takes alone.
const HALF_A_DRIP: Duration = Duration::from_secs(5);

/// Memory is what the kernel says of the operator's process in `/proc`: `VmRSS` is resident while all forty credentials
/// are Ready and nothing happens, `VmHWM` the peak of the process's life when the flood is over. So what the start took
/// for a moment counts as well.
#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
async fn twenty_endless_and_twenty_dripping_answers_cost_less_than_32_mib_and_hold_up_nobody() {
    let stage = Stage::new().await;
    stage.create_key_secret().await;
    let flooded: Vec<_> = (0..2 * MANY).map(|number| format!("flooded-{number:02}")).collect();
    for name in flooded.iter().map(String::as_str).chain(["alone", "beside"]) {
        stage.register(other_client(&client_id(name), stage.key.public()));
    }
    stage.apply_all(flooded.iter().map(|name| document(name)).collect()).await;
    stage.until_each("Ready", |credential| ready().holds(credential)).await;
    let alone = stage.becomes_ready("alone").await;
    stage.operator_saw_it_all().await;
    let before = stage.operator_memory("VmRSS");
    let asked = stage.apple.state().counts().at(Endpoint::Token).total();

    for (number, name) in flooded.iter().enumerate() {
        let delivery = if number < MANY { Delivery::Endless } else { Delivery::DRIPPING };
        stage.apple.state().fail(Fault::at(Endpoint::Token).of(client_id(name)).delivery(delivery));
    }
    let begun = Instant::now();
    join_all(flooded.iter().map(|name| stage.request_renewal_of(name, "flood"))).await;
    let flood = |counts: &Counts| counts.at(Endpoint::Token).total() - asked >= flooded.len() as u64;
    stage.apple.state().until(flood).await;
    assert!(begun.elapsed() < HALF_A_DRIP, "not all at once, but within {:?}", begun.elapsed());
    let beside = stage.becomes_ready("beside").await;
    let renewed = stage.renews("alone").await;

    for (name, reason) in [(&flooded[0], Reason::UnexpectedAnswer), (&flooded[MANY], Reason::AppleUnreachable)] {
        let failing = is_not(ConditionType::RenewalHealthy, reason);
        stage.until_named(name, &failing.to_string(), |credential| failing.holds(credential)).await;
    }
    let cost = stage.operator_memory("VmHWM") - before;
    assert!(cost < MOST, "{cost} KiB beyond {before} KiB");
    assert!(beside < alone + HALF_A_DRIP, "Ready after {beside:?}, alone after {alone:?}");
    assert!(renewed < alone + HALF_A_DRIP, "renewed after {renewed:?}, alone Ready after {alone:?}");
}

fn client_id(name: &str) -> String {
    format!("SEARCHADS.{name}")
}

fn document(name: &str) -> Credential {
    credential().of_client(&client_id(name)).named(name).key_in(KEY_SECRET)
}

impl Stage<'_> {
    /// How long it takes from the user's document until the credential is Ready.
    async fn becomes_ready(&self, name: &str) -> Duration {
        let started = Instant::now();
        self.apply(document(name)).await;
        self.until_named(name, "Ready", |credential| ready().holds(credential)).await;
        started.elapsed()
    }

    /// How long it takes from the user's request until it is answered.
    async fn renews(&self, name: &str) -> Duration {
        let started = Instant::now();
        self.request_renewal_of(name, "now").await;
        let handled = |status: &CredentialStatus| status.last_handled_reconcile_at.as_deref() == Some("now");
        self.until_named(name, "renewed", |credential| credential.status.as_ref().is_some_and(handled)).await;
        started.elapsed()
    }
}
