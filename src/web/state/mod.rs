//! The server's own state, outside the data repository: [`store`], at a [`location`]. Tokens are looked up
//! in memory ([`table`]); everything else of the portal is read from the database for each request.

pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod drafts;
pub(crate) mod location;
pub(crate) mod pending;
pub(crate) mod providers;
pub(crate) mod random;
pub(crate) mod requests;
pub(crate) mod sessions;
pub(crate) mod store;
pub(crate) mod table;
pub(crate) mod tokens;
pub(crate) mod users;
