//! The server's own state, in the [`crate::database`], outside the data repository. Tokens are looked up in
//! memory ([`table`]); everything else of the portal is read from the database for each request.

pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod drafts;
pub(crate) mod pending;
pub(crate) mod providers;
pub(crate) mod requests;
pub(crate) mod sessions;
pub(crate) mod table;
pub(crate) mod tokens;
pub(crate) mod users;
