//! Requests to a provider: to no other place by a redirect, by https alone, and bounded in time and size.

use std::time::Duration;

use anyhow::{Context as _, Result};
use openidconnect::{HttpRequest, HttpResponse, http};
use reqwest::{Request, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::refused::SignInFailure;
use crate::text::quote::harmless;
use crate::web::settings::sign_in::is_safe;

/// How long a request may take, in all.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of an answer is read, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Asks a provider.
#[derive(Clone)]
pub(super) struct Fetch(reqwest::Client);

/// A request without an answer.
#[derive(Debug)]
pub(super) struct FetchError(String);

impl std::error::Error for FetchError {}

impl std::fmt::Display for FetchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Fetch {
    /// Asks the provider at this address, and others that it names.
    ///
    /// # Errors
    /// If the system has no certificates.
    pub(super) fn new(provider: &str) -> Result<Fetch> {
        // Fails where one is chosen already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let secure = provider.starts_with("https://");
        let builder = reqwest::Client::builder()
            .user_agent(concat!("shapeline/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .https_only(secure)
            .timeout(PATIENCE);
        let builder = if secure { builder } else { builder.no_proxy() };
        let client = builder.build().map_err(reqwest::Error::without_url).context("cannot prepare HTTP")?;
        Ok(Fetch(client))
    }

    pub(super) fn get(&self, url: &str) -> RequestBuilder {
        self.0.get(url).header(http::header::ACCEPT, "application/json")
    }

    pub(super) fn post(&self, url: &str) -> RequestBuilder {
        self.0.post(url).header(http::header::ACCEPT, "application/json")
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// If none comes, or one that is too long.
    pub(super) async fn answer(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), FetchError> {
        let request = request.build().map_err(|error| FetchError(format!("{}", error.without_url())))?;
        let response = self.send(request).await?;
        Ok((response.status(), response.into_body()))
    }

    /// The JSON in a successful answer.
    ///
    /// # Errors
    /// If there is none.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, SignInFailure> {
        let (status, body) = self.answer(request).await.map_err(SignInFailure::unavailable)?;
        if !status.is_success() {
            return Err(SignInFailure::unavailable(format!("it answered {status}")));
        }
        serde_json::from_slice(&body).map_err(|_| SignInFailure::invalid("its answer is not what was asked for"))
    }

    /// The same for the library.
    pub(super) async fn call(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let request = Request::try_from(request).map_err(|error| FetchError(format!("{}", error.without_url())))?;
        self.send(request).await
    }

    async fn send(&self, request: Request) -> Result<HttpResponse, FetchError> {
        let host = host(request.url());
        if !is_safe(request.url()) {
            return Err(FetchError(format!("{host} would be asked without https")));
        }
        let failed = |error: reqwest::Error| {
            let why = format!("{:#}", anyhow::Error::new(error.without_url()));
            FetchError(format!("{host} cannot be reached: {}", harmless(&why, 200)))
        };
        let mut response = self.0.execute(request).await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(FetchError(format!("{host} answers with more than {MAX_ANSWER} bytes")));
            }
            body.extend_from_slice(&piece);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        Ok(answer)
    }
}

fn host(url: &Url) -> String {
    harmless(url.host_str().unwrap_or_default(), 100)
}
