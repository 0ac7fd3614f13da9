//! Parse, run, print an error once, exit.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use shapeline::cli::{Cli, ColorWhen};
use shapeline::commands::is_broken_pipe;

fn main() -> ExitCode {
    #[cfg(unix)]
    if let Some(code) = shapeline::render::apart::start() {
        return code;
    }
    let cli = Cli::parse();
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
            let _ = writeln!(std::io::stderr(), "shapeline: {}", one_line(&format!("{error:#}")));
            ExitCode::from(2)
        }
    }
}

/// Names from the data stand in errors too: nothing in them may steer the terminal.
fn one_line(text: &str) -> String {
    let plain = |c: char| if shapeline::finding::is_steering(c) && c != '\n' { '\u{fffd}' } else { c };
    text.chars().map(plain).collect()
}
