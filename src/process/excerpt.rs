//! Runs a command and keeps the beginning and the end of its output, however much it prints.

use std::convert::Infallible;
use std::io::{self, PipeReader, Read};
use std::ops::ControlFlow;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{ProcessGroup, ProgramEnding};
use crate::text::quote::harmless;
use crate::text::redact::redact;

/// How much of the output is kept, in bytes: half of it from the beginning, half from the end.
pub(crate) const MAX_OUTPUT: usize = 4096;

/// How much is gathered. The difference to what is kept is larger than any secret: a secret that is cut
/// at the edge could not be recognised.
const MAX_GATHERED: usize = 64 << 10;

/// How long to wait for the rest of the output once the command has ended: a process that it started in
/// the background may keep the pipe open for ever.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// Runs `command`, and kills its group after `limit`. Gives its exit status, `None` if it was killed, and
/// an excerpt of both outputs together, without secrets and control characters.
///
/// # Errors
/// If it cannot be started.
pub(crate) fn run(mut command: Command, limit: Duration) -> io::Result<(Option<ExitStatus>, String)> {
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let group = ProcessGroup::spawn(&mut command)?;
    // It has the writing end of the pipe.
    drop(command);
    let follower = Follower::follow(reader);
    let ending = group.wait(limit, |pause| {
        std::thread::sleep(pause);
        Ok(ControlFlow::<Infallible>::Continue(()))
    })?;
    let status = match ending {
        ProgramEnding::Exited(status) => Some(status),
        ProgramEnding::TimedOut => None,
        ProgramEnding::Stopped(never) => match never {},
    };
    Ok((status, follower.text()))
}

/// The beginning and the end of the output, gathered while the command runs.
struct Follower {
    gathered: Arc<Mutex<Gathered>>,
    reader: std::thread::JoinHandle<()>,
}

#[derive(Default)]
struct Gathered {
    first: Vec<u8>,
    last: Vec<u8>,
    dropped: bool,
}

impl Follower {
    fn follow(mut pipe: PipeReader) -> Follower {
        let gathered = Arc::new(Mutex::new(Gathered::default()));
        let into = gathered.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                let Ok(mut gathered) = into.lock() else { break };
                gathered.add(&buffer[..count]);
            }
        });
        Follower { gathered, reader }
    }

    fn text(self) -> String {
        let began = Instant::now();
        while !self.reader.is_finished() && began.elapsed() < LAST_OUTPUT {
            std::thread::sleep(Duration::from_millis(1));
        }
        let Ok(gathered) = self.gathered.lock() else { return String::new() };
        if !gathered.dropped {
            let all = clean(&[gathered.first.as_slice(), &gathered.last].concat());
            let long = all.len() > MAX_OUTPUT;
            return if long { format!("{}\n[...]\n{}", beginning(&all), end(&all)) } else { all };
        }
        format!("{}\n[...]\n{}", beginning(&clean(&gathered.first)), end(&clean(&gathered.last)))
    }
}

/// Without secrets, and without anything that steers a terminal.
fn clean(bytes: &[u8]) -> String {
    let text = redact(&String::from_utf8_lossy(bytes));
    text.lines().map(|line| harmless(line, MAX_GATHERED)).collect::<Vec<String>>().join("\n")
}

fn beginning(text: &str) -> &str {
    (0..=MAX_OUTPUT / 2).rev().find_map(|at| text.get(..at)).unwrap_or(text)
}

fn end(text: &str) -> &str {
    (text.len().saturating_sub(MAX_OUTPUT / 2)..=text.len()).find_map(|at| text.get(at..)).unwrap_or(text)
}

impl Gathered {
    fn add(&mut self, bytes: &[u8]) {
        let half = MAX_GATHERED / 2;
        let room = half - self.first.len().min(half);
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.first.extend_from_slice(first);
        self.last.extend_from_slice(rest);
        if self.last.len() > half {
            self.last.drain(..self.last.len() - half);
            self.dropped = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_at_the_edge_of_the_cut_is_no_secret_cut_in_half() {
        // More is gathered than is kept, and redacted before it is cut.
        let mut gathered = Gathered::default();
        let mut text = vec![b'x'; MAX_OUTPUT / 2 - 5];
        text.extend_from_slice(b"0123456789");
        text.resize(10 * MAX_GATHERED, b'y');
        for piece in text.chunks(999) {
            gathered.add(piece);
        }
        assert!(String::from_utf8_lossy(&gathered.first).contains("0123456789"), "what is cut is gathered whole");
        assert!(gathered.dropped && gathered.last.len() <= MAX_GATHERED);
    }
}
