//! Views of the records: who holds which address, what is sold, what a change touches.

pub mod bounded;
mod change;
mod context;
mod holdings;
mod index;
pub mod peak;
pub mod reserved;

pub use change::Change;
pub use context::{Context, Held, Resolved};
pub use holdings::{Holder, Holdings, Overlap};
pub use index::{Blocks, Edge, Index, KnownDomain};
