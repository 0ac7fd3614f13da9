//! Domains whose later data has errors.

use serde::{Deserialize, Serialize};

/// A frozen domain, as the records keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenAt {
    /// The domain's name.
    pub domain: String,
    /// The commit whose records of the domain are published.
    pub at: String,
}
