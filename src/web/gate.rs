//! Who may ask: everyone on this host, or those with a token.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::access::Scope;
use super::server::client::{TrustedProxies, is_local};
use super::server::problem::Problem;
use super::state::table::TokenTable;

/// Decides who may ask what.
pub(crate) struct Gate {
    /// Whether programs on this host need no token as long as there is none.
    open: bool,
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

/// Whether programs on this host need no token, as long as there is none: if the server listens on a loopback
/// address, and no proxy is trusted, from which every request comes from this host.
pub(crate) fn is_open(listens: IpAddr, proxies: &TrustedProxies) -> bool {
    listens.is_loopback() && proxies.0.is_empty()
}

impl Gate {
    /// A gate that is open for programs on this host as long as there is no token, or not.
    pub(crate) fn new(open: bool, tokens: TokenTable) -> Gate {
        Gate { open, tokens: RwLock::new(Arc::new(tokens)) }
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
        if !tokens.any() && self.open && is_local(peer, headers) {
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

/// The same for both: an attacker who guesses does not learn what was a token once.
const UNKNOWN: &str = "the token is unknown or was revoked";

const SEVERAL: &str = "there are several `Authorization` headers: send one, `Authorization: Bearer TOKEN`";

fn unauthorized(detail: &str) -> Problem {
    let challenge = HeaderValue::from_static("Bearer realm=\"shapeline\"");
    Problem::new(StatusCode::UNAUTHORIZED, detail).with(header::WWW_AUTHENTICATE, challenge)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn without_a_token_only_a_server_for_this_host_alone_is_open() {
        let open = |listens: &str, proxies: &[&str]| {
            let proxies = TrustedProxies(proxies.iter().map(|net| net.parse().unwrap()).collect());
            is_open(listens.parse().unwrap(), &proxies)
        };
        assert!(open("127.0.0.1", &[]) && open("127.0.0.2", &[]) && open("::1", &[]));
        for public in ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "2001:db8::1"] {
            assert!(!open(public, &[]), "{public}");
        }
        assert!(!open("127.0.0.1", &["127.0.0.1/32"]) && !open("127.0.0.1", &["192.0.2.1/32"]));
    }

    #[test]
    fn a_closed_gate_refuses_this_host_too() {
        let asks = |open: bool, peer: &str| {
            let client = Gate::new(open, TokenTable::default()).client(peer.parse().unwrap(), &HeaderMap::new());
            client.map(|client| client.token).map_err(|problem| problem.status.as_u16())
        };
        assert_eq!(asks(true, "127.0.0.1"), Ok(None));
        assert_eq!(asks(true, "192.0.2.1"), Err(401));
        assert_eq!(asks(false, "127.0.0.1"), Err(401));
    }
}
