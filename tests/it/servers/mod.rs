//! Real servers, started on a loopback port for one test and stopped with it.

#[cfg(feature = "s3")]
pub mod answers;
pub mod https;
#[cfg(feature = "s3")]
pub mod moto;
#[cfg(feature = "serve")]
pub mod nginx;
#[cfg(feature = "serve")]
pub mod postgres;
#[cfg(feature = "telemetry")]
pub mod rabbitmq;
#[cfg(feature = "s3")]
pub mod s3s;
#[cfg(feature = "telemetry")]
pub mod snmpd;
pub mod sshd;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Starts a server that prints its port on a line, and ends with its standard input.
fn on_a_port(server: &mut Command) -> (Child, String) {
    let mut child = server.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    assert_ne!(port, "", "the server did not start: {server:?}");
    (child, port.trim().to_owned())
}

/// A program that `script` installs, under target/tools. Without it a test has nothing to run
/// against: it says so, and on a build server it fails.
pub fn tool(path: &str, script: &str) -> Option<PathBuf> {
    let tool = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools").join(path);
    if tool.exists() {
        return Some(tool);
    }
    crate::support::left_out(&format!("{} is not there: run {script}", tool.display()));
    None
}
