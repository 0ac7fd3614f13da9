//! The tokens in memory: each request looks one up.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sha2::{Digest as _, Sha256};

use crate::web::access::Scope;

/// The digest of a token's secret. The secret is 256 random bits: no salt or slow hash would add to that.
pub(crate) type SecretDigest = [u8; 32];

/// A token that is valid.
#[derive(Debug)]
pub(crate) struct KnownToken {
    /// Its id in the state.
    pub(crate) id: String,
    /// Its name, for people.
    pub(crate) name: Arc<str>,
    /// What its client may see.
    pub(crate) scope: Scope,
    /// Whether its client may read the logs and make copies.
    pub(crate) operator: bool,
    /// When it was last used, in seconds since 1970; 0 if not since it was read.
    used: AtomicI64,
}

/// All valid tokens by the digests of their secrets.
#[derive(Debug, Default)]
pub(crate) struct TokenTable {
    any: bool,
    tokens: HashMap<SecretDigest, KnownToken>,
}

impl KnownToken {
    /// A token that was not used yet.
    pub(crate) fn new(id: String, name: &str, scope: Scope, operator: bool) -> KnownToken {
        KnownToken { id, name: name.into(), scope, operator, used: AtomicI64::new(0) }
    }
}

impl TokenTable {
    /// The valid tokens. `any`: whether there ever was one, also if it was revoked since.
    pub(crate) fn new(any: bool, tokens: HashMap<SecretDigest, KnownToken>) -> TokenTable {
        TokenTable { any: any || !tokens.is_empty(), tokens }
    }

    /// Whether there ever was a token: then each request needs one.
    pub(crate) fn any(&self) -> bool {
        self.any
    }

    /// The token with this secret. Only its digest is compared: the time that takes says nothing of the secret.
    pub(crate) fn find(&self, secret: &str) -> Option<&KnownToken> {
        let token = self.tokens.get(&digest(secret))?;
        token.used.store(jiff::Timestamp::now().as_second(), Ordering::Relaxed);
        Some(token)
    }

    /// The tokens used since they were read, each with when it was last used.
    pub(crate) fn used(&self) -> Vec<(String, i64)> {
        let used = |token: &KnownToken| (token.id.clone(), token.used.load(Ordering::Relaxed));
        self.tokens.values().map(used).filter(|(_, used)| *used > 0).collect()
    }
}

/// The digest under which a secret is stored.
pub(crate) fn digest(secret: &str) -> SecretDigest {
    Sha256::digest(secret.as_bytes()).into()
}

/// The same in hexadecimal digits, as the state has it.
pub(super) fn secret_digest(secret: &str) -> String {
    crate::text::hex::hex(&digest(secret))
}
