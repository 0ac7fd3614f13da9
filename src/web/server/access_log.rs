//! A line on standard output for each request, written by a thread of its own.
//!
//! A line has no query string, no header and no body: secrets are there if anywhere.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::records::moment::Moment;
use crate::text::quote::harmless;

/// How many lines wait to be written. More are counted, not kept: a slow disk must not slow the requests.
const MAX_WAITING: usize = 16_384;

/// How long lines are gathered before they are written.
const PAUSE: Duration = Duration::from_millis(20);

/// The longest path that is logged, in characters.
const MAX_PATH: usize = 200;

/// What is logged of a request.
pub(crate) struct AccessEntry<'e> {
    pub(crate) client: IpAddr,
    pub(crate) method: &'e str,
    pub(crate) path: &'e str,
    pub(crate) status: u16,
    pub(crate) took: Duration,
    /// The name of the client's token.
    pub(crate) token: Option<&'e str>,
}

/// The access log.
pub(crate) struct AccessLog {
    lines: SyncSender<String>,
    lost: AtomicU64,
}

impl AccessLog {
    /// Starts the thread that writes, until the log is dropped.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start() -> Result<(AccessLog, std::thread::JoinHandle<()>)> {
        let (lines, waiting) = sync_channel(MAX_WAITING);
        let thread = std::thread::Builder::new().name("access-log".to_owned());
        let thread = thread.spawn(move || write(&waiting)).context("cannot start a thread")?;
        Ok((AccessLog { lines, lost: AtomicU64::new(0) }, thread))
    }

    /// Logs a request.
    pub(crate) fn log(&self, entry: &AccessEntry<'_>) {
        let mut line = line(entry);
        let lost = self.lost.load(Ordering::Relaxed);
        if lost > 0 {
            let _ = write!(line, " ({lost} requests before it are not logged)");
        }
        line.push('\n');
        match self.lines.try_send(line) {
            Ok(()) => drop(self.lost.fetch_sub(lost, Ordering::Relaxed)),
            Err(_) => drop(self.lost.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

fn line(entry: &AccessEntry<'_>) -> String {
    let AccessEntry { client, method, path, status, took, token } = entry;
    let (path, method) = (printable(path, MAX_PATH), printable(method, 20));
    let token = token.map_or_else(|| "-".to_owned(), |token| printable(token, 100));
    let took = took.as_secs_f64() * 1000.0;
    format!("{} {client} {token} {method} {path} {status} {took:.1}ms", Moment::now())
}

/// A value as one word: a space in it would add a column.
fn printable(text: &str, longest: usize) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'`' && byte != b'[';
    if text.len() <= longest && !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    harmless(text, longest).replace(char::is_whitespace, "_")
}

fn write(waiting: &Receiver<String>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = first;
        // While this thread does not wait for lines, to send one wakes nobody: that costs more than all else here.
        std::thread::sleep(PAUSE);
        while let Some(next) = waiting.try_recv().ok().filter(|_| batch.len() < 1 << 20) {
            batch.push_str(&next);
        }
        // A closed standard output does not stop the work.
        let mut out = crate::console::plain_out();
        let _ = out.write_all(batch.as_bytes()).and_then(|()| out.flush());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_request_adds_a_line_or_a_column() {
        let entry = AccessEntry {
            client: "192.0.2.1".parse().unwrap(),
            method: "GET",
            path: "/v1/\u{1b}[2J\n200 ok\u{202e}",
            status: 404,
            took: Duration::from_micros(1234),
            token: Some("noc desk"),
        };
        let line = line(&entry);
        let columns: Vec<&str> = line.split(' ').collect();
        assert_eq!(columns[1..], ["192.0.2.1", "noc_desk", "GET", "/v1/\\u{1b}[2J\\n200_ok\\u{202e}", "404", "1.2ms"]);
        assert_eq!(printable(&"x".repeat(10_000), MAX_PATH).chars().count(), MAX_PATH + 1);
    }
}
