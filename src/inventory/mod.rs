//! Views of the records: which subscriber has which address, what is sold, what a change touches.

#[cfg(all(unix, feature = "serve"))]
pub(crate) mod address_table;
pub(crate) mod address_use;
pub mod bounded;
mod change;
mod context;
mod holdings;
mod index;
pub(crate) mod peak;
pub(crate) mod reserved;

pub use change::ReviewedChange;
pub use context::Context;
pub(crate) use context::Resolved;
pub(crate) use holdings::{AddressHolder, Holdings, Overlap};
pub use index::Index;
pub(crate) use index::{Blocks, Edge, KnownDomain};
