//! Programs of the system, run without a shell: git, ssh-keygen, gpg.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::stop::Stop;
use crate::text::quote::harmless;
use crate::text::redact::{redact, without_login};

/// More than any of them has to say. A server may make git repeat whatever it sends.
const MOST_OUTPUT: u64 = 1 << 20;

/// How a program ended, and what it said.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A program that reads nothing, speaks English and asks nobody anything.
pub(super) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).env("LC_ALL", "C").env_remove("LANGUAGE");
    command
}

/// Runs a program to its end. It is ended with all that it started once the time is over or the
/// end of this process is asked for.
///
/// # Errors
/// If it cannot be started, takes longer than `limit`, says too much, or had to be ended.
pub(super) fn run(mut command: Command, limit: Duration, stop: &Stop) -> Result<Ended> {
    let name = command.get_program().to_string_lossy().into_owned();
    // Files in place of pipes: whatever the program leaves in the background may hold a pipe open.
    let cannot = || format!("cannot run {name}: is it installed?");
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    // A group of its own: it is ended as a whole, and does not hear of a Ctrl-C that is meant for us.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().with_context(cannot)?;
    let began = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().with_context(cannot)? {
            return Ok(Ended { status, stdout: text(&mut stdout)?, stderr: text(&mut stderr)? });
        }
        let said = stdout.metadata()?.len().saturating_add(stderr.metadata()?.len());
        let why = match () {
            () if stop.asked() => "was ended, since shapeline is to end".to_owned(),
            () if began.elapsed() >= limit => format!("gave no answer in {} s", limit.as_secs()),
            () if said > MOST_OUTPUT => format!("said more than {MOST_OUTPUT} bytes"),
            () => {
                stop.sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
                continue;
            }
        };
        end(&mut child);
        bail!("{name} {why}");
    }
}

fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended by itself meanwhile.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn text(file: &mut File) -> Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(MOST_OUTPUT).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Ended {
    /// What it complained of, on one line: fit for a journal, and without credentials.
    pub(super) fn complaint(&self) -> String {
        let told = |line: &&str| !line.is_empty() && !line.starts_with("hint:");
        let lines: Vec<&str> = self.stderr.lines().map(str::trim).filter(told).collect();
        match lines.is_empty() {
            true => format!("it ended with {}", self.status),
            false => harmless(&redact(&without_login(&lines.join("; "))), 1000),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Result<Ended> {
        let mut command = program("sh");
        command.args(["-c", script]);
        run(command, limit, &Stop::never().unwrap())
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn both_outputs_and_the_end_are_told() {
        let ended = sh("echo out; echo hint: no >&2; echo ' why' >&2; echo more >&2; exit 3", LONG).unwrap();
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(3), "out\n"));
        assert_eq!(ended.complaint(), "why; more");
        assert_eq!(sh("exit 3", LONG).unwrap().complaint(), "it ended with exit status: 3");
    }

    #[test]
    fn what_does_not_answer_is_ended_with_all_it_started() {
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
    fn what_goes_on_in_the_background_is_not_waited_for() {
        let began = Instant::now();
        assert!(sh("setsid sleep 30 & echo", LONG).unwrap().status.success());
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn who_says_too_much_is_ended() {
        let error = sh("yes", LONG).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("said more than"), "{error}");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = run(program("no-such-program"), LONG, &Stop::never().unwrap()).map(|_| ()).unwrap_err();
        assert!(format!("{error:#}").starts_with("cannot run no-such-program: is it installed?"), "{error:#}");
    }
}
