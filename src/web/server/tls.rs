//! TLS by rustls, with the certificate and the key of two files.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// Accepts TLS connections with this certificate and its key.
///
/// # Errors
/// If they cannot be read, or do not belong together.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let chain = read(certificate, "certificate")?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} is no certificate in PEM", certificate.display()))?;
    if chain.is_empty() {
        bail!("{} has no certificate: it must begin with -----BEGIN CERTIFICATE-----", certificate.display());
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key, "key")?)
        .map_err(|_| anyhow::anyhow!("{} has no private key in PEM that can be read", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_single_cert(chain, private).with_context(|| {
        format!("the key {} cannot be used with the certificate {}", key.display(), certificate.display())
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read the {what} {}", path.display());
    crate::disk::open::read(path, MAX_BYTES)
        .with_context(cannot)?
        .with_context(|| format!("{}: there is no such file", cannot()))
}
