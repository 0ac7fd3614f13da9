//! The database of the server's own state and of the samples: [`store`] opens it at a [`location`] and makes its
//! tables. The rooms above add their statements as `impl` blocks.

pub(crate) mod location;
pub(crate) mod random;
pub(crate) mod store;
