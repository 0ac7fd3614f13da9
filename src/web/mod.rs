//! The web server: `shapeline serve`, `token` and `user`. All asynchronous code of it is here; the core knows
//! nothing of it.
//!
//! [`serve`] starts it: reads [`settings`], opens the [`state`], loads the [`data`] and follows its branch,
//! and hands a router of the [`lookup`] API and of the [`portal`] to the [`server`]. With telemetry there is the
//! present picture of the network, too.

pub(crate) mod access;
pub(crate) mod data;
#[cfg(feature = "telemetry")]
pub(crate) mod demo;
pub(crate) mod forge;
pub(crate) mod gate;
pub(crate) mod identity;
#[cfg(feature = "telemetry")]
pub(crate) mod live;
pub(crate) mod lookup;
pub(crate) mod parts;
pub(crate) mod portal;
pub(crate) mod refresh;
pub(crate) mod renewal;
pub(crate) mod request;
pub(crate) mod serve;
pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod state;
