//! TLS by rustls, with the certificate and the key of two files, which can be read again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, Result, bail};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// The certificate and the key of a server, as they were last read.
pub(crate) struct TlsFront {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<CurrentPair>,
}

#[derive(Clone)]
struct CurrentPair {
    /// The certificate, and those that vouch for it.
    chain: Vec<CertificateDer<'static>>,
    acceptor: TlsAcceptor,
}

impl TlsFront {
    /// Reads both files.
    ///
    /// # Errors
    /// If they cannot be read, or do not belong together.
    pub(crate) fn open(certificate: &Path, key: &Path) -> Result<TlsFront> {
        let current = RwLock::new(CurrentPair::read(certificate, key)?);
        Ok(TlsFront { certificate: certificate.to_owned(), key: key.to_owned(), current })
    }

    /// Accepts a connection with the pair that was last read. Connections that are open keep theirs.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.current.read().unwrap_or_else(PoisonError::into_inner).acceptor.clone()
    }

    /// Reads both files again. Returns whether the certificate is another one.
    ///
    /// # Errors
    /// As of [`TlsFront::open`]; the pair that was read before stays.
    pub(crate) fn reload(&self) -> Result<bool> {
        let next = CurrentPair::read(&self.certificate, &self.key)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = current.chain != next.chain;
        *current = next;
        Ok(is_other)
    }

    /// The file of the certificate.
    pub(crate) fn certificate(&self) -> &Path {
        &self.certificate
    }
}

impl CurrentPair {
    fn read(certificate: &Path, key: &Path) -> Result<CurrentPair> {
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
        let mut config = config.with_no_client_auth().with_single_cert(chain.clone(), private).with_context(|| {
            format!("the key {} cannot be used with the certificate {}", key.display(), certificate.display())
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(CurrentPair { chain, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read the {what} {}", path.display());
    crate::disk::open::read(path, MAX_BYTES)
        .with_context(cannot)?
        .with_context(|| format!("{}: there is no such file", cannot()))
}
