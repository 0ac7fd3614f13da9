//! Pull mode: a host beside the shaper fetches the branch and publishes it.
//!
//! [`service`] runs rounds of the [`syncer`] until a signal ends it ([`stop`]). A round fetches
//! ([`upstream`]), verifies the [`signature`] if one is required, and then handles each target (`worker`):
//! restores a live file that was changed on the host ([`heal`]), and publishes. The result ([`round`]) is
//! written to the [`status`] file and to the [`journal`].

pub(crate) mod heal;
pub(crate) mod health;
pub(crate) mod interval;
pub(crate) mod journal;
mod notify;
pub(crate) mod refusal;
pub(crate) mod round;
pub(crate) mod service;
pub(crate) mod signature;
pub(crate) mod signers;
mod snapshot;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod syncer;
pub(crate) mod systemd;
pub(crate) mod upstream;
mod worker;
