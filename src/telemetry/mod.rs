//! What the network does: `collect`, `simulate` and `conform`.
//!
//! The [`collector`] polls the [`sources`] of the [`settings`] and writes what they measured into the [`store`], in
//! transactions that hold the samples, the checkpoints they stand for and the messages about them. Housekeeping
//! rolls up and deletes; the [`sender`] takes messages from the outbox to their sinks. Readers of the store, also in
//! other processes, follow its batches.

pub(crate) mod bus;
pub(crate) mod collector;
pub(crate) mod conform;
pub(crate) mod demo;
pub(crate) mod events;
pub(crate) mod http;
mod listen;
pub(crate) mod message;
mod metrics;
pub(crate) mod pretend;
pub(crate) mod sample;
pub(crate) mod sender;
pub(crate) mod settings;
pub(crate) mod simulation;
pub(crate) mod sources;
pub(crate) mod store;
pub(crate) mod subscribers;
pub(crate) mod sum;
pub(crate) mod totals;
