//! The server's own state, outside the data repository: [`store`], at a [`location`]. Tokens are looked up
//! in memory ([`table`]), and read again and again ([`refresh`]).

pub(crate) mod location;
pub(crate) mod refresh;
pub(crate) mod store;
pub(crate) mod table;
pub(crate) mod tokens;
