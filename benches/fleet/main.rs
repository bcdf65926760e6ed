//! A fleet of credentials on a real API server, beside a loop that does the same requests and decides nothing.
//!
//! `make bench`: everything is measured in one run on one server; what is compared takes turns. Prints Markdown.
//! `cargo bench --bench fleet -- cold` measures one part: cold, renewals, catching-up or memory.

#![allow(clippy::print_stdout, reason = "a bench reports on stdout")]
#![allow(missing_docs, reason = "a program")]

mod catching_up;
mod cold;
mod floor;
mod memory;
mod operator;
mod renewals;
mod stage;

use std::{error::Error, time::Duration};

use stage::Stage;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What is compared takes so many turns.
const TURNS: usize = 3;

fn main() -> Result<()> {
    let parts: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    asa_operator::operator::install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stage = Stage::start().await?;
        if wanted("cold") {
            cold::measure(&stage, Duration::ZERO).await?;
            cold::measure(&stage, Duration::from_millis(100)).await?;
        }
        if wanted("renewals") {
            renewals::measure(&stage).await?;
        }
        if wanted("catching-up") {
            catching_up::measure(&stage).await?;
        }
        if wanted("memory") {
            memory::measure(&stage).await?;
        }
        Ok(())
    })
}

/// The middle of three, and the three.
fn median(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let all: Vec<String> = values.iter().map(|value| format!("{value:.2}")).collect();
    format!("{:.2} ({})", values[values.len() / 2], all.join(", "))
}
