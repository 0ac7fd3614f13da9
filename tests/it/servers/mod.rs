//! Real servers on the loopback interface, with throw-away data, stopped when dropped.

pub mod sshd;
