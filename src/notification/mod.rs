//! Notifications: what happens unattended is posted to a webhook.
//!
//! A [`receiver`] comes from the environment. A [`notifier`] takes troubles and their ends, leaves out what the
//! [`memory`] has already, and hands the rest to a thread that delivers ([`post`]): no command waits for a receiver
//! before its own work is done. [`ended`] makes [`notice`]s of what publishing reports; a [`body`] is what a
//! receiver gets, with a [`signature`].

mod body;
mod deliver;
pub(crate) mod ended;
mod memory;
pub(crate) mod notice;
pub(crate) mod notifier;
mod post;
pub(crate) mod receiver;
#[cfg(feature = "s3")]
mod signature;
