//! `asa-operator crd`

use std::{error::Error, io::Write};

use crate::api::crd;

pub(super) fn execute() -> Result<(), Box<dyn Error>> {
    let yaml = crd::yaml()?;
    match std::io::stdout().write_all(yaml.as_bytes()) {
        // Whoever reads it may stop early: `asa-operator crd | head`.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
