//! The check and reload commands of a target: run without a shell, for so long and no longer, with
//! what they say kept in the log.

use std::io::{PipeReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::records::command::CommandRecord;
use crate::text::quote::harmless;

/// The most of a command's output that is kept: half of its beginning, half of its end.
const MOST_OUTPUT: usize = 4096;

/// The most that is gathered. More than is kept, and by more than a secret is long: a secret that is
/// cut at the edge would not be known as one.
const MOST_GATHERED: usize = 64 << 10;

/// How long one waits for the rest of the output once the command has ended: something that it
/// started in the background may hold the pipe for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Runs a command. `{file}` in an argument is replaced by `file`.
///
/// # Errors
/// If it cannot be started.
pub fn run(words: &[String], file: &str, limit: Duration) -> Result<CommandRecord> {
    let (program, arguments) = words.split_first().context("the command is empty")?;
    let cannot = || format!("cannot run `{}`", harmless(program, 120));
    let (reader, writer) = std::io::pipe().with_context(cannot)?;
    let mut command = Command::new(program.replace("{file}", file));
    command.args(arguments.iter().map(|word| word.replace("{file}", file)));
    command.stdin(Stdio::null()).stdout(writer.try_clone().with_context(cannot)?).stderr(writer);
    // A group of its own: what the command starts is ended with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().with_context(cannot)?;
    // It holds the writing end of the pipe.
    drop(command);
    let output = CommandOutput::follow(reader);
    let ended = wait(&mut child, limit).with_context(cannot)?;
    let (ended, ok) = match ended {
        Some(status) => (how(status), status.success()),
        None => (format!("no answer in {} s", limit.as_secs()), false),
    };
    Ok(CommandRecord { command: words.to_vec(), ended, ok, output: output.text() })
}

/// How the child ended; nothing if it had to be stopped.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<std::process::ExitStatus>> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if began.elapsed() >= limit {
            kill_group(child);
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(unix)]
fn kill_group(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself meanwhile.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_group(_: &Child) {}

fn how(status: std::process::ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.code().map_or_else(|| "no exit code".to_owned(), |code| format!("exit {code}"))
}

/// The beginning and the end of what a command says, gathered while it runs.
struct CommandOutput {
    gathered: Arc<Mutex<Gathered>>,
    reader: std::thread::JoinHandle<()>,
}

#[derive(Default)]
struct Gathered {
    first: Vec<u8>,
    last: Vec<u8>,
    dropped: bool,
}

impl CommandOutput {
    fn follow(mut pipe: PipeReader) -> CommandOutput {
        let gathered = Arc::new(Mutex::new(Gathered::default()));
        let into = gathered.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                let Ok(mut gathered) = into.lock() else { break };
                gathered.add(&buffer[..count]);
            }
        });
        CommandOutput { gathered, reader }
    }

    fn text(self) -> String {
        let began = Instant::now();
        while !self.reader.is_finished() && began.elapsed() < LAST_WORDS {
            std::thread::sleep(Duration::from_millis(1));
        }
        let Ok(gathered) = self.gathered.lock() else { return String::new() };
        if !gathered.dropped {
            let all = clean(&[gathered.first.as_slice(), &gathered.last].concat());
            let long = all.len() > MOST_OUTPUT;
            return if long { format!("{}\n[...]\n{}", beginning(&all), end(&all)) } else { all };
        }
        format!("{}\n[...]\n{}", beginning(&clean(&gathered.first)), end(&clean(&gathered.last)))
    }
}

/// Without secrets, and without anything that steers a terminal.
fn clean(bytes: &[u8]) -> String {
    let text = crate::text::redact::redact(&String::from_utf8_lossy(bytes));
    text.lines().map(|line| harmless(line, MOST_GATHERED)).collect::<Vec<String>>().join("\n")
}

fn beginning(text: &str) -> &str {
    (0..=MOST_OUTPUT / 2).rev().find_map(|at| text.get(..at)).unwrap_or(text)
}

fn end(text: &str) -> &str {
    (text.len().saturating_sub(MOST_OUTPUT / 2)..=text.len()).find_map(|at| text.get(at..)).unwrap_or(text)
}

impl Gathered {
    fn add(&mut self, bytes: &[u8]) {
        let half = MOST_GATHERED / 2;
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> CommandRecord {
        run(&["sh".to_owned(), "-c".to_owned(), script.to_owned(), "{file}".to_owned()], "/a b;c", limit).unwrap()
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn the_end_and_both_outputs_are_kept() {
        let record = sh("echo out; echo err >&2; exit 3", LONG);
        assert_eq!((record.ended.as_str(), record.ok, record.output.as_str()), ("exit 3", false, "out\nerr"));
        assert!(record.sentence().ends_with("ended with exit 3: err"), "{}", record.sentence());
        assert!(sh("true", LONG).ok);
        assert_eq!(sh("kill -TERM $$", LONG).ended, "signal 15");
    }

    #[test]
    fn the_file_is_one_argument_whatever_its_name() {
        assert_eq!(sh("echo \"$0\"", LONG).output, "/a b;c");
    }

    #[test]
    fn nothing_steers_the_terminal_and_much_is_cut() {
        assert!(!sh("printf '\\033[31mred'", LONG).output.contains('\u{1b}'));
        let long = sh("echo begin; yes | head -c 1000000; echo end", LONG);
        assert!(long.ok && long.output.len() < 2 * MOST_OUTPUT, "{}", long.output.len());
        assert!(long.output.starts_with("begin") && long.output.ends_with("end") && long.output.contains("[...]"));
    }

    #[test]
    fn a_secret_at_the_edge_of_the_cut_is_no_secret_cut_in_half() {
        // More is gathered than is kept, and redacted before it is cut.
        let mut gathered = Gathered::default();
        let mut text = vec![b'x'; MOST_OUTPUT / 2 - 5];
        text.extend_from_slice(b"0123456789");
        text.resize(10 * MOST_GATHERED, b'y');
        for piece in text.chunks(999) {
            gathered.add(piece);
        }
        assert!(String::from_utf8_lossy(&gathered.first).contains("0123456789"), "what is cut is gathered whole");
        assert!(gathered.dropped && gathered.last.len() <= MOST_GATHERED);
    }

    #[test]
    fn what_does_not_answer_is_ended_with_all_it_started() {
        let began = Instant::now();
        let record = sh("sleep 1000 & echo $!; wait", Duration::from_millis(300));
        assert_eq!((record.ended.as_str(), record.ok), ("no answer in 0 s", false));
        assert!(began.elapsed() < Duration::from_secs(20));
        let child = format!("/proc/{}/stat", record.output.trim());
        let gone = || std::fs::read_to_string(&child).map_or(true, |stat| stat.contains(") Z "));
        while !gone() {
            assert!(began.elapsed() < Duration::from_secs(20), "{child} goes on");
        }
    }

    #[test]
    fn what_goes_on_in_the_background_is_not_waited_for() {
        let began = Instant::now();
        assert!(sh("setsid sleep 30 &", LONG).ok);
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = run(&["no-such-program".to_owned()], "", LONG).unwrap_err();
        assert!(format!("{error:#}").contains("no-such-program"), "{error:#}");
    }
}
