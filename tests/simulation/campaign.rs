//! Many runs of one kind: how many there were, and what went wrong in which.

use std::collections::BTreeMap;

/// Counts runs and keeps what was wrong in them: each complaint with the runs that gave rise to it.
#[derive(Default)]
pub(crate) struct Campaign {
    runs: usize,
    complaints: BTreeMap<String, Vec<String>>,
}

impl Campaign {
    /// Takes a run into account.
    pub(crate) fn ran(&mut self, run: &str, complaints: impl IntoIterator<Item = String>) {
        self.runs += 1;
        for complaint in complaints {
            self.complaints.entry(complaint).or_default().push(run.to_owned());
        }
    }

    /// The end of the campaign.
    #[expect(clippy::print_stdout, reason = "a campaign tells how many runs it made")]
    pub(crate) fn conclude(self, name: &str) {
        println!("{name}: {} runs", self.runs);
        let line = |(complaint, runs): (&String, &Vec<String>)| {
            format!("\n- {complaint} ({} times: {} …)", runs.len(), runs[0])
        };
        let lines: String = self.complaints.iter().map(line).collect();
        assert!(self.complaints.is_empty(), "of {} runs some went wrong:{lines}", self.runs);
    }
}
