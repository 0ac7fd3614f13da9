//! Completion on the command line: a shell runs the program with what is typed, and gets the words that fit,
//! from the repository in the current folder too.
//!
//! A shell asks at every press of a key. So nothing here writes, fails or prints an error: of data that is
//! broken, or takes longer than a moment to read, what is there is offered, or nothing.

mod records;
mod shells;
mod stems;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

use clap_complete::CompleteEnv;
use clap_complete::engine::CompletionCandidate;

pub(crate) use shells::script;

use crate::rules::RULES;
use crate::text::quote::harmless;
use crate::tree::nearest_repository;
use crate::yaml::Node;
use records::{Found, each_record, settings_entries};

/// The variable that names the shell which asks. Not clap's `COMPLETE`: if that happened to be set, `publish`
/// would print a script, and succeed.
const VARIABLE: &str = "SHAPELINE_COMPLETE";

/// How long reading the data may take: a person waits.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers a shell that asks for completions, if one does.
///
/// # Errors
/// If the shell is unknown, or standard output cannot be written.
pub fn answer(command: fn() -> clap::Command) -> anyhow::Result<bool> {
    let asked = std::env::var_os(VARIABLE).is_some_and(|shell| !shell.is_empty() && shell != "0");
    if !asked {
        return Ok(false);
    }
    let here = std::env::current_dir().ok();
    let shells = CompleteEnv::with_factory(command).var(VARIABLE).completer("shapeline").shells(shells::ALL);
    match shells.try_complete(std::env::args_os(), here.as_deref()) {
        Ok(answered) => Ok(answered),
        // A question that cannot be answered has no answer; a message would be in the middle of a command line.
        Err(_) if std::env::args_os().any(|argument| argument == "--") => Ok(true),
        Err(error) => Err(anyhow::anyhow!("{VARIABLE}: {}", error.to_string().trim_start_matches("error: ").trim())),
    }
}

/// Plans, with their rates.
pub(crate) fn plans(typed: &OsStr) -> Vec<CompletionCandidate> {
    fitting(typed, |typed| {
        each_record(&repository()?, "plans", typed, |record, found| {
            let rates = [("up", "up"), ("down", "down")].map(|(field, word)| format!("{} {word}", text(record, field)));
            let retired = if text(record, "status") == "retired" { ", retired" } else { "" };
            found.add(text(record, "name"), || format!("{}{retired}", rates.join(", ")));
        })
    })
}

/// Domains, with their blocks.
pub(crate) fn domains(typed: &OsStr) -> Vec<CompletionCandidate> {
    fitting(typed, |typed| {
        each_record(&repository()?, "domains", typed, |record, found| {
            let blocks = || record.get("prefixes").map(|blocks| texts(blocks).join(", ")).unwrap_or_default();
            found.add(text(record, "name"), blocks);
        })
    })
}

/// Subscribers: ids and addresses; the key once the `@` is typed.
pub(crate) fn subscribers(typed: &OsStr) -> Vec<CompletionCandidate> {
    fitting(typed, |typed| {
        each_record(&repository()?, "subscribers", typed.split('@').next()?, |record, found| {
            let about = || {
                let (name, plan) = (text(record, "name"), text(record, "plan"));
                if name.is_empty() { plan.to_owned() } else { format!("{name}, {plan}") }
            };
            found.add(text(record, "id"), about);
            for address in record.get("ip").map(texts).unwrap_or_default() {
                if typed.contains('@') {
                    found.add(&format!("{address}@{}", text(record, "domain")), about);
                } else {
                    found.add(address, about);
                }
            }
        })
    })
}

/// The targets in the settings, with their URLs.
pub(crate) fn targets(typed: &OsStr) -> Vec<CompletionCandidate> {
    fitting(typed, |typed| {
        settings_entries(&repository()?, typed, |settings, found| {
            for target in settings.get("targets").into_iter().flat_map(|targets| targets.items()) {
                let output = text(target, "output");
                found.add(text(target, "name"), || if output.is_empty() { "shaper".into() } else { output.into() });
            }
        })
    })
}

/// The outputs in the settings, and the one that is always there.
pub(crate) fn outputs(typed: &OsStr) -> Vec<CompletionCandidate> {
    fitting(typed, |typed| {
        settings_entries(&repository()?, typed, |settings, found| {
            found.add("shaper", || "the shaper file".to_owned());
            for (name, output) in settings.get("outputs").into_iter().flat_map(|outputs| outputs.entries()) {
                found.add(name.text(), || text(output, "template").to_owned());
            }
        })
    })
}

