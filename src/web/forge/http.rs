//! One request to the forge, with bounds: its time, the size of the answer, and how often it is asked.

#[cfg(feature = "s3")]
pub(super) use self::client::Http;
#[cfg(not(feature = "s3"))]
pub(super) use self::none::Http;

use anyhow::anyhow;

/// Why a request was not answered as it should be: a sentence without secrets that says what to do.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) why: String,
    /// The HTTP status, if there was an answer.
    pub(super) status: Option<u16>,
}

impl Failure {
    pub(super) fn into_error(self) -> anyhow::Error {
        anyhow!(self.why)
    }

    /// An answer that is none of a forge.
    pub(super) fn odd(host: &str) -> Failure {
        let why = format!("{host} gave an answer that is no pull request: check `kind` and `url` of `forge`");
        Failure { why, status: None }
    }
}

#[cfg(feature = "s3")]
mod client {
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use anyhow::{Context as _, Result, bail};
    use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
    use reqwest::{Method, Response, StatusCode, Url};
    use serde_json::Value;

    use super::Failure;
    use crate::database::random::now;
    use crate::store::{install_cryptography, runtime};
    use crate::text::quote::harmless;
    use crate::text::redact::{redact, without_logins};
    use crate::web::forge::api::Call;
    use crate::web::settings::forge::ForgeKind;

    /// The variable with the token.
    const TOKEN: &str = "SHAPELINE_FORGE_TOKEN";

    /// How long a request may take, with its answer.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// How much of an answer is read, in bytes.
    const MAX_ANSWER: usize = 1 << 20;

    /// How much of a forge's own message is shown, in characters.
    const SHOWN: usize = 200;

    /// The pause if a forge limits requests and does not say for how long, as GitHub asks.
    const PAUSE: u64 = 60;

    /// The longest pause, in seconds: GitHub's limits are per hour.
    const MAX_PAUSE: u64 = 3600;

    /// The lengths of a token, in bytes.
    const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 8..=4096;

    /// Sends requests. Without `Debug`: it has the token.
    pub(in crate::web::forge) struct Http {
        client: reqwest::Client,
        base: Url,
        host: String,
        kind: ForgeKind,
        repository: String,
        /// Until when the forge asked for silence.
        silent: Mutex<Option<Instant>>,
    }

    impl Http {
        /// # Errors
        /// If there is no token that can be sent.
        pub(in crate::web::forge) fn new(url: &str, repository: &str, kind: ForgeKind) -> Result<Http> {
            install_cryptography();
            runtime()?;
            let base =
                Url::parse(url).ok().filter(|base| !base.cannot_be_a_base()).context("`url` of `forge` is no URL")?;
            let plain = base.scheme() == "http";
            let builder = reqwest::Client::builder()
                .user_agent(concat!("shapeline/", env!("CARGO_PKG_VERSION")))
                .default_headers(headers(&token()?, kind)?)
                // The token is for one host alone.
                .redirect(reqwest::redirect::Policy::none())
                .timeout(PATIENCE)
                .https_only(!plain);
            let builder = if plain { builder.no_proxy() } else { builder };
            let client = builder.build().map_err(reqwest::Error::without_url).context("cannot prepare HTTP")?;
            let host = base.host_str().unwrap_or_default().to_owned();
            Ok(Http { client, base, host, kind, repository: repository.to_owned(), silent: Mutex::default() })
        }

        pub(in crate::web::forge) fn host(&self) -> &str {
            &self.host
        }

        /// Whether a link leads to the forge's pages: the same host, or that of which the API is a part.
        pub(in crate::web::forge) fn has(&self, link: &str) -> bool {
            let Ok(url) = Url::parse(link) else { return false };
            let site = match self.kind {
                ForgeKind::GitHub => self.host.strip_prefix("api.").unwrap_or(&self.host),
                ForgeKind::Gitea | ForgeKind::Forgejo | ForgeKind::GitLab => &self.host,
            };
            let scheme = url.scheme() == "https" || url.scheme() == "http" && self.base.scheme() == "http";
            let named = url.host_str().is_some_and(|host| host == site || host == self.host);
            scheme && named && url.username().is_empty() && url.password().is_none() && link.len() <= 1000
        }

