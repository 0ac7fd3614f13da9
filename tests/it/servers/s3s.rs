//! s3s-fs, which checks signatures.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::moto::{KEY, SECRET};

/// A service with one empty bucket, `shaper`, and one key.
pub struct S3s {
    child: Child,
    endpoint: String,
    _root: tempfile::TempDir,
}

impl S3s {
    /// Starts one, or says that it is not installed.
    pub fn start() -> Option<S3s> {
        let program = super::tool("bin/s3s-fs", "scripts/test-tools-s3")?;
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("shaper")).unwrap();
        let mut child = Command::new(program)
            .args(["--host", "127.0.0.1", "--port", "0", "--access-key", KEY, "--secret-key", SECRET])
            .arg(root.path())
            .env("RUST_LOG", "s3s_fs=info")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let endpoint = lines
            .by_ref()
            .find_map(|line| {
                let line = line.unwrap();
                let (_, rest) = line.split_once("running at ")?;
                Some(rest.trim_end_matches(|c: char| !c.is_ascii_digit()).to_owned())
            })
            .expect("it says where it is");
        // Read on, so that it is never kept waiting to say more.
        std::thread::spawn(move || lines.count());
        Some(S3s { child, endpoint, _root: root })
    }

    /// Where it is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for S3s {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
