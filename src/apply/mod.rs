//! Putting a version into effect: what a target does with a new file besides storing it.

mod command;
mod commands;

pub(crate) use commands::Commands;

use anyhow::Result;

use crate::records::command::CommandRecord;

/// What makes a version take effect at a target. The publisher calls [`Apply::check`] before it touches
/// the live file, and [`Apply::reload`] after each replacement, also when it puts the old file back.
pub trait Apply: Send + Sync {
    /// Asks whether `bytes` may go live; nothing if this target has no such check.
    ///
    /// # Errors
    /// If it cannot be asked.
    fn check(&self, bytes: &[u8]) -> Result<Option<CommandRecord>>;

    /// Makes what is in the target's place take effect; nothing if that takes no action.
    ///
    /// # Errors
    /// If it cannot be tried. A failed attempt is a record that is not `ok`.
    fn reload(&self) -> Result<Option<CommandRecord>>;
}
