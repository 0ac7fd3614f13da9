//! Real servers, started on a loopback port for one test and stopped with it.

#[cfg(feature = "s3")]
pub mod answers;
pub mod https;
#[cfg(feature = "s3")]
pub mod moto;
#[cfg(feature = "s3")]
pub mod s3s;
pub mod sshd;

use std::path::PathBuf;

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
