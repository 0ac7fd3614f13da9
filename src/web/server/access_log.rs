//! A line on standard output for each request, written by a thread of its own.
//!
//! A line has no query string, no header and no body: secrets are there if anywhere.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::http::{Method, StatusCode, Uri};

use crate::records::moment::Moment;
use crate::text::quote::harmless;

/// How many lines wait to be written. More are counted, not kept: a slow disk must not slow the requests.
const MAX_WAITING: usize = 16_384;

/// How long lines are gathered before they are written.
const PAUSE: Duration = Duration::from_millis(20);

/// The longest path that is logged, in characters.
const MAX_PATH: usize = 200;

/// What is logged of a request.
pub(crate) struct AccessEntry {
    pub(crate) client: IpAddr,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) status: StatusCode,
    /// When the answer began.
    pub(crate) time: Moment,
    pub(crate) took: Duration,
    /// The name of the client's token.
    pub(crate) token: Option<Arc<str>>,
}

/// The access log.
pub(crate) struct AccessLog {
    entries: SyncSender<(AccessEntry, u64)>,
    lost: AtomicU64,
}

impl AccessLog {
    /// Starts the thread that writes, until the log is dropped.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start() -> Result<(AccessLog, std::thread::JoinHandle<()>)> {
        let (entries, waiting) = sync_channel(MAX_WAITING);
        let thread = std::thread::Builder::new().name("access-log".to_owned());
        let thread = thread.spawn(move || write(&waiting)).context("cannot start a thread")?;
        Ok((AccessLog { entries, lost: AtomicU64::new(0) }, thread))
    }

    /// Logs a request.
    pub(crate) fn log(&self, entry: AccessEntry) {
        let lost = self.lost.load(Ordering::Relaxed);
        match self.entries.try_send((entry, lost)) {
            Ok(()) if lost == 0 => {}
            Ok(()) => drop(self.lost.fetch_sub(lost, Ordering::Relaxed)),
            Err(_) => drop(self.lost.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// The lines of the log.
#[derive(Default)]
struct Lines {
    text: String,
    /// The last moment, as text: most lines have the same as the one before.
    moment: Option<(Moment, String)>,
}

impl Lines {
    fn add(&mut self, entry: &AccessEntry, lost: u64) {
        let AccessEntry { client, method, uri, status, time, took, token } = entry;
        if self.moment.as_ref().is_none_or(|(last, _)| last != time) {
            self.moment = Some((*time, time.to_string()));
        }
        let moment = self.moment.as_ref().map_or("", |(_, text)| text);
        let (token, method) = (printable(token.as_deref().unwrap_or("-"), 100), printable(method.as_str(), 20));
        let (path, tenths) = (printable(uri.path(), MAX_PATH), (took.as_micros() + 50) / 100);
        let (whole, tenth) = (tenths / 10, tenths % 10);
        let status = status.as_str();
        let _ = write!(self.text, "{moment} {client} {token} {method} {path} {status} {whole}.{tenth}ms");
        if lost > 0 {
            let _ = write!(self.text, " ({lost} requests before it are not logged)");
        }
        self.text.push('\n');
    }
}

/// A value as one word: a space in it would add a column.
fn printable(text: &str, longest: usize) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'`' && byte != b'[';
    if text.len() <= longest && !text.is_empty() && text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(harmless(text, longest).replace(char::is_whitespace, "_"))
}

fn write(waiting: &Receiver<(AccessEntry, u64)>) {
    let mut lines = Lines::default();
    while let Ok((first, lost)) = waiting.recv() {
        lines.add(&first, lost);
        // While this thread does not wait for entries, to send one wakes nobody: that costs more than all else here.
        std::thread::sleep(PAUSE);
        while let Some((next, lost)) = waiting.try_recv().ok().filter(|_| lines.text.len() < 1 << 20) {
            lines.add(&next, lost);
        }
        // A closed standard output does not stop the work.
        let mut out = crate::console::plain_out();
        let _ = out.write_all(lines.text.as_bytes()).and_then(|()| out.flush());
        lines.text.clear();
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
            method: Method::GET,
            uri: "/v1/20\u{202e}0?token=secret".parse().unwrap(),
            status: StatusCode::NOT_FOUND,
            time: Moment::now(),
            took: Duration::from_micros(1251),
            token: Some("noc desk".into()),
        };
        let mut lines = Lines::default();
        lines.add(&entry, 0);
        lines.add(&entry, 7);
        let (first, second) = lines.text.split_once('\n').unwrap();
        let columns: Vec<&str> = first.split(' ').collect();
        assert_eq!(columns[1..], ["192.0.2.1", "noc_desk", "GET", "/v1/20\\u{202e}0", "404", "1.3ms"]);
        assert_eq!(second, format!("{first} (7 requests before it are not logged)\n"));
        assert_eq!(printable("/v1/\u{1b}[2J\n200 ok", MAX_PATH), "/v1/\\u{1b}[2J\\n200_ok");
        assert_eq!(printable(&"x".repeat(10_000), MAX_PATH).chars().count(), MAX_PATH + 1);
    }
}
