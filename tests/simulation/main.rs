//! Years of a credential's life in seconds: the shipped plan, queue, pacing and backoff under a virtual clock, with only
//! the two ports replaced by a toy API server and a toy Apple.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a stage that does not stand fails the test")]

mod a_long_life;
mod api_key_stories;
mod api_keys;
mod bad_clocks;
mod campaign;
mod clocks;
mod crashes;
mod events;
mod faults;
mod fleet;
mod fleet_outages;
mod lost_answers;
mod outages;
mod outlook;
mod pace;
mod post;
mod relapse;
mod scenarios;
mod scene;
mod standby;
mod stored;
mod storm;
mod storm_order;
mod storm_stage;
mod toy_apple;
mod toy_cluster;
mod two_masters;
mod witness;
mod world;
