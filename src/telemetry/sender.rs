//! Takes messages from the outbox to their sinks, in order. A sink that fails keeps its place, and does not hold up
//! the others.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use serde::Serialize;
use tokio::time::timeout;

use super::bus::settings::BusSettings;
use super::bus::{Bus, Delivery, Numbered};
use super::message::{Message, Topic};
use super::store::SampleStore;
use super::store::lease::Turn;
use super::store::outbox::OutboxRow;

/// The version of a line.
const VERSION: u32 = 1;

/// Rows of the outbox that are sent at once.
const ROWS: i64 = 20;

/// Numbers for the messages of a row.
const NUMBERS: i64 = 1000;

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    Stdout,
    File(PathBuf),
    Bus(Box<BusSettings>),
}

/// A sink, and how far it is.
pub(crate) struct Sender {
    sink: Sink,
    /// What the first row that is not complete has delivered: its id, and how many messages.
    part: (i64, usize),
    /// Messages that were delivered.
    delivered: usize,
    bus: Option<Bus>,
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
            Sink::Bus(_) => "rabbitmq",
        }
    }

    /// Whether messages are kept for it while it is away. Who looks at standard output sees what is there.
    fn lasts(&self) -> bool {
        *self != Sink::Stdout
    }
}

impl Sender {
    pub(crate) fn new(sink: Sink) -> Sender {
        let bus = match &sink {
            Sink::Bus(settings) => Some(Bus::new(settings.as_ref().clone())),
            Sink::Stdout | Sink::File(_) => None,
        };
        Sender { sink, part: (0, 0), delivered: 0, bus }
    }

    /// How many messages were delivered.
    pub(crate) fn delivered(&self) -> usize {
        self.delivered
    }

    /// The sink that it sends to.
    pub(crate) fn sink(&self) -> &Sink {
        &self.sink
    }

    /// Sends what the sink does not have yet, as long as it is this process that sends.
    ///
    /// # Errors
    /// If the sink or the store cannot be used. What was not sent is sent next time; what was sent without being noted
    /// is sent again, with the same ids.
    pub(crate) async fn send(&mut self, store: &SampleStore, sinks: &[&str], turn: &Turn) -> Result<Sent> {
        let mut sent = Sent::default();
        while turn.is_mine() {
            let rows = store.unsent(self.sink.name(), ROWS).await?;
            if rows.is_empty() {
                break;
            }
            let (complete, ended) = match &mut self.bus {
                Some(bus) => {
                    let Published { complete, part, delivery } = publish(bus, &rows, self.part).await;
                    self.part = part;
                    self.delivered += delivery.delivered;
                    sent.unroutable = delivery.unroutable.or(sent.unroutable);
                    (complete, delivery.failed.map_or(Ok(()), Err))
                }
                None => {
                    write(self.sink.clone(), &rows).await?;
                    (rows.last().map(|row| row.id), Ok(()))
                }
            };
            if let Some(id) = complete {
                store.sent(self.sink.name(), id, sinks).await?;
            }
            ended?;
            sent.any = true;
        }
        Ok(sent)
    }

    /// Ends a connection.
    pub(crate) async fn close(&mut self) {
        if let Some(bus) = &mut self.bus {
            bus.close().await;
        }
    }
}

/// What was sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) any: bool,
    /// A routing key of messages for which the broker has no queue.
    pub(crate) unroutable: Option<String>,
}

/// What became of rows.
struct Published {
    /// The last row of which all is delivered.
    complete: Option<i64>,
    /// The row after it, and how many of its messages are.
    part: (i64, usize),
    delivery: Delivery,
}

/// Publishes rows, but for what is delivered of the first.
async fn publish(bus: &mut Bus, rows: &[OutboxRow], part: (i64, usize)) -> Published {
    let numbered = |row: &OutboxRow, at: usize| row.id.saturating_mul(NUMBERS).saturating_add(at as i64);
    let skip = rows.first().filter(|row| row.id == part.0).map_or(0, |_| part.1);
    let all =
        rows.iter().flat_map(|row| (0..).zip(&row.messages).map(move |(at, message)| (numbered(row, at), message)));
    let messages: Vec<Numbered<'_>> =
        all.skip(skip).map(|(sequence, message)| Numbered { sequence, message }).collect();
    let delivery = bus.publish(&messages).await;
    let mut left = skip + delivery.delivered;
    let mut complete = None;
    for row in rows {
        if left < row.messages.len() {
            return Published { complete, part: (row.id, left), delivery };
        }
        left -= row.messages.len();
        complete = Some(row.id);
    }
    Published { complete, part: (0, 0), delivery }
}

/// Writes rows as lines.
async fn write(sink: Sink, rows: &[OutboxRow]) -> Result<()> {
    let mut lines = Vec::new();
    for message in rows.iter().flat_map(|row| &row.messages) {
        write_line(&mut lines, message)?;
    }
    tokio::task::spawn_blocking(move || deliver(&sink, &lines)).await?
}

fn deliver(sink: &Sink, lines: &[u8]) -> Result<()> {
    match sink {
        Sink::Stdout => {
            let mut out = crate::console::plain_out();
            out.write_all(lines).and_then(|()| out.flush()).context("cannot write to standard output")
        }
        Sink::File(path) => append(path, lines).with_context(|| format!("cannot write to {}", path.display())),
        Sink::Bus(_) => Ok(()),
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

/// Makes the sinks of a collector those for which messages are kept. Returns those that were, and are not any more.
///
/// # Errors
/// If the store cannot be used.
pub(crate) async fn keep_for(store: &SampleStore, sinks: &[Sink]) -> Result<Vec<String>> {
    let names: Vec<&str> = sinks.iter().filter(|sink| sink.lasts()).map(Sink::name).collect();
    store.keep_for(&names).await
}

/// Sends what waits, to each sink for `limit` at most. What became of each; nothing if another process sends. A
/// `collector`'s sinks are those for which messages are kept from now on.
///
/// # Errors
/// If the store cannot be used.
pub(crate) async fn send_once(
    store: &SampleStore,
    sinks: &[Sink],
    limit: Duration,
    collector: bool,
) -> Result<Vec<(String, Result<Sent>)>> {
    let turn = Turn::new(store)?;
    if sinks.is_empty() || store.outbox_depth().await? == 0 || !turn.take(limit).await? {
        return Ok(Vec::new());
    }
    if collector {
        keep_for(store, sinks).await?;
    }
    let names: Vec<&str> = sinks.iter().map(Sink::name).collect();
    let mut all = Vec::new();
    for sink in sinks {
        let mut sender = Sender::new(sink.clone());
        let sent = timeout(limit, turn.hold(sender.send(store, &names, &turn))).await;
        let late = || Err(anyhow!("not all is sent within {} s; the rest is sent next time", limit.as_secs()));
        all.push((sink.name().to_owned(), sent.unwrap_or_else(|_| late())));
        sender.close().await;
    }
    turn.give_back().await?;
    Ok(all)
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
