//! Pull mode: a host beside the shaper fetches the branch itself and publishes what it finds.
//!
//! [`service`] lets the [`syncer`] go round and round until it is told to [`stop`]. A round fetches
//! ([`upstream`]), looks at the [`signature`] if one is required, and then works on each target
//! (`worker`): puts back a live file that somebody else changed ([`heal`]), and publishes. What
//! became of it ([`round`]) stands in the [`status`] file and, line by line, in the [`journal`].

pub mod heal;
pub mod health;
pub mod interval;
pub mod journal;
pub mod refusal;
pub mod round;
mod seen;
pub mod service;
pub mod signature;
pub mod signers;
pub mod state;
pub mod status;
pub mod stop;
pub mod syncer;
mod systemd;
pub mod upstream;
mod worker;
