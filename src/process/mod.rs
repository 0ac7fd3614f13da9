//! Running a program with limits: without a shell, in a process group of its own, which is killed as a
//! whole when the time is over.
//!
//! A command of the operator's may print without end; the beginning and the end of it are kept
//! ([`excerpt`]). The output of a tool such as git is parsed, so it must be complete ([`capture`]).

pub(crate) mod capture;
pub(crate) mod excerpt;

use std::io;
use std::ops::ControlFlow;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// The longest pause between two looks at a running program.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Variables with secrets that no program needs. The settings of the data name programs, too.
pub(crate) const WITHHELD: [&str; 6] = [
    "SHAPELINE_NOTIFY_URL",
    "SHAPELINE_NOTIFY_SECRET",
    "SHAPELINE_FORGE_TOKEN",
    "SHAPELINE_OPENID_SECRET",
    "SHAPELINE_GITHUB_SECRET",
    "RMQ_PASS",
];

/// A running program and whatever it has started.
struct ProcessGroup(Child);

impl ProcessGroup {
    /// Starts `command` in a process group of its own: it can be killed as a whole, and a Ctrl-C for
    /// this process does not reach it.
    fn spawn(command: &mut Command) -> io::Result<ProcessGroup> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        for name in WITHHELD {
            command.env_remove(name);
        }
        command.spawn().map(ProcessGroup)
    }

    /// Waits until the program ends, and kills the group if it does not within `limit`. Between two
    /// looks it calls `pause` with the time to sleep, which may end the wait with a value.
    fn wait<B>(
        mut self,
        limit: Duration,
        pause: impl FnMut(Duration) -> io::Result<ControlFlow<B>>,
    ) -> io::Result<ProgramEnding<B>> {
        let ending = self.watch(limit, pause);
        if !matches!(ending, Ok(ProgramEnding::Exited(_))) {
            self.kill();
        }
        ending
    }

    fn watch<B>(
        &mut self,
        limit: Duration,
        mut pause: impl FnMut(Duration) -> io::Result<ControlFlow<B>>,
    ) -> io::Result<ProgramEnding<B>> {
        let began = Instant::now();
        let mut time = Duration::from_millis(1);
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(ProgramEnding::Exited(status));
            }
            if began.elapsed() >= limit {
                return Ok(ProgramEnding::TimedOut);
            }
            if let ControlFlow::Break(why) = pause(time)? {
                return Ok(ProgramEnding::Stopped(why));
            }
            time = (time * 2).min(LONGEST_PAUSE);
        }
    }

    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // It may have ended by itself meanwhile.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How a program ended.
enum ProgramEnding<B> {
    Exited(ExitStatus),
    TimedOut,
    /// The caller's pause ended the wait.
    Stopped(B),
}