/// The rules, and `setup`.
pub(crate) fn rules(typed: &OsStr) -> Vec<CompletionCandidate> {
    fitting(typed, |typed| {
        let mut found = Found::of(typed);
        RULES.iter().for_each(|rule| found.add(rule.id, || rule.summary.to_owned()));
        found.add("setup", || "the settings of the forge".to_owned());
        Some(found)
    })
}

/// `FIELD=VALUE` of a subscriber.
pub(crate) fn fields(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some((field, value)) = typed.to_str().and_then(|typed| typed.split_once('=')) else {
        return fitting(typed, |typed| {
            let mut found = Found::of(typed);
            let fields = crate::edit::FIELDS.iter().filter(|field| **field != "labels");
            fields.for_each(|field| found.add(&format!("{field}="), String::new));
            found.add("labels.", String::new);
            Some(found)
        });
    };
    let value = OsStr::new(value);
    let values = match field {
        "plan" => plans(value),
        "domain" => domains(value),
        "status" => fitting(value, |typed| {
            let mut found = Found::of(typed);
            ["active", "suspended"].iter().for_each(|status| found.add(status, String::new));
            Some(found)
        }),
        _ => Vec::new(),
    };
    values.into_iter().map(|value| value.add_prefix(format!("{field}="))).collect()
}

/// What `find` finds for what is typed, in order; stems of it where that is too much for a list.
///
/// Nothing if it takes too long: a part of the words would complete to what is not the only one. The thread
/// that still looks ends with the process.
fn fitting(typed: &OsStr, find: impl FnOnce(&str) -> Option<Found<'_>> + Send + 'static) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str().map(str::to_owned) else { return Vec::new() };
    let (answer, answered) = channel();
    std::thread::spawn(move || answer.send(find(&typed).map(Found::into_sorted).unwrap_or_default()));
    let found = answered.recv_timeout(PATIENCE).unwrap_or_default();
    let shown = |(value, about): (String, String)| {
        let about = Some(harmless(&about, 60)).filter(|about| !about.is_empty());
        CompletionCandidate::new(value).help(about.map(Into::into))
    };
    stems::listed(found).into_iter().map(shown).collect()
}

/// The data repository that is meant: by `-C` in what is typed, by `SHAPELINE_DIR`, or the nearest.
fn repository() -> Option<PathBuf> {
    let named = typed_directory(std::env::args_os())
        .or_else(|| std::env::var_os("SHAPELINE_DIR").filter(|folder| !folder.is_empty()));
    match named {
        Some(folder) => Some(PathBuf::from(folder)),
        None => nearest_repository(&std::env::current_dir().ok()?),
    }
}

/// The folder after `-C` or `--directory`.
fn typed_directory(arguments: impl Iterator<Item = OsString>) -> Option<OsString> {
    let mut words = arguments.skip_while(|word| word != "--").skip(1);
    while let Some(word) = words.next() {
        if word == "-C" || word == "--directory" {
            // In bash, `--directory=DIR` that was split is of three words.
            return words.next();
        }
        let joined = word.to_str().and_then(|word| word.strip_prefix("--directory=").or(word.strip_prefix("-C")));
        if let Some(folder) = joined {
            return Some(folder.into());
        }
    }
    None
}

fn text<'a>(record: Node<'a>, field: &str) -> &'a str {
    record.get(field).map(|value| value.text()).unwrap_or_default()
}

/// A value, or the values of a list.
fn texts(value: Node<'_>) -> Vec<&str> {
    if value.is_scalar() { vec![value.text()] } else { value.items().map(|item| item.text()).collect() }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_takes_too_long_to_find_is_not_waited_for() {
        let find = |lasts: Duration| {
            let started = Instant::now();
            let found = fitting(OsStr::new(""), move |_| {
                std::thread::sleep(lasts);
                let mut found = Found::of("");
                found.add("GOLD", String::new);
                Some(found)
            });
            (found.len(), started.elapsed())
        };
        assert_eq!(find(Duration::ZERO).0, 1);
        let (count, lasted) = find(PATIENCE * 20);
        assert_eq!(count, 0, "a part of the words would complete to what is not the only one");
        assert!(lasted >= PATIENCE && lasted < PATIENCE * 10, "{lasted:?}");
    }
}
