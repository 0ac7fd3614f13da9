//! The live dashboard without its pages: what the network does now, and what becomes of it for each client.
//!
//! [`follow`] reads what is new in the store of samples into the [`picture`]. The [`hub`] has a thread that turns the
//! picture into frames once a second: one for all clients that see the same domains and ask for the same [`view`]. The
//! frames are those of [`frame`], the protocol of docs/live.md. [`history`] answers what charts ask; [`totals`] keeps
//! what it needs for those of domains. [`seats`] limits what one account may have of all that.

pub(crate) mod follow;
mod frame;
pub(crate) mod history;
pub(crate) mod hub;
pub(crate) mod picture;
mod places;
pub(crate) mod seats;
pub(crate) mod totals;
pub(crate) mod view;
