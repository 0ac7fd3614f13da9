//! One request to a receiver.

#[cfg(feature = "s3")]
pub(super) use self::http::{Client, Endpoint};
#[cfg(not(feature = "s3"))]
pub(super) use self::none::{Client, Endpoint};

use std::time::Duration;

/// What a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PostAnswer {
    /// The HTTP status, such as `200 OK`.
    pub(crate) status: String,
    /// The beginning of the answer.
    pub(crate) text: String,
}

/// Why a request was not accepted: a sentence without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PostFailure {
    pub(crate) why: String,
    /// Whether another try may succeed.
    pub(super) again: bool,
    /// How long the receiver asked to wait.
    pub(super) after: Option<Duration>,
}

#[cfg(feature = "s3")]
mod http {
    use std::time::Duration;

    use anyhow::{Context as _, Result};
    use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
    use reqwest::{Response, StatusCode, Url};

    use super::{PostAnswer, PostFailure};
    use crate::notification::signature::signature;
    use crate::store::{install_cryptography, runtime};
    use crate::text::quote::harmless;
    use crate::text::redact::{redact, without_logins};

    /// How much of an answer is read, in bytes.
    const MAX_ANSWER: usize = 4096;

    /// How much of it is shown, in characters.
    const SHOWN: usize = 200;

    /// The shortest part of a path that can be a secret.
    const MIN_PART: usize = 6;

    /// The header with the signature.
    const SIGNATURE: &str = "X-Shapeline-Signature-256";

    /// Where to post. Without `Debug`: its path is a secret.
    pub(in crate::notification) struct Endpoint {
        url: Url,
        host: String,
    }

    impl Endpoint {
        /// # Errors
        /// What is wrong with the URL, without it.
        pub(in crate::notification) fn parse(text: &str) -> Result<Endpoint, &'static str> {
            let url = Url::parse(text.trim()).map_err(|_| "is no URL: write it as the chat shows it, https://…")?;
            if !url.username().is_empty() || url.password().is_some() {
                return Err("has a user or a password: a signature says who sends, see SHAPELINE_NOTIFY_SECRET");
            }
            let host = url.host_str().unwrap_or_default().to_owned();
            let here = ["127.0.0.1", "[::1]", "localhost"].contains(&host.as_str());
            match url.scheme() {
                "https" if !host.is_empty() => Ok(Endpoint { url, host }),
                "http" if here => Ok(Endpoint { url, host }),
                "http" => Err("begins with http://, by which everyone on the way could read it: use https://"),
                _ => Err("is no URL of a web server: it must begin with https://"),
            }
        }

        pub(in crate::notification) fn host(&self) -> &str {
            &self.host
        }

        /// What a receiver said, as it may be shown: it may quote the address, or a part of it.
        fn shown(&self, text: &str) -> String {
            let whole = [self.url.path(), self.url.query().unwrap_or_default()];
            let parts = whole.iter().flat_map(|text| text.split(['/', '&', '=']));
            let mut secrets: Vec<&str> = parts.chain(whole).filter(|part| part.len() >= MIN_PART).collect();
            secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
            let hidden = |text: String, secret: &str| text.replace(secret, "[SHAPELINE_NOTIFY_URL]");
            let text = secrets.into_iter().fold(redact(text), hidden);
            harmless(&without_logins(&text), SHOWN)
        }
    }

    /// Posts to one endpoint.
    pub(in crate::notification) struct Client {
        client: reqwest::Client,
        endpoint: Endpoint,
        secret: Option<String>,
    }

    impl Client {
        /// # Errors
        /// If the system has no certificates, or gives no thread.
        pub(in crate::notification) fn new(endpoint: Endpoint, secret: Option<String>) -> Result<Client> {
            install_cryptography();
            runtime()?;
            let builder = reqwest::Client::builder()
                .user_agent(concat!("shapeline/", env!("CARGO_PKG_VERSION")))
                // What is for one server is not for another.
                .redirect(reqwest::redirect::Policy::none())
                .https_only(endpoint.url.scheme() == "https");
            let builder = if endpoint.url.scheme() == "http" { builder.no_proxy() } else { builder };
            let client = builder.build().map_err(reqwest::Error::without_url).context("cannot prepare HTTP")?;
            Ok(Client { client, endpoint, secret })
        }

        /// Posts a body, and takes at most `limit`.
        ///
        /// # Errors
        /// If the answer is no success, or none comes.
        pub(in crate::notification) fn post(
            &self,
            id: &str,
            body: &str,
            limit: Duration,
        ) -> Result<PostAnswer, PostFailure> {
            let runtime = runtime().map_err(|error| failure(format!("{error:#}"), true))?;
            let work = async {
                let send = self.send(id, body);
                tokio::time::timeout(limit, send).await
            };
            let late = || failure(format!("{} did not answer within {limit:.1?}", self.endpoint.host()), true);
            runtime.block_on(work).unwrap_or_else(|_| Err(late()))
        }

        async fn send(&self, id: &str, body: &str) -> Result<PostAnswer, PostFailure> {
            let request = self.client.post(self.endpoint.url.clone()).header(CONTENT_TYPE, "application/json");
            let request = request.header("X-Shapeline-Delivery", id);
            let request = match &self.secret {
                Some(secret) => request.header(SIGNATURE, signature(secret.as_bytes(), body.as_bytes())),
                None => request,
            };
            let unreached = |error: reqwest::Error| {
                let why = format!("{:#}", anyhow::Error::new(error.without_url()));
                failure(format!("{} cannot be reached: {}", self.endpoint.host(), self.endpoint.shown(&why)), true)
            };
            let response = request.body(body.to_owned()).send().await.map_err(unreached)?;
            let status = response.status();
            let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let answer =
                PostAnswer { status: status.to_string(), text: self.endpoint.shown(&beginning(response).await) };
            if status.is_success() {
                return Ok(answer);
            }
            let again = status.is_server_error()
                || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status);
            let said = if answer.text.is_empty() { String::new() } else { format!(": {}", answer.text) };
            let why = format!("{} answered {}{said}", self.endpoint.host(), answer.status);
            Err(PostFailure { after: after.map(Duration::from_secs), ..failure(why, again) })
        }
    }

    async fn beginning(mut response: Response) -> String {
        let mut bytes = Vec::new();
        while bytes.len() < MAX_ANSWER {
            let Ok(Some(piece)) = response.chunk().await else { break };
            bytes.extend_from_slice(&piece);
        }
        bytes.truncate(MAX_ANSWER);
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }

    fn failure(why: String, again: bool) -> PostFailure {
        PostFailure { why, again, after: None }
    }
}

/// A build without an HTTP client.
#[cfg(not(feature = "s3"))]
mod none {
    use std::time::Duration;

    use anyhow::{Result, bail};

    use super::{PostAnswer, PostFailure};

    pub(in crate::notification) struct Endpoint;

    impl Endpoint {
        pub(in crate::notification) fn parse(_: &str) -> Result<Endpoint, &'static str> {
            Err("is set, and this shapeline cannot send: build it with the feature `s3`, which has HTTP")
        }

        pub(in crate::notification) fn host(&self) -> &str {
            ""
        }
    }

    pub(in crate::notification) struct Client;

    impl Client {
        pub(in crate::notification) fn new(_: Endpoint, _: Option<String>) -> Result<Client> {
            bail!("this shapeline was built without HTTP")
        }

        pub(in crate::notification) fn post(&self, _: &str, _: &str, _: Duration) -> Result<PostAnswer, PostFailure> {
            Err(PostFailure { why: "this shapeline was built without HTTP".to_owned(), again: false, after: None })
        }
    }
}
