//! The server's own state, outside the data repository: [`store`], at a [`location`]. Tokens are looked up
//! in memory ([`table`]).

pub(crate) mod location;
pub(crate) mod store;
pub(crate) mod table;
pub(crate) mod tokens;
