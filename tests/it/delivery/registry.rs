//! A registry on a port of its own, which requires the password.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{command, run};

/// Who may push and pull.
pub(crate) const USER: &str = "robot";
/// Nothing that any output may hold.
pub(crate) const PASSWORD: &str = "correct horse $(id) 'battery";

/// A running registry; it ends with this value.
pub(crate) struct Registry {
    process: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
}

impl Registry {
    /// Starts one that keeps its data in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        let users = run(command("htpasswd").args(["-Bbn", USER, PASSWORD]));
        std::fs::write(folder.join("users"), users.trim_end().to_owned() + "\n").unwrap();
        // Another process may take the port before the registry does; then it is tried with another.
        for _ in 0..5 {
            if let Some(registry) = Self::try_start(folder) {
                return registry;
            }
        }
        panic!("the registry does not start: {}", std::fs::read_to_string(folder.join("log")).unwrap());
    }

    fn try_start(folder: &Path) -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (data, users) = (folder.join("registry"), folder.join("users"));
        let config = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {data:?}}}}}\n\
             http: {{addr: '{address}'}}\nauth: {{htpasswd: {{realm: test, path: {users:?}}}}}\n"
        );
        let file = folder.join("config.yml");
        std::fs::write(&file, config).unwrap();
        let log = File::create(folder.join("log")).unwrap();
        let mut process = command("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(60) && process.try_wait().unwrap().is_none() {
            if TcpStream::connect(&address).is_ok() {
                return Some(Self { process, address });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = process.kill();
        let _ = process.wait();
        None
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
