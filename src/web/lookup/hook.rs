//! `POST /hooks/git`: a forge says that the branch moved. The body only has to be signed; what is served
//! is what the branch has.

use anyhow::{Result, bail};
use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use ring::hmac;
use tokio::sync::Semaphore;

use crate::text::hex::unhex;
use crate::web::server::problem::Problem;

/// The variable with the secret.
pub(crate) const VARIABLE: &str = "SHAPELINE_WEBHOOK_SECRET";

/// The shortest secret.
const MIN_SECRET: usize = 16;

/// How many bodies are read at a time before it is known whether their signatures are valid.
const MAX_AT_A_TIME: usize = 4;

/// Headers with an HMAC-SHA256 of the body in hexadecimal digits: of GitHub (which Gitea and Forgejo send,
/// too), of Gitea, of Forgejo. GitHub's has a prefix.
const SIGNATURES: [(&str, &str); 3] =
    [("x-hub-signature-256", "sha256="), ("x-gitea-signature", ""), ("x-forgejo-signature", "")];

/// GitLab sends the secret itself.
const GITLAB: &str = "x-gitlab-token";

/// The length of an HMAC-SHA256.
const SIGNATURE_BYTES: usize = 32;

/// The secret that the forge signs with.
pub(crate) struct HookSecret {
    key: hmac::Key,
    slots: Semaphore,
}

/// What the headers say before a byte of the body is read.
enum Signature {
    /// The secret itself was sent.
    Valid,
    /// The HMAC that the body must have.
    OfBody(Vec<u8>),
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
        HookSecret { key: key(secret.as_bytes()), slots: Semaphore::new(MAX_AT_A_TIME) }
    }

    /// Checks the signature of a body, of which nothing is kept. All comparisons take the same time whatever
    /// was sent.
    ///
    /// # Errors
    /// 401 without a valid signature; 413 for a body of more than `longest` bytes; 429 if too many others are read.
    pub(crate) async fn verify(&self, headers: &HeaderMap, body: Body, longest: usize) -> Result<(), Problem> {
        match self.signature(headers)? {
            Signature::Valid => read(body, longest, |_| ()).await,
            Signature::OfBody(sent) => {
                let _slot = self.slots.try_acquire().map_err(|_| busy())?;
                let mut context = hmac::Context::with_key(&self.key);
                read(body, longest, |bytes| context.update(bytes)).await?;
                if is_same(&key(context.sign().as_ref()), &key(&sent)) { Ok(()) } else { Err(unsigned()) }
            }
        }
    }

    /// What the headers say. One that is wrong is not passed over for another.
    fn signature(&self, headers: &HeaderMap) -> Result<Signature, Problem> {
        for (name, prefix) in SIGNATURES {
            if let Some(value) = headers.get(name) {
                let digits = value.to_str().ok().and_then(|value| value.strip_prefix(prefix));
                let sent = digits.and_then(unhex).filter(|sent| sent.len() == SIGNATURE_BYTES);
                return sent.map(Signature::OfBody).ok_or_else(unsigned);
            }
        }
        let sent = headers.get(GITLAB).ok_or_else(unsigned)?;
        if is_same(&self.key, &key(sent.as_bytes())) { Ok(Signature::Valid) } else { Err(unsigned()) }
    }
}

/// Hands each piece of a body on as it comes, and keeps none.
async fn read(mut body: Body, longest: usize, mut each: impl FnMut(&[u8])) -> Result<(), Problem> {
    let too_large = || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or was cut");
    let mut left = longest;
    if body.size_hint().lower() > longest as u64 {
        return Err(too_large());
    }
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| too_large())?;
        if let Some(bytes) = frame.data_ref() {
            left = left.checked_sub(bytes.len()).ok_or_else(too_large)?;
            each(bytes);
        }
    }
    Ok(())
}

fn key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

/// Whether two keys are the same: signatures by them are compared, in a time that does not say where they differ.
fn is_same(one: &hmac::Key, other: &hmac::Key) -> bool {
    let text = b"is it the same";
    hmac::verify(other, text, hmac::sign(one, text).as_ref()).is_ok()
}

fn busy() -> Problem {
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many webhooks at a time: send it again");
    problem.with(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn unsigned() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "this is not signed with the webhook's secret")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn status(secret: &HookSecret, pairs: &[(&'static str, &str)], body: Body) -> u16 {
        let mut headers = HeaderMap::new();
        pairs.iter().for_each(|(name, value)| drop(headers.insert(*name, value.parse().unwrap())));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(secret.verify(&headers, body, 100)).map_or_else(|problem| problem.status.as_u16(), |()| 202)
    }

    fn verified(pairs: &[(&'static str, &str)], body: &str) -> bool {
        status(&HookSecret::new("It's a Secret to Everybody"), pairs, Body::from(body.to_owned())) == 202
    }

    /// A body that must not be read.
    fn untouched() -> Body {
        struct Untouched;
        impl axum::body::HttpBody for Untouched {
            type Data = bytes::Bytes;
            type Error = std::convert::Infallible;
            fn poll_frame(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<std::result::Result<hyper::body::Frame<bytes::Bytes>, Self::Error>>>
            {
                panic!("the body is read")
            }
        }
        Body::new(Untouched)
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

    #[test]
    fn nothing_is_read_before_the_headers_are_valid() {
        let secret = HookSecret::new("It's a Secret to Everybody");
        let cut = format!("sha256={}", &SIGNATURE[2..]);
        for pairs in [
            &[][..],
            &[("x-gitlab-token", "It's a Secret to Everybod")],
            &[("x-hub-signature-256", "sha256=x")],
            &[("x-hub-signature-256", cut.as_str())],
        ] {
            assert_eq!(status(&secret, pairs, untouched()), 401, "{pairs:?}");
        }
        let signed = [("x-gitea-signature", SIGNATURE)];
        let slots = secret.slots.try_acquire_many(MAX_AT_A_TIME as u32).unwrap();
        assert_eq!(status(&secret, &signed, untouched()), 429, "others are read");
        drop(slots);
        assert_eq!(status(&secret, &signed, Body::from("Hello, World!")), 202);
        assert_eq!(status(&secret, &signed, Body::from("x".repeat(100))), 401);
        assert_eq!(status(&secret, &signed, Body::from("x".repeat(101))), 413);
        assert_eq!(secret.slots.available_permits(), MAX_AT_A_TIME);
    }
}
