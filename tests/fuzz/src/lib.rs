//! Everything that others write, as arbitrary bytes: what must hold whatever they are.
//!
//! A target is a function of bytes that panics where something does not hold. `make fuzz` runs each under libFuzzer, which
//! looks for bytes that reach new code; `cargo test -p fuzz` replays the kept corpus and some thousand mutations of it.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "each line of this crate is part of a test")]

mod acme;
mod answers;
mod headers;
mod plan;
mod private_key;
mod record;
mod shown;
mod wire;

/// One thing to try with arbitrary bytes.
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Tries `data`, and says in a word what became of it.
    ///
    /// # Panics
    ///
    /// Where something does not hold.
    pub run: fn(&[u8]) -> &'static str,
    /// What has to become of some of the corpus and its mutations; a target that reaches none of it proves nothing.
    pub reaches: &'static [&'static str],
}

/// All targets.
pub const TARGETS: &[Target] = &[answers::TARGET, headers::TARGET, plan::TARGET, private_key::TARGET, record::TARGET];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
