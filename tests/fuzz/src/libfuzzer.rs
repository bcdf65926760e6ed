//! The targets under libFuzzer: `FUZZ_TARGET` names one, the arguments are libFuzzer's. `make fuzz` builds and runs it.
#![no_main]

use std::sync::LazyLock;

use fuzz::{TARGETS, Target, target};

static CHOSEN: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    target(&name).unwrap_or_else(|| panic!("FUZZ_TARGET is {name:?} and none of {names:?}"))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (CHOSEN.run)(data);
});