        /// Sends a request, and gives its answer.
        ///
        /// # Errors
        /// If the answer is no success, or none comes.
        pub(in crate::web::forge) fn send(&self, call: &Call) -> Result<Value, Failure> {
            if let Some(left) = self.silence() {
                let why = format!("{} limits requests: the next is sent in {} s", self.host, left.as_secs() + 1);
                return Err(Failure { why, status: None });
            }
            let runtime = runtime().map_err(|error| failure(format!("{error:#}")))?;
            let late = || failure(format!("{} did not answer within {PATIENCE:.0?}: it is tried again", self.host));
            let work = async { tokio::time::timeout(PATIENCE, self.exchange(call)).await };
            runtime.block_on(work).unwrap_or_else(|_| Err(late()))
        }

        async fn exchange(&self, call: &Call) -> Result<Value, Failure> {
            let mut url = self.base.clone();
            if let Ok(mut parts) = url.path_segments_mut() {
                parts.pop_if_empty().extend(&call.path);
            }
            if !call.query.is_empty() {
                url.query_pairs_mut().extend_pairs(&call.query);
            }
            let method = Method::from_bytes(call.method.as_bytes()).unwrap_or_default();
            let request = self.client.request(method, url);
            let request = match &call.body {
                Some(body) => request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_string()),
                None => request,
            };
            let unreached = |error: reqwest::Error| {
                let why = shown(&format!("{:#}", anyhow::Error::new(error.without_url())));
                failure(format!("{} cannot be reached: {why}", self.host))
            };
            let response = request.send().await.map_err(unreached)?;
            let (status, silence) = (response.status(), silence(&response));
            let body = self.body(response).await?;
            let answer: Option<Value> = serde_json::from_slice(&body).ok();
            if status.is_success() {
                return answer.ok_or_else(|| Failure::odd(&self.host));
            }
            let said = answer.as_ref().and_then(|answer| answer.get("message").or_else(|| answer.get("error")));
            let said = said.map(|said| said.as_str().map_or_else(|| said.to_string(), ToOwned::to_owned));
            let said = said.map(|said| format!(" ({})", shown(&said))).unwrap_or_default();
            // GitHub's secondary limit may have no header.
            let limited = status == StatusCode::FORBIDDEN && said.contains("rate limit");
            let silence = silence.or(limited.then_some(PAUSE));
            if let Some(seconds) = silence {
                *self.silent.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(Instant::now() + Duration::from_secs(seconds));
            }
            let why = format!("{} answered {}{said}: {}", self.host, status.as_u16(), self.advice(status, silence));
            Err(Failure { why, status: Some(status.as_u16()) })
        }

        /// What to do about a refusal.
        fn advice(&self, status: StatusCode, silence: Option<u64>) -> String {
            let repository = &self.repository;
            match (status.as_u16(), silence) {
                (_, Some(seconds)) => format!("it limits requests; the next is sent in {seconds} s"),
                (401, _) => format!("the token is not valid any more: make a new one, and set {TOKEN}"),
                (403, _) => format!(
                    "the token has not the right to open pull requests in {repository}: see docs/portal.md, \"Pull requests\""
                ),
                (404, _) => format!(
                    "there is no {repository}, or the token does not see it: check `repository` and `url` of `forge`, and \
                     the token's rights"
                ),
                (300..400, _) => {
                    "it has moved, and the token is sent to no other address: set `url` and `repository` of \
                                  `forge` to the new ones"
                        .to_owned()
                }
                (400 | 409 | 422, _) => "it refuses the pull request as it is".to_owned(),
                (500.., _) => "the fault is its own; it is tried again".to_owned(),
                _ => "check `kind` and `url` of `forge`".to_owned(),
            }
        }

