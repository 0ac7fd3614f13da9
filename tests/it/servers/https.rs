//! Files of a folder, and the git repositories below its `git`, over HTTPS.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// A running server; it ends with this value.
pub struct Https {
    child: Child,
    /// `https://127.0.0.1:PORT`.
    pub url: String,
    /// What a client has to trust.
    pub certificate: PathBuf,
}

impl Https {
    /// Starts one for `folder`, which gets its certificate, too. Needs python3, openssl and git.
    pub fn start(folder: &Path) -> Self {
        let (certificate, key) = certificate(folder);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/servers/serve_https.py");
        let (child, port) = super::on_a_port(Command::new("python3").arg(script).args([folder, &certificate, &key]));
        Self { child, url: format!("https://127.0.0.1:{port}"), certificate }
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a certificate for this host and its key in a folder.
pub fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"])
        .args(["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"])
        // rustls takes none of an authority.
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (certificate, key)
}
