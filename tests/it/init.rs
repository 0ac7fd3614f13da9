//! `init` as a user meets it.
