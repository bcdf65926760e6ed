//! `spec.program`: whose API a key is for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose API the key is for. Nothing in a key tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Program {
    /// App Store Connect API.
    #[default]
    AppStore,
    /// Apple Developer Enterprise Program API.
    Enterprise,
}
