//! Requests to sources: to no other place by a redirect, and bounded in time and size.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::{StatusCode, Url};
use serde::de::DeserializeOwned;

use super::settings::{HttpSettings, secret};
use crate::text::quote::harmless;

/// Asks one source.
#[derive(Clone)]
pub(crate) struct HttpSource {
    client: reqwest::Client,
    url: Url,
    token: Option<String>,
}

/// An answer has more than so many bytes.
#[derive(Debug)]
pub(crate) struct TooLong(usize);

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it answers with more than {} bytes", self.0)
    }
}

impl std::error::Error for TooLong {}

impl HttpSource {
    /// A client for the API of the settings; each request may take as long as `timeout`.
    ///
    /// # Errors
    /// If the variable of the token is not set, or the system has no certificates.
    pub(crate) fn new(settings: &HttpSettings, timeout: Duration) -> Result<HttpSource> {
        // Fails where one is chosen already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .user_agent(concat!("shapeline/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(timeout)
            .build()
            .map_err(reqwest::Error::without_url)
            .context("cannot prepare HTTP")?;
        let token = settings.token.as_deref().map(token).transpose()?;
        Ok(HttpSource { client, url: settings.url.clone(), token })
    }

    /// The JSON at a path below the base, of at most `most` bytes. `None` if there is nothing: status 204 or 404.
    ///
    /// # Errors
    /// If there is no answer, another status, or an answer that is not what was asked for, or [`TooLong`].
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, i64)],
        most: usize,
    ) -> Result<Option<T>> {
        let mut request = self.client.get(self.below(path, query)?).header("accept", "application/json");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let failed = |error: reqwest::Error| {
            let why = format!("{:#}", anyhow::Error::new(error.without_url()));
            anyhow::Error::msg(harmless(&why, 200))
        };
        let mut response = request.send().await.map_err(failed)?;
        match response.status() {
            StatusCode::NOT_FOUND | StatusCode::NO_CONTENT => return Ok(None),
            status if status.is_redirection() => bail!("it redirects with {status}, which is not followed"),
            status if !status.is_success() => bail!("it answers {status}"),
            _ => {}
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > most {
                return Err(TooLong(most).into());
            }
            body.extend_from_slice(&piece);
        }
        let parsed = serde_json::from_slice(&body);
        // The library's message may quote the answer.
        parsed.map(Some).map_err(|error| {
            anyhow::anyhow!("its answer is not what was asked for: line {}, column {}", error.line(), error.column())
        })
    }

    /// A URL of this host, below the base.
    fn below(&self, path: &str, query: &[(&str, i64)]) -> Result<Url> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        if parts.iter().any(|part| part.is_empty() || *part == "." || *part == "..") {
            bail!("{} is not a path of a resource", harmless(path, 60));
        }
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(parts);
            if path.ends_with('/') {
                segments.push("");
            }
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query.iter().map(|(name, value)| (name, value.to_string())));
        }
        Ok(url)
    }
}

fn token(variable: &str) -> Result<String> {
    let token = secret(variable)?;
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("{variable} has characters that a token cannot have");
    }
    Ok(token)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_cannot_lead_elsewhere() {
        let settings = HttpSettings { url: "http://127.0.0.1:1/api".parse().unwrap(), token: None, unit: 1.0 };
        let source = HttpSource::new(&settings, Duration::from_secs(1)).unwrap();
        let below = |path: &str| source.below(path, &[("begin", 5)]).map(|url| url.to_string());
        assert_eq!(below("/a/xe-0:0/traffic").unwrap(), "http://127.0.0.1:1/api/a/xe-0:0/traffic?begin=5");
        assert_eq!(below("devices/").unwrap(), "http://127.0.0.1:1/api/devices/?begin=5");
        assert_eq!(below("a?b#c%2e/x").unwrap(), "http://127.0.0.1:1/api/a%3Fb%23c%252e/x?begin=5");
        for path in ["..", "a/../b", "a//b", "./a", "", "http://192.0.2.1/a"] {
            assert!(below(path).is_err(), "{path}");
        }
    }
}
