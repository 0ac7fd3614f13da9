//! The check and reload commands of a target, with their output for the log.

use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::excerpt;
use crate::records::command::CommandRecord;
use crate::text::quote::harmless;

/// Runs a command. `{file}` in an argument is replaced by `file`.
///
/// # Errors
/// If it cannot be started.
pub(super) fn run(words: &[String], file: &str, limit: Duration) -> Result<CommandRecord> {
    let (program, arguments) = words.split_first().context("the command is empty")?;
    let mut command = Command::new(program.replace("{file}", file));
    command.args(arguments.iter().map(|word| word.replace("{file}", file))).stdin(Stdio::null());
    let cannot = || format!("cannot run `{}`", harmless(program, 120));
    let (status, output) = excerpt::run(command, limit).with_context(cannot)?;
    let (ended, ok) = match status {
        Some(status) => (describe(status), status.success()),
        None => (format!("no answer in {} s", limit.as_secs()), false),
    };
    Ok(CommandRecord { command: words.to_vec(), ended, ok, output })
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.code().map_or_else(|| "no exit code".to_owned(), |code| format!("exit {code}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::process::excerpt::MAX_OUTPUT;

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
        assert!(long.ok && long.output.len() < 2 * MAX_OUTPUT, "{}", long.output.len());
        assert!(long.output.starts_with("begin") && long.output.ends_with("end") && long.output.contains("[...]"));
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
