//! The targets without libFuzzer: the kept corpus, and mutations of it that are the same at each run.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use fastrand::Rng;
use fuzz::{TARGETS, Target, target};

/// So many mutations of each target's corpus.
const MUTATIONS: usize = 3_000;

/// Files of the corpus by their names.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        files.map(|path| (path.file_name().unwrap().display().to_string(), std::fs::read(path).unwrap())).collect();
    files.sort();
    files
}

/// One to four changes of `seed`; now and then with a part of `other`.
fn mutated(seed: &[u8], other: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..rng.usize(1..=4) {
        let at = rng.usize(..=bytes.len());
        let end = rng.usize(at..=bytes.len().min(at + 16));
        match rng.u8(..6) {
            0 => drop(bytes.splice(at..end, [])),
            1 => drop(bytes.splice(at..at, [rng.u8(..)])),
            2 => drop(bytes.splice(at..at, seed[..seed.len().min(at)].to_vec())),
            3 => {
                let from = rng.usize(..=other.len());
                drop(bytes.splice(at..end, other[from..rng.usize(from..=other.len())].to_vec()));
            }
            4 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
            _ if at < bytes.len() => bytes[at] = rng.u8(..),
            _ => bytes.push(rng.u8(..)),
        }
    }
    bytes
}

/// Tells on the way out of a panic what `target` was given, as a command that writes it into a file.
struct Given<'a>(&'a str, &'a [u8]);

impl Drop for Given<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}: printf '%b' '{}'", self.0, self.1.escape_ascii().to_string().replace("\\'", "\\x27"));
        }
    }
}

fn short_run(name: &str) {
    let target = target(name).unwrap();
    let seeds = corpus(target);
    let mut reached = BTreeSet::new();
    let mut attempt = |what: &str, data: &[u8]| {
        let _given = Given(what, data);
        reached.insert((target.run)(data));
    };
    for (file, data) in &seeds {
        attempt(file, data);
    }
    let mut rng = Rng::with_seed(1);
    for round in 0..MUTATIONS {
        let (seed, other) = (&seeds[rng.usize(..seeds.len())].1, &seeds[rng.usize(..seeds.len())].1);
        attempt(&format!("mutation {round}"), &mutated(seed, other, &mut rng));
    }
    let missed: Vec<_> = target.reaches.iter().filter(|outcome| !reached.contains(*outcome)).collect();
    assert!(missed.is_empty(), "{name} never came to {missed:?}");
}

#[test]
fn whatever_a_key_is_it_is_read_or_refused_without_showing_it() {
    short_run("private_key");
}

#[test]
fn whatever_apple_answers_is_a_result_within_bounds_or_an_error_that_shows_nothing() {
    short_run("answers");
}

#[test]
fn whatever_date_and_retry_after_say_no_pause_is_longer_than_ten_minutes() {
    short_run("headers");
}

#[test]
fn whatever_is_observed_no_plan_and_no_status_breaks_a_promise() {
    short_run("plan");
}

#[test]
fn whatever_stands_on_a_secret_is_read_or_left_aside() {
    short_run("record");
}

#[test]
fn every_target_has_a_test_here_and_a_corpus() {
    let source = include_str!("short_run.rs");
    for target in TARGETS {
        assert!(source.contains(&format!("short_run(\"{}\");", target.name)), "{}", target.name);
        assert!(!corpus(target).is_empty(), "{}", target.name);
    }
}
