//! Who may ask: everyone on this host, or those with a token.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::access::Scope;
use super::server::client::is_local;
use super::server::problem::Problem;
use super::state::table::TokenTable;

/// Decides who may ask what.
pub(crate) struct Gate {
    /// Whether the server listens on this host alone.
    loopback_only: bool,
    tokens: RwLock<Arc<TokenTable>>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// What it may see.
    pub(crate) scope: Scope,
    /// The name of its token, if it needed one.
    pub(crate) token: Option<Arc<str>>,
    /// Whether it may read the logs; with a token, also make copies.
    pub(crate) operator: bool,
}

impl Gate {
    /// A gate for a server that listens on this host alone, or not.
    pub(crate) fn new(loopback_only: bool, tokens: TokenTable) -> Gate {
        Gate { loopback_only, tokens: RwLock::new(Arc::new(tokens)) }
    }

    /// The tokens as they were last read.
    pub(crate) fn tokens(&self) -> Arc<TokenTable> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other tokens in place.
    pub(crate) fn replace(&self, tokens: TokenTable) {
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokens);
    }

    /// Who asks, by the address of the connection and the headers of the request.
    ///
    /// # Errors
    /// 401 without a valid token where one is needed.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<Client, Problem> {
        let tokens = self.tokens();
        if !tokens.any() && self.loopback_only && is_local(peer, headers) {
            return Ok(Client { scope: Scope::all(), token: None, operator: true });
        }
        let mut sent = headers.get_all(header::AUTHORIZATION).iter();
        let secret = match (sent.next(), sent.next()) {
            (Some(_), Some(_)) => return Err(unauthorized(SEVERAL)),
            (value, _) => value.and_then(bearer).filter(|secret| !secret.is_empty()),
        };
        let missing = if tokens.any() { MISSING } else { NONE_MADE };
        let token = tokens.find(secret.ok_or_else(|| unauthorized(missing))?).ok_or_else(|| unauthorized(UNKNOWN))?;
        Ok(Client { scope: token.scope.clone(), token: Some(token.name.clone()), operator: token.operator })
    }
}

/// The answer to who has no token, where one is needed even if no other address needs one.
pub(crate) fn needs_token() -> Problem {
    unauthorized("this needs a token in any case: make one with `shapeline token add NAME --operator`")
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

const MISSING: &str = "this needs a token: send `Authorization: Bearer TOKEN`";

const NONE_MADE: &str =
    "this needs a token: make one with `shapeline token add`, then send `Authorization: Bearer TOKEN`";

/// The same for both: whoever guesses does not learn what was a token once.
const UNKNOWN: &str = "the token is unknown or was revoked";

const SEVERAL: &str = "there are several `Authorization` headers: send one, `Authorization: Bearer TOKEN`";

fn unauthorized(detail: &str) -> Problem {
    let challenge = HeaderValue::from_static("Bearer realm=\"shapeline\"");
    Problem::new(StatusCode::UNAUTHORIZED, detail).with(header::WWW_AUTHENTICATE, challenge)
}
