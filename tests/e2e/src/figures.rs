//! What was measured, and how it is told.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};

use jiff::Timestamp;

use crate::shell::{Done, fail, now, seconds};

/// Seconds within which another pod has to lead, after a crash and after an orderly end.
const CRASH_LIMIT: f64 = 20.0;
const END_LIMIT: f64 = 1.0;

/// All figures of one run.
#[derive(Debug)]
pub(crate) struct Figures {
    started: Timestamp,
    /// Bytes of the operator's image, uncompressed.
    pub(crate) image: u64,
    /// Seconds without a leader, from the deletion of the pod too.
    pub(crate) ends: Vec<(f64, f64)>,
    /// Seconds from the crash to a leader.
    pub(crate) crashes: Vec<f64>,
    /// Seconds between two leaders' signs of life.
    pub(crate) gap: f64,
    /// MiB that each process has had at most.
    pub(crate) memory: Vec<f64>,
    /// Renewals that reached the workload.
    pub(crate) renewals: usize,
    /// Seconds from a Secret to the first call with it.
    pub(crate) delays: Vec<f64>,
    /// Calls of the workload by status.
    pub(crate) statuses: BTreeMap<u16, usize>,
    /// Writes of the operator.
    pub(crate) writes: usize,
}

impl Figures {
    pub(crate) fn new() -> Figures {
        Figures {
            started: now(),
            image: 0,
            ends: Vec::new(),
            crashes: Vec::new(),
            gap: 0.0,
            memory: Vec::new(),
            renewals: 0,
            delays: Vec::new(),
            statuses: BTreeMap::new(),
            writes: 0,
        }
    }

    /// Tells what comes next, and when.
    pub(crate) fn chapter(&self, title: &str) {
        // Whether anybody reads it changes nothing.
        let _ = writeln!(io::stderr(), "e2e: {:5.1} s: {title}", seconds(self.started, now()));
    }

    /// Fails if a failover took too long.
    pub(crate) fn judge(&self) -> Done {
        if let Some(crash) = self.crashes.iter().find(|crash| **crash > CRASH_LIMIT) {
            return fail(format!("nobody led for {crash:.1} s after a crash; at most {CRASH_LIMIT} s are promised"));
        }
        if let Some((end, _)) = self.ends.iter().find(|(end, _)| *end > END_LIMIT) {
            return fail(format!("nobody led for {end:.1} s after an orderly end; at most {END_LIMIT} s are promised"));
        }
        Ok(())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (without, deleted): (Vec<f64>, Vec<f64>) = self.ends.iter().copied().unzip();
        #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
        let megabytes = self.image as f64 / 1e6;
        writeln!(f, "image                       {megabytes:.1} MB")?;
        writeln!(f, "renewals seen by workload   {}", self.renewals)?;
        writeln!(f, "calls by status             {:?}", self.statuses)?;
        writeln!(f, "writes, all by the leader   {}", self.writes)?;
        writeln!(f, "failover after a crash      {}", Spread(&self.crashes))?;
        writeln!(f, "failover after a release    {}", Spread(&without))?;
        writeln!(f, "  from the pod's deletion   {}", Spread(&deleted))?;
        writeln!(f, "longest gap of leadership   {:.1} s between two signs of life", self.gap)?;
        writeln!(f, "Secret to file and call     {}", Spread(&self.delays))?;
        let most = self.memory.iter().copied().fold(0.0, f64::max);
        writeln!(f, "memory of a pod, at most    {most:.1} MiB")?;
        write!(f, "time                        {:.0} s", seconds(self.started, now()))
    }
}

/// Number, median and maximum of seconds.
struct Spread<'a>(&'a [f64]);

impl fmt::Display for Spread<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.to_vec();
        sorted.sort_by(f64::total_cmp);
        match (sorted.get(sorted.len() / 2), sorted.last()) {
            (Some(median), Some(most)) => write!(f, "median {median:.2} s, at most {most:.2} s, of {}", sorted.len()),
            _ => f.write_str("not measured"),
        }
    }
}
