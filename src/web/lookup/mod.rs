//! The lookup API. Each address is a [`table::Route`]; the router, the OpenAPI document and a test of
//! who sees what are made from the table.

mod actions;
mod addresses;
pub(crate) mod app;
mod catalogue;
pub(crate) mod copy;
mod health;
pub(crate) mod hook;
mod openapi;
mod question;
pub(crate) mod router;
mod subscribers;
pub(crate) mod table;
mod who;
