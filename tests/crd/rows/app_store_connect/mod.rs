//! What an `AppStoreConnectCredential` alone has.

mod bounds;
mod rules;
mod scope;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    [bounds::rows(), rules::rows(), scope::rows()].into_iter().flatten().collect()
}
