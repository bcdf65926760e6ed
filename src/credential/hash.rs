//! Digests over several parts.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Adds `part` with its length, so that two parts cannot pass for two others.
pub(super) fn measured(hash: Sha256, part: &[u8]) -> Sha256 {
    hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
}

/// Lowercase hex.
pub(super) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing into a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
