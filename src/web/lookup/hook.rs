//! `POST /hooks/git`: a forge says that the branch moved. The body only has to be signed; what is served
//! is what the branch has.

use anyhow::{Result, bail};
use axum::http::{HeaderMap, StatusCode};
use ring::hmac;

use crate::text::hex::unhex;
use crate::web::server::problem::Problem;

/// The variable with the secret.
pub(crate) const VARIABLE: &str = "SHAPELINE_WEBHOOK_SECRET";

/// The shortest secret.
const MIN_SECRET: usize = 16;

/// Headers with an HMAC-SHA256 of the body in hexadecimal digits: of GitHub (which Gitea and Forgejo send,
/// too), of Gitea, of Forgejo. GitHub's has a prefix.
const SIGNATURES: [(&str, &str); 3] =
    [("x-hub-signature-256", "sha256="), ("x-gitea-signature", ""), ("x-forgejo-signature", "")];

/// GitLab sends the secret itself.
const GITLAB: &str = "x-gitlab-token";

/// The secret that the forge signs with.
pub(crate) struct HookSecret {
    key: hmac::Key,
}

impl HookSecret {
    /// The secret in the environment, if there is one.
    ///
    /// # Errors
    /// If it is too short to be one.
    pub(crate) fn from_environment() -> Result<Option<HookSecret>> {
        match std::env::var(VARIABLE) {
            Ok(secret) if secret.is_empty() => Ok(None),
            Ok(secret) if secret.len() < MIN_SECRET => {
                bail!("{VARIABLE} is shorter than {MIN_SECRET} bytes: `openssl rand -hex 32` makes a good one")
            }
            Ok(secret) => Ok(Some(HookSecret::new(&secret))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => bail!("{VARIABLE} is not UTF-8"),
        }
    }

    fn new(secret: &str) -> HookSecret {
        HookSecret { key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()) }
    }

    /// Checks the signature of a body. All comparisons take the same time whatever was sent.
    ///
    /// # Errors
    /// 401 without a valid signature.
    pub(crate) fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
        for (name, prefix) in SIGNATURES {
            if let Some(value) = headers.get(name) {
                let digits = value.to_str().ok().and_then(|value| value.strip_prefix(prefix));
                let signature = digits.and_then(unhex).ok_or_else(unsigned)?;
                return hmac::verify(&self.key, body, &signature).map_err(|_| unsigned());
            }
        }
        let sent = headers.get(GITLAB).ok_or_else(unsigned)?;
        if self.is_secret(sent.as_bytes()) { Ok(()) } else { Err(unsigned()) }
    }

    /// Whether `sent` is the secret: signatures are compared, not the secrets.
    fn is_secret(&self, sent: &[u8]) -> bool {
        let sent = hmac::Key::new(hmac::HMAC_SHA256, sent);
        let signature = hmac::sign(&self.key, GITLAB.as_bytes());
        hmac::verify(&sent, GITLAB.as_bytes(), signature.as_ref()).is_ok()
    }
}

fn unsigned() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "this is not signed with the webhook's secret")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn verified(pairs: &[(&'static str, &str)], body: &str) -> bool {
        let mut headers = HeaderMap::new();
        pairs.iter().for_each(|(name, value)| drop(headers.insert(*name, value.parse().unwrap())));
        HookSecret::new("It's a Secret to Everybody").verify(&headers, body.as_bytes()).is_ok()
    }

    /// The example of GitHub's documentation.
    const SIGNATURE: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn signatures_of_every_forge_are_verified() {
        let github = format!("sha256={SIGNATURE}");
        assert!(verified(&[("x-hub-signature-256", &github)], "Hello, World!"));
        assert!(verified(&[("x-gitea-signature", SIGNATURE)], "Hello, World!"));
        assert!(verified(&[("x-forgejo-signature", SIGNATURE)], "Hello, World!"));
        assert!(verified(&[("x-gitlab-token", "It's a Secret to Everybody")], "{}"));
    }

    #[test]
    fn anything_else_is_refused() {
        let github = format!("sha256={SIGNATURE}");
        assert!(!verified(&[], "Hello, World!"));
        assert!(!verified(&[("x-hub-signature-256", &github)], "Hello, World?"));
        assert!(!verified(&[("x-hub-signature-256", SIGNATURE)], "Hello, World!"), "without its prefix");
        assert!(!verified(&[("x-hub-signature-256", "sha256=é")], "Hello, World!"));
        assert!(!verified(&[("x-hub-signature-256", "sha256=00")], "Hello, World!"));
        assert!(!verified(&[("x-gitlab-token", "It's a Secret to Everybod")], "{}"));
        assert!(!verified(&[("x-gitlab-token", "")], "{}"));
        let both = [("x-hub-signature-256", "sha256=00"), ("x-gitlab-token", "It's a Secret to Everybody")];
        assert!(!verified(&both, "{}"), "one that is wrong is not passed over");
    }
}
