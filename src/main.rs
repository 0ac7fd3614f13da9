//! Parse, run, print an error once, exit.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use shapeline::cli::{Cli, ColorWhen};
use shapeline::commands::is_broken_pipe;
use shapeline::console;

fn main() -> ExitCode {
    #[cfg(unix)]
    if let Some(code) = shapeline::render::apart::start() {
        return code;
    }
    let mut arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    if let Some(argument) = arguments.find(|argument| argument.contains(ends_line)) {
        let shown = shapeline::finding::quoted(&argument);
        let _ = writeln!(console::err(), "shapeline: the argument {shown} holds a control character or a line break");
        return ExitCode::from(2);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let _ = write!(console::err(), "{}", error.render().ansi());
            return ExitCode::from(2);
        }
        // Help and the version are no errors.
        Err(help) => help.exit(),
    };
    match cli.color {
        ColorWhen::Auto => anstream::ColorChoice::Auto,
        ColorWhen::Always => anstream::ColorChoice::Always,
        ColorWhen::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    match shapeline::commands::run(&cli) {
        Ok(outcome) => outcome.into(),
        // Whoever reads our output has read enough; `shapeline … | head` is no failure.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(console::err(), "shapeline: {}", one_line(&format!("{error:#}")));
            ExitCode::from(2)
        }
    }
}

/// Whether `c` could make a second line, or a command for a terminal, of an argument that is printed.
fn ends_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Names from the data stand in errors too: nothing in them may steer the terminal.
fn one_line(text: &str) -> String {
    let plain = |c: char| if shapeline::finding::is_steering(c) && c != '\n' { '\u{fffd}' } else { c };
    text.chars().map(plain).collect()
}
