//! Which parts of the server are asked for.

/// Parts of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    /// The portal and the lookup API.
    All,
    /// The portal alone.
    Portal,
    /// The lookup API alone.
    Lookup,
}
