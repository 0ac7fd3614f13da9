//! How an S3 service is spoken to, and how long it is waited for.

use std::pin::Pin;
use std::sync::Once;
use std::time::Duration;

use object_store::client::{
    ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use tokio::time::timeout;

/// How long a server is waited for. A deploy job that hangs blocks a customer.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For anything to happen on a connection.
    pub stall: Duration,
    /// For a request that fails to be tried again.
    pub retry: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), stall: seconds(30), retry: seconds(60) }
    }
}

/// The slowest connection that is put up with, in bytes a second.
const SLOWEST: u64 = 50_000;

impl Patience {
    /// For one request that carries so many bytes.
    pub(super) fn request(self, bytes: usize) -> Duration {
        self.stall + Duration::from_secs(u64::try_from(bytes).unwrap_or(u64::MAX) / SLOWEST)
    }

    /// For all the tries of it.
    pub(super) fn tries(self, bytes: usize) -> Duration {
        self.retry + 2 * self.request(bytes)
    }

    pub(super) fn retries(self) -> RetryConfig {
        let first = (self.retry / 600).max(Duration::from_millis(1));
        let backoff = BackoffConfig { init_backoff: first, max_backoff: self.retry / 4, base: 3. };
        RetryConfig { backoff, max_retries: 8, retry_timeout: self.retry }
    }
}

/// Makes the HTTP clients.
#[derive(Debug)]
pub(super) struct Connector {
    patience: Patience,
    /// The time for a connection to the bucket's service, as the library writes it.
    ours: Option<String>,
}

impl Connector {
    /// Speaks to the service for which these options are, and for its sake to others.
    pub fn new(patience: Patience, options: &ClientOptions) -> Self {
        Self { patience, ours: options.get_config_value(&ClientConfigKey::ConnectTimeout) }
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        install_cryptography();
        // Another time than ours is the library's own for the address at which a cloud's machines
        // ask who they are. Elsewhere nobody is there, and it must not be waited for long.
        let is_metadata = options.get_config_value(&ClientConfigKey::ConnectTimeout) != self.ours;
        let connect = if is_metadata { self.patience.connect / 10 } else { self.patience.connect };
        let allow_http = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let client = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("shapeline/", env!("CARGO_PKG_VERSION")))
                .https_only(!allow_http)
                // What is signed for one server is not for another.
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(connect)
                .tcp_keepalive(self.patience.stall / 3);
            #[cfg(target_os = "linux")]
            let builder = builder.tcp_user_timeout(self.patience.stall);
            builder
        };
        let built = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|error| object_store::Error::Generic { store: "S3", source: error.into() })
        };
        let reading = built(client().read_timeout(self.patience.stall))?;
        let writing = built(client())?;
        Ok(HttpClient::new(Patient { reading, writing, patience: self.patience }))
    }
}

/// One kind of cryptography for the process, chosen once: there is no default among them.
fn install_cryptography() {
    static ONCE: Once = Once::new();
    // Fails where somebody has chosen already, which is as good.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// An HTTP client that gives up on a server from which nothing comes.
#[derive(Debug)]
struct Patient {
    /// Gives up where nothing comes for a while.
    reading: reqwest::Client,
    /// Nothing comes while something is sent: the system gives up where nothing is taken.
    writing: reqwest::Client,
    patience: Patience,
}

impl HttpService for Patient {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let bytes = request.body().content_length();
            if bytes == 0 {
                let is_list = request.uri().query().is_some_and(|query| query.contains("list-type="));
                let answer = self.reading.call(request).await.map_err(final_if_distrusted)?;
                return if is_list && is_page(&answer) { Err(no_list()) } else { Ok(answer) };
            }
            let limit = self.patience.request(bytes);
            let answer = timeout(limit, self.writing.call(request)).await;
            answer.map(|answer| answer.map_err(final_if_distrusted)).unwrap_or_else(|_| {
                let late = std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {limit:?}"));
                Err(HttpError::new(HttpErrorKind::Timeout, late))
            })
        })
    }
}

/// A certificate is not trusted any sooner for being looked at again.
fn final_if_distrusted(error: HttpError) -> HttpError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(one) = cause {
        if one.to_string().contains("certificate") {
            return HttpError::new(HttpErrorKind::Unknown, error);
        }
        cause = one.source();
    }
    error
}

/// Whether a web page came back, as networks answer in which one must log in first.
fn is_page(answer: &HttpResponse) -> bool {
    let kind = answer.headers().get(reqwest::header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/html"))
}

/// The library would take a page for the list of an empty folder.
fn no_list() -> HttpError {
    let page = std::io::Error::new(std::io::ErrorKind::InvalidData, "a web page came back in place of a list");
    HttpError::new(HttpErrorKind::Decode, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_files_have_time_and_no_request_waits_for_ever() {
        let patience = Patience::default();
        assert_eq!(patience.request(0), Duration::from_secs(30));
        assert!(patience.request(1 << 30) > Duration::from_secs((1 << 30) / 50_000));
        assert!(patience.request(usize::MAX) < Duration::MAX);
        assert!(patience.tries(0) <= Duration::from_secs(120));
    }
}
