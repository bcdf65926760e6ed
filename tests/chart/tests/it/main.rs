//! The chart: what each value changes, what is refused, what is granted, and what a real API server says to it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod documents;
mod helm;
mod policies;
mod rbac;
mod release;
mod server;
mod values;