        async fn body(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
            let mut bytes = Vec::new();
            loop {
                match response.chunk().await {
                    Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                    Ok(None) => return Ok(bytes),
                    Err(_) => return Err(failure(format!("{} broke off its answer: it is tried again", self.host))),
                }
                if bytes.len() > MAX_ANSWER {
                    return Err(failure(format!("{} gave an answer of more than 1 MiB", self.host)));
                }
            }
        }

        /// How long the forge still asks for silence.
        fn silence(&self) -> Option<Duration> {
            let until = *self.silent.lock().unwrap_or_else(PoisonError::into_inner);
            until?.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
        }
    }

    /// For how many seconds an answer asks for silence, if it does.
    fn silence(response: &Response) -> Option<u64> {
        let number = |name: &str| response.headers().get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
        let status = response.status();
        let after = number(RETRY_AFTER.as_str()).and_then(|after| u64::try_from(after).ok());
        let used_up = number("x-ratelimit-remaining") == Some(0);
        let reset = number("x-ratelimit-reset").filter(|_| used_up);
        let reset = reset.map(|reset| u64::try_from(reset.saturating_sub(now())).unwrap_or(0));
        let limited = status == StatusCode::TOO_MANY_REQUESTS
            || [StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE].contains(&status)
                && (after.or(reset)).is_some();
        limited.then(|| after.or(reset).unwrap_or(PAUSE).clamp(1, MAX_PAUSE))
    }

    /// The token of the environment.
    ///
    /// # Errors
    /// If there is none, or it cannot be one. The error does not have it.
    fn token() -> Result<String> {
        let Ok(token) = std::env::var(TOKEN) else {
            bail!(
                "`forge` needs a token: make one that may open pull requests there (docs/portal.md, \"Pull requests\"), \
                 and set {TOKEN}"
            )
        };
        // A line end is quickly pasted.
        let token = token.trim();
        if !TOKEN_LENGTH.contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("{TOKEN} is no token: set it anew, as the forge showed it");
        }
        Ok(token.to_owned())
    }

    fn headers(token: &str, kind: ForgeKind) -> Result<HeaderMap> {
        let secret = |text: String| {
            let mut value = HeaderValue::from_str(&text).ok().with_context(|| format!("{TOKEN} is no token"))?;
            value.set_sensitive(true);
            anyhow::Ok(value)
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        match kind {
            ForgeKind::GitHub => {
                headers.insert(AUTHORIZATION, secret(format!("Bearer {token}"))?);
                headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
                let version = HeaderValue::from_static("2022-11-28");
                headers.insert(HeaderName::from_static("x-github-api-version"), version);
            }
            ForgeKind::Gitea | ForgeKind::Forgejo => {
                headers.insert(AUTHORIZATION, secret(format!("token {token}"))?);
            }
            ForgeKind::GitLab => {
                headers.insert(HeaderName::from_static("private-token"), secret(token.to_owned())?);
            }
        }
        Ok(headers)
    }

    /// What others said, as it may be shown.
    fn shown(text: &str) -> String {
        harmless(&without_logins(&redact(text)), SHOWN)
    }

    fn failure(why: String) -> Failure {
        Failure { why, status: None }
    }
}

/// A build without an HTTP client.
#[cfg(not(feature = "s3"))]
mod none {
    use anyhow::{Result, bail};
    use serde_json::Value;

    use super::Failure;
    use crate::web::forge::api::Call;
    use crate::web::settings::forge::ForgeKind;

    pub(in crate::web::forge) struct Http;

    impl Http {
        pub(in crate::web::forge) fn new(_: &str, _: &str, _: ForgeKind) -> Result<Http> {
            bail!("`forge` is set, and this shapeline cannot send: build it with the feature `s3`, which has HTTP")
        }

        pub(in crate::web::forge) fn host(&self) -> &str {
            ""
        }

        pub(in crate::web::forge) fn has(&self, _: &str) -> bool {
            false
        }

        pub(in crate::web::forge) fn send(&self, _: &Call) -> Result<Value, Failure> {
            Err(Failure { why: "this shapeline was built without HTTP".to_owned(), status: None })
        }
    }
}
