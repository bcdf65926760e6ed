//! The pure core: what is due, what comes next, who comes next, what is written, how it is worded.
//!
//! No I/O, no clock, no client: every function takes what is known and the present moment, and returns a decision.
//!
//! - [`schedule`]: when a token is due, urgent, to be tried again.
//! - [`plan`]: the next step of one credential, from what [`observed`] knows.
//! - [`queue`]: which credential runs next; [`pacing`]: whether Apple may be asked now.
//! - [`identity`]: which organization and ad account; [`probing`]: whether App Store Connect knows the key.
//! - [`entries`]: the bytes of the managed Secrets; [`published`]: the record that goes with them.
//! - [`failure`]: what can go wrong, its retry; [`status`]: its reason and remedy, and all conditions.

mod applied;
pub mod conditions;
mod desired;
pub mod entries;
pub mod failure;
mod formats;
mod hash;
pub mod identity;
pub mod known_key;
mod line;
pub mod memory;
pub mod now;
pub mod observed;
pub mod pacing;
pub mod plan;
pub mod probing;
pub mod published;
pub mod queue;
mod resolving;
pub mod schedule;
pub mod secret_meta;
pub mod sight;
pub mod status;
pub mod target;
mod tokens;
mod verification;
