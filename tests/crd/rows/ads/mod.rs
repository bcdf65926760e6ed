//! What an `AsaCredential` alone has.

mod bounds;
mod key;
mod rules;
mod secrets;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    [bounds::rows(), key::rows(), rules::rows(), secrets::rows()].into_iter().flatten().collect()
}
