//! Who a person is, as a provider says: OpenID Connect ([`openid`]) or GitHub ([`github`]). What they may do
//! is what the server settings say ([`rights`]).

pub(crate) mod fetch;
pub(crate) mod github;
mod oauth;
pub(crate) mod openid;
mod person;
pub(crate) mod providers;
mod refused;
mod rights;
