//! Runs a tool of the system, such as git, ssh-keygen or gpg, and captures its whole output.

use std::fs::File;
use std::io::{Read, Seek};
use std::ops::ControlFlow;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{ProcessGroup, ProgramEnding};
use crate::text::quote::harmless;
use crate::text::redact::{redact, without_logins};

/// More than any of these tools prints. A server can make git repeat whatever it sends.
const MAX_OUTPUT: u64 = 1 << 20;

/// How a program ended, and its output.
pub(crate) struct Captured {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A program without input, with messages in English.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).env("LC_ALL", "C").env_remove("LANGUAGE");
    command
}

/// Runs a program to its end. Its process group is killed after `limit`, or as soon as `pause`, which
/// is called again and again to sleep for the given time, breaks off with a reason.
///
/// # Errors
/// If it cannot be started, takes longer than `limit`, prints too much, or was killed.
pub(crate) fn run(
    mut command: Command,
    limit: Duration,
    pause: &mut dyn FnMut(Duration) -> ControlFlow<&'static str>,
) -> Result<Captured> {
    let name = command.get_program().to_string_lossy().into_owned();
    let cannot = || format!("cannot run {name}: is it installed?");
    // Files instead of pipes: a process that the program leaves in the background may keep a pipe open.
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let group = ProcessGroup::spawn(&mut command).with_context(cannot)?;
    let ending = group.wait(limit, |time| {
        let printed = stdout.metadata()?.len().saturating_add(stderr.metadata()?.len());
        if printed > MAX_OUTPUT {
            return Ok(ControlFlow::Break(format!("printed more than {MAX_OUTPUT} bytes")));
        }
        Ok(pause(time).map_break(str::to_owned))
    });
    match ending.with_context(cannot)? {
        ProgramEnding::Exited(status) => {
            Ok(Captured { status, stdout: text(&mut stdout)?, stderr: text(&mut stderr)? })
        }
        ProgramEnding::TimedOut => bail!("{name} gave no answer in {} s", limit.as_secs()),
        ProgramEnding::Stopped(why) => bail!("{name} {why}"),
    }
}

fn text(file: &mut File) -> Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(MAX_OUTPUT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Captured {
    /// Its error messages on one line, fit for a journal, without credentials.
    pub(crate) fn complaint(&self) -> String {
        let is_message = |line: &&str| !line.is_empty() && !line.starts_with("hint:");
        let lines: Vec<&str> = self.stderr.lines().map(str::trim).filter(is_message).collect();
        match lines.is_empty() {
            true => format!("it ended with {}", self.status),
            false => harmless(&redact(&without_logins(&lines.join("; "))), 1000),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn sh(script: &str, limit: Duration) -> Result<Captured> {
        let mut command = program("sh");
        command.args(["-c", script]);
        run(command, limit, &mut sleep)
    }

    fn sleep(pause: Duration) -> ControlFlow<&'static str> {
        std::thread::sleep(pause);
        ControlFlow::Continue(())
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn both_outputs_and_the_exit_status_are_given() {
        let ended = sh("echo out; echo hint: no >&2; echo ' why' >&2; echo more >&2; exit 3", LONG).unwrap();
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(3), "out\n"));
        assert_eq!(ended.complaint(), "why; more");
        assert_eq!(sh("exit 3", LONG).unwrap().complaint(), "it ended with exit status: 3");
    }

    #[test]
    fn after_the_limit_the_whole_group_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let began = Instant::now();
        let script = format!("sleep 1000 & echo $! > {}; wait", path.display());
        let error = sh(&script, Duration::from_millis(500)).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "sh gave no answer in 0 s");
        let child = format!("/proc/{}/stat", std::fs::read_to_string(path).unwrap().trim());
        while std::fs::read_to_string(&child).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(began.elapsed() < Duration::from_secs(20), "{child} goes on");
        }
    }

    #[test]
    fn a_process_in_the_background_is_not_waited_for() {
        let began = Instant::now();
        assert!(sh("setsid sleep 30 & echo", LONG).unwrap().status.success());
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_program_that_prints_too_much_is_killed() {
        let error = sh("yes", LONG).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("printed more than"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(program("no-such-program"), LONG, &mut sleep).map(|_| ()).unwrap_err();
        assert!(format!("{error:#}").starts_with("cannot run no-such-program: is it installed?"), "{error:#}");
    }
}
