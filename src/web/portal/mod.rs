//! The portal: pages for people who do not know git. [`routes`] lists the pages; a request for one is an
//! [`ask`], which a handler answers with a page made from a template ([`pages`]). What a form asks for is
//! gathered in a draft; a draft that is submitted becomes a commit on a branch ([`proposer`]).

pub(crate) mod app;
mod ask;
#[cfg(feature = "telemetry")]
mod dashboard;
mod direct;
mod draft_page;
mod drafting;
mod fields;
mod form;
mod form_page;
mod history_page;
pub(crate) mod keep_going;
mod live;
#[cfg(feature = "telemetry")]
mod live_socket;
mod pages;
pub(crate) mod password;
pub(crate) mod proposer;
mod request_page;
pub(crate) mod routes;
mod session;
mod sign_in;
mod subscribers;
mod upload_page;
mod views;
mod vouched_sign_in;
pub(crate) mod watch_targets;
mod withdrawal;
