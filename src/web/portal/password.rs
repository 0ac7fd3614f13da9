//! Passwords: hashed with Argon2id, with the parameters that OWASP recommends (19 MiB, two passes, one lane;
//! <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>).

use std::sync::LazyLock;

use anyhow::{Result, anyhow};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::query::Refusal;

/// The shortest password, in characters.
pub(crate) const SHORTEST: usize = 12;

/// The longest, in bytes: hashing takes longer the longer it is.
const LONGEST: usize = 1024;

/// How many are hashed at a time: each takes 19 MiB and a core.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// What is compared for an account that does not exist, so that this takes as long.
static OF_NO_ACCOUNT: LazyLock<Option<String>> = LazyLock::new(|| hash("no account has this password").ok());

/// The hash of a new password.
///
/// # Errors
/// A [`Refusal`] if it is too short or too long.
pub(crate) fn hash(password: &str) -> Result<String> {
    if password.chars().count() < SHORTEST {
        let why = "a sentence of a few words is easy to remember";
        return Err(Refusal(format!("a password has at least {SHORTEST} characters: {why}")).into());
    }
    if password.len() > LONGEST {
        return Err(Refusal(format!("a password has at most {LONGEST} bytes")).into());
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|why| anyhow!("cannot hash the password: {why}"))?.to_string())
}

/// Whether a password has this hash; without a hash, no, after the same time.
pub(crate) async fn is_right(password: String, hash: Option<String>) -> bool {
    let Ok(slot) = SLOTS.acquire().await else { return false };
    let compare = move || {
        // Held by the work itself: it goes on after the client has left.
        let _slot = slot;
        let known = hash.is_some();
        let Some(hash) = hash.as_deref().or(OF_NO_ACCOUNT.as_deref()) else { return false };
        let fits = password.len() <= LONGEST;
        let right = PasswordHash::new(hash)
            .is_ok_and(|hash| fits && Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        right && known
    };
    tokio::task::spawn_blocking(compare).await.unwrap_or(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_compared_by_its_hash() {
        let (first, second) = (hash("correct horse battery").unwrap(), hash("correct horse battery").unwrap());
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && first != second, "{first}");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let right =
            |password: &str, hash: Option<&String>| runtime.block_on(is_right(password.to_owned(), hash.cloned()));
        assert!(right("correct horse battery", Some(&first)));
        assert!(!right("correct horse batterz", Some(&first)) && !right("", Some(&first)));
        assert!(!right("no account has this password", None) && !right("x", Some(&"damaged".to_owned())));
        assert!(hash("too short").is_err() && hash(&"x".repeat(2000)).is_err());
    }
}
