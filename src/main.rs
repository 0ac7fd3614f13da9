//! Parse, run, print an error once, exit.

use std::io::Write;
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, ValueEnum};
use shapeline::cli::{Cli, ColorWhen};
use shapeline::commands::is_broken_pipe;
use shapeline::console;
use shapeline::text::characters::is_steering;
use shapeline::text::quote::harmless;
use shapeline::text::style::Style;

fn main() -> ExitCode {
    #[cfg(unix)]
    if let Some(code) = shapeline::render::apart::start() {
        return code;
    }
    match shapeline::completion::answer(Cli::command) {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => {}
        Err(error) => {
            return failed(&format!("{error:#}"));
        }
    }
    // What clap itself prints has no arguments yet.
    choose_color(typed_color());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli.with_environment(),
        Err(error) if error.use_stderr() => {
            let error = without_trailing_tip(error);
            let _ = write!(console::err(), "{}", with_harmless_arguments(error.render().ansi().to_string()));
            return ExitCode::from(2);
        }
        // Help and the version are no errors.
        Err(help) => {
            let mut out = console::out();
            return match write!(out, "{}", help.render().ansi()).and_then(|()| out.flush()) {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => failed(&error.to_string()),
                _ => ExitCode::SUCCESS,
            };
        }
    };
    choose_color(cli.color);
    skip_rehashing(&cli);
    match shapeline::commands::run(&cli) {
        Ok(outcome) => outcome.into(),
        // The reader of our output has read enough; `shapeline … | head` is no failure.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => failed(&with_harmless_arguments(format!("{error:#}"))),
    }
}

/// Lets `history` read git's objects without computing their ids again, which takes as long as all the rest:
/// git checked what it fetched, and packs have checksums of their own. The switch is one for the whole
/// process, and this process reads nothing but the history; so it is here, and a program that calls the
/// library keeps the verification.
fn skip_rehashing(cli: &Cli) {
    if cli.reads_only_history() {
        shapeline::git::skip_rehashing();
    }
}

fn choose_color(when: ColorWhen) {
    match when {
        ColorWhen::Auto => anstream::ColorChoice::Auto,
        ColorWhen::Always => anstream::ColorChoice::Always,
        ColorWhen::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// The value of `--color` on the command line, if it is plain.
fn typed_color() -> ColorWhen {
    let mut arguments = std::env::args_os().take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        let value = match argument.to_str() {
            Some("--color") => arguments.next(),
            Some(joined) => joined.strip_prefix("--color=").map(Into::into),
            None => None,
        };
        if let Some(when) = value.and_then(|value| ColorWhen::from_str(value.to_str()?, false).ok()) {
            return when;
        }
    }
    ColorWhen::Auto
}

/// Prints why the program could not do its job.
fn failed(message: &str) -> ExitCode {
    let _ = writeln!(console::err(), "{} {}", Style::Bad.paint("shapeline:"), one_line(message));
    ExitCode::from(2)
}

/// The error without the advice to pass an unknown option behind `--`: it would be taken for the name of an
/// output or a file.
fn without_trailing_tip(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested) else { return error };
    let tips: Vec<StyledStr> = tips.iter().filter(|tip| !tip.to_string().contains(" as a value")).cloned().collect();
    if tips.is_empty() {
        error.remove(ContextKind::Suggested);
    } else {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// `message` with the arguments of the command line as they may be printed: an error may quote one,
/// or the value in `--name=value`, and none of them may start a line or steer the terminal.
fn with_harmless_arguments(mut message: String) -> String {
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let values = arguments.iter().filter_map(|argument| argument.split_once('=')).map(|(_, value)| value);
    for text in arguments.iter().map(String::as_str).chain(values).filter(|text| text.contains(is_steering)) {
        message = message.replace(text, &harmless(text, 200));
    }
    message
}

/// Names from the data stand in errors too: nothing in them may steer the terminal.
fn one_line(text: &str) -> String {
    let plain = |c: char| if is_steering(c) && c != '\n' { '\u{fffd}' } else { c };
    text.chars().map(plain).collect()
}
