//! moto, which honours conditional writes and accepts any key.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};

/// A service with one empty bucket.
pub struct Moto {
    child: Child,
    endpoint: String,
}

impl Moto {
    /// Starts one, or says that it is not installed.
    pub fn start() -> Option<Moto> {
        let moto = Self::start_with(&[])?;
        moto.ask("PUT", &format!("/{}", moto.bucket()), "");
        Some(moto)
    }

    /// Starts one that speaks TLS, with the certificate and its key in these files.
    pub fn start_tls(certificate: &Path, key: &Path) -> Option<Moto> {
        let mut moto = Self::start_with(&[certificate.to_str().unwrap(), key.to_str().unwrap()])?;
        moto.endpoint = moto.endpoint.replace("http://", "https://");
        Some(moto)
    }

    fn start_with(args: &[&str]) -> Option<Moto> {
        let python = super::tool("moto/bin/python", "scripts/test-tools-s3")?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/servers/serve_moto.py");
        let (child, port) = super::on_a_port(Command::new(python).arg(script).args(args));
        Some(Moto { child, endpoint: format!("http://127.0.0.1:{port}") })
    }

    /// Asks for something in the plainest way, past the code that is tested.
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let address = self.endpoint.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
        answer
    }

    /// Puts a file into the bucket.
    pub fn put(&self, key: &str, text: &str) {
        self.ask("PUT", &format!("/{}/{key}", self.bucket()), text);
    }

    /// The first thousand keys in the bucket.
    pub fn keys(&self) -> Vec<String> {
        let answer = self.ask("GET", &format!("/{}?list-type=2", self.bucket()), "");
        answer.split("<Key>").skip(1).map(|rest| rest.split_once("</Key>").unwrap().0.to_owned()).collect()
    }

    /// Where it is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its bucket.
    pub fn bucket(&self) -> &'static str {
        "shaper"
    }

    /// What a process needs in its environment to use it.
    pub fn environment(&self) -> BTreeMap<String, String> {
        environment(&[
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ])
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A key made up for the tests.
pub const KEY: &str = "test-key";

/// Its secret.
pub const SECRET: &str = "a-secret-that-is-never-shown";

/// Variables by name.
pub fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
