//! Domains whose later data has errors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A frozen domain, as the records keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FrozenAt {
    /// The domain's name.
    pub domain: String,
    /// The commit whose records of the domain are published.
    pub at: String,
}
