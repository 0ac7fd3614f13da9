//! Takes messages from the outbox to their sinks, in order. A sink that fails keeps its place, and does not hold up
//! the others.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use super::message::{Message, Topic};
use super::store::SampleStore;

/// The version of a line.
const VERSION: u32 = 1;

/// Rows of the outbox that are sent at once.
const ROWS: i64 = 20;

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    Stdout,
    File(PathBuf),
}

/// A message as a line of JSON.
#[derive(Serialize)]
struct Line<'m> {
    version: u32,
    id: &'m str,
    topic: Topic,
    message: &'m serde_json::Value,
}

impl Sink {
    /// The name by which the store remembers what it has.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Sink::Stdout => "stdout",
            Sink::File(_) => "file",
        }
    }

    fn deliver(&self, lines: &[u8]) -> Result<()> {
        match self {
            Sink::Stdout => {
                let mut out = crate::console::plain_out();
                out.write_all(lines).and_then(|()| out.flush()).context("cannot write to standard output")
            }
            Sink::File(path) => append(path, lines).with_context(|| format!("cannot write to {}", path.display())),
        }
    }
}

/// Appends whole lines to a file, which is opened anew each time: it may have been rotated.
fn append(path: &Path, lines: &[u8]) -> Result<()> {
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        bail!("it is not a regular file");
    }
    let mut options = File::options();
    let mut file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
    let length = file.metadata()?.len();
    if length > 0 {
        let mut last = [0];
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
        // The line that a crash cut off is no part of the next one.
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
    }
    file.write_all(lines)?;
    Ok(file.sync_data()?)
}

/// Sends what a sink does not have yet. Returns how many messages.
///
/// # Errors
/// If the sink or the store cannot be used. What was not sent is sent next time; what was sent without being noted
/// is sent again, with the same ids.
pub(crate) async fn send(store: &SampleStore, sink: &Sink, sinks: &[Sink]) -> Result<usize> {
    let names: Vec<&str> = sinks.iter().map(Sink::name).collect();
    let mut sent = 0;
    loop {
        let rows = store.unsent(sink.name(), ROWS).await?;
        let Some(last) = rows.last() else { return Ok(sent) };
        let mut lines = Vec::new();
        for message in rows.iter().flat_map(|row| &row.messages) {
            write_line(&mut lines, message)?;
            sent += 1;
        }
        let (to, id) = (sink.clone(), last.id);
        tokio::task::spawn_blocking(move || to.deliver(&lines)).await??;
        store.sent(sink.name(), id, &names).await?;
    }
}

fn write_line(lines: &mut Vec<u8>, message: &Message) -> Result<()> {
    let line = Line { version: VERSION, id: &message.id, topic: message.topic, message: &message.body };
    serde_json::to_writer(&mut *lines, &line)?;
    lines.push(b'\n');
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_stays_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("messages.jsonl");
        append(&path, b"one\n").unwrap();
        File::options().append(true).open(&path).unwrap().write_all(b"tw").unwrap();
        append(&path, b"two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntw\ntwo\n");
        assert!(append(folder.path(), b"x\n").is_err());
    }
}
