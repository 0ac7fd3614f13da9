//! How an S3 service is spoken to, and how long it is waited for.

use std::pin::Pin;
use std::sync::Once;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use object_store::client::{
    ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use tokio::time::{Instant, timeout, timeout_at};

use crate::store::contract::MAX_BYTES;

/// How long a server is waited for. A deploy job that hangs blocks a customer.
#[derive(Clone, Copy, Debug)]
pub struct HttpPatience {
    /// For a connection.
    pub connect: Duration,
    /// For an answer to begin, and for it to fall behind 50 kB/s.
    pub stall: Duration,
    /// For a request that fails to be tried again.
    pub retry: Duration,
}

impl Default for HttpPatience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), stall: seconds(30), retry: seconds(60) }
    }
}

/// The slowest connection that is put up with, in bytes a second.
const SLOWEST: u64 = 50_000;

impl HttpPatience {
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
    patience: HttpPatience,
    /// The time for a connection to the bucket's service, as the library writes it.
    ours: Option<String>,
}

impl Connector {
    /// Speaks to the service for which these options are, and for its sake to others.
    pub fn new(patience: HttpPatience, options: &ClientOptions) -> Self {
        Self { patience, ours: options.get_config_value(&ClientConfigKey::ConnectTimeout) }
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        install_cryptography();
        // Another time than ours is the library's own for the address at which a cloud's machines
        // ask who they are. Elsewhere there is no such service: the wait must be short.
        let is_metadata = options.get_config_value(&ClientConfigKey::ConnectTimeout) != self.ours;
        let connect = if is_metadata { self.patience.connect / 10 } else { self.patience.connect };
        let allow_http = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let builder = reqwest::Client::builder()
            .user_agent(concat!("shapeline/", env!("CARGO_PKG_VERSION")))
            .https_only(!allow_http)
            // What is signed for one server is not for another.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(connect)
            .tcp_keepalive(self.patience.stall / 3);
        #[cfg(target_os = "linux")]
        let builder = builder.tcp_user_timeout(self.patience.stall);
        let client = builder.build();
        let client = client.map_err(|error| object_store::Error::Generic { store: "S3", source: error.into() })?;
        Ok(HttpClient::new(BoundedClient { client, patience: self.patience }))
    }
}

/// One kind of cryptography for the process, chosen once: there is no default among them.
pub(crate) fn install_cryptography() {
    static ONCE: Once = Once::new();
    // Fails where one is chosen already, which is as good.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// An HTTP client that bounds what a server can cost: the time until it answers, the size of the
/// answer, and how slowly that may come. The library reads an answer whole, and reserves as much
/// memory as the server announces; so the answer is read here first.
#[derive(Debug)]
struct BoundedClient {
    client: reqwest::Client,
    patience: HttpPatience,
}

impl HttpService for BoundedClient {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let kind = RequestKind::of(&request);
            let limit = self.patience.request(request.body().content_length());
            let answer = timeout(limit, self.client.call(request)).await;
            let answer = answer.map_err(|_| too_slow(format!("no answer within {limit:?}")))?;
            let (head, body) = answer.map_err(final_if_distrusted)?.into_parts();
            if kind == RequestKind::List && is_page(&head.headers) {
                return Err(refused("a web page came back in place of a list"));
            }
            let most = if head.status.is_success() { kind.most() } else { SMALL };
            let announced = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
            // The answer to a question for the head announces what does not come.
            if kind != RequestKind::Head && announced.is_some_and(|length: u64| length > most) {
                return Err(too_large(most));
            }
            let body = read_body(body, most, self.patience.stall).await?;
            Ok(HttpResponse::from_parts(head, body.into()))
        })
    }
}

/// The largest answer that is neither a file nor a list.
const SMALL: u64 = 1 << 20;

/// The largest page of a list. A thousand keys, as many as there can be, are at most 6 MiB.
const PAGE: u64 = 16 << 20;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RequestKind {
    File,
    List,
    Head,
    Other,
}

impl RequestKind {
    fn of(request: &HttpRequest) -> RequestKind {
        let is_list = request.uri().query().is_some_and(|query| query.contains("list-type="));
        // What gives out credentials is asked without.
        let is_signed = request.headers().contains_key("x-amz-content-sha256");
        match request.method().as_str() {
            "HEAD" => RequestKind::Head,
            "GET" if is_list => RequestKind::List,
            "GET" if is_signed => RequestKind::File,
            _ => RequestKind::Other,
        }
    }

    /// How large a good answer may be.
    fn most(self) -> u64 {
        match self {
            RequestKind::File => MAX_BYTES as u64,
            RequestKind::List => PAGE,
            RequestKind::Head | RequestKind::Other => SMALL,
        }
    }
}

/// All of a body, if it is no larger than `most` and never falls behind [`SLOWEST`] by more than
/// `stall`.
async fn read_body(body: HttpResponseBody, most: u64, stall: Duration) -> Result<Bytes, HttpError> {
    let began = Instant::now();
    let mut pieces = body.bytes_stream();
    let (mut first, mut bytes) = (Bytes::new(), BytesMut::new());
    let mut received = 0;
    loop {
        let limit = stall + Duration::from_secs(received / SLOWEST);
        let next = timeout_at(began + limit, pieces.next()).await;
        let next = next.map_err(|_| too_slow(format!("only {received} bytes of its answer came in {limit:?}")))?;
        let Some(piece) = next else { break };
        let piece = piece.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))?;
        received += piece.len() as u64;
        if received > most {
            return Err(too_large(most));
        }
        if received == piece.len() as u64 {
            first = piece;
            continue;
        }
        if bytes.is_empty() {
            bytes.extend_from_slice(&std::mem::take(&mut first));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(if bytes.is_empty() { first } else { bytes.freeze() })
}

fn too_slow(why: String) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, std::io::Error::new(std::io::ErrorKind::TimedOut, why))
}

fn too_large(most: u64) -> HttpError {
    refused(&format!("it is larger than {} MiB", most >> 20))
}

/// Not tried again: it would be as large, or as wrong, as before.
fn refused(why: &str) -> HttpError {
    HttpError::new(HttpErrorKind::Decode, std::io::Error::new(std::io::ErrorKind::InvalidData, why))
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

/// Whether a web page came back, as networks answer in which one must log in first. The library
/// would take it for the list of an empty folder.
fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_files_have_time_and_no_request_waits_for_ever() {
        let patience = HttpPatience::default();
        assert_eq!(patience.request(0), Duration::from_secs(30));
        assert!(patience.request(1 << 30) > Duration::from_secs((1 << 30) / 50_000));
        assert!(patience.request(usize::MAX) < Duration::MAX);
        assert!(patience.tries(0) <= Duration::from_secs(120));
    }
}
