//! The connection below AMQP: TCP, or TLS that is verified with the certificates of the system.
//!
//! lapin takes the stream from its reactor, so this is tokio's reactor with another type of stream.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use async_compat::CompatExt as _;
use async_rs::Tokio;
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::Stream;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::settings::BusSettings;

/// TCP or TLS.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// tokio's reactor.
#[derive(Clone, Debug)]
pub(super) struct Network(Tokio);

/// What lapin runs on.
pub(super) type Kit = RuntimeParts<Tokio, Network>;

/// The runtime that this is called in, for lapin.
pub(super) fn kit() -> Kit {
    RuntimeParts::new(Tokio::current(), Network(Tokio::current()))
}

impl Reactor for Network {
    type TcpStream = Box<dyn Duplex>;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let connect = self.0.tcp_connect_addr(address);
        async move { Ok(Box::new(connect.await?) as Box<dyn Duplex>) }
    }
}

/// Ends a connection when it is dropped. A thread of lapin waits on it, which a broker that never answers would
/// keep for ever.
pub(super) struct Hangup(OwnedFd);

impl Drop for Hangup {
    fn drop(&mut self) {
        // Fails if the broker was faster.
        let _ = rustix::net::shutdown(&self.0, rustix::net::Shutdown::Both);
    }
}

/// Connects to the broker.
///
/// # Errors
/// If it cannot be reached, or its certificate cannot be verified.
pub(super) async fn dial(settings: &BusSettings) -> Result<(Box<dyn Duplex>, Hangup)> {
    let host = settings.host.as_str();
    let tcp = TcpStream::connect((host, settings.port)).await.context("cannot connect")?;
    tcp.set_nodelay(true)?;
    let hangup = Hangup(tcp.as_fd().try_clone_to_owned()?);
    if !settings.tls {
        return Ok((Box::new(tcp.compat()), hangup));
    }
    let name = ServerName::try_from(host.to_owned()).context("`host` is no name for a certificate")?;
    let tls = TlsConnector::from(verifying()?).connect(name, tcp).await.context("TLS fails")?;
    Ok((Box::new(tls.compat()), hangup))
}

/// TLS with the certificates of the system, or those that SSL_CERT_FILE names.
fn verifying() -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let (known, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    anyhow::ensure!(known > 0, "the system has no certificates to verify others with: install ca-certificates");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
