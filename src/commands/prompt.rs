//! Questions on a terminal.

use std::cmp::Reverse;
use std::fmt::{Display, Formatter};
use std::io::IsTerminal;

use anyhow::Result;
use inquire::validator::Validation;
use inquire::{Confirm, InquireError, Select, Text};

use crate::interrupt;
use crate::query::Refusal;
use crate::text::quote::harmless;

/// How many choices are shown at once; the arrow keys lead to the others.
const SHOWN: usize = 12;

/// Whether both ends are a terminal that can draw a list.
pub(super) fn can_ask() -> bool {
    let draws = std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
    draws && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Something to choose.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// The answer.
    pub(super) name: String,
    /// What is shown beside it.
    pub(super) about: String,
}

/// A line of the list: the name as wide as the widest.
struct Line {
    choice: Choice,
    width: usize,
}

impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let (name, width) = (harmless(&self.choice.name, 100), self.width);
        let line = format!("{name:width$}  {}", harmless(&self.choice.about, 100));
        f.write_str(line.trim_end())
    }
}

/// Asks for one of `choices`, which typing filters. The name that is typed out is the first.
///
/// # Errors
/// A [`Refusal`] if the question is cancelled.
pub(super) fn choose(question: &str, choices: Vec<Choice>) -> Result<String> {
    let width = choices.iter().map(|choice| harmless(&choice.name, 100).chars().count()).max().unwrap_or_default();
    let lines = choices.into_iter().map(|choice| Line { choice, width }).collect();
    let answer = Select::new(question, lines)
        .with_page_size(SHOWN)
        .with_help_message("type to filter, ↑↓ to move, Enter to choose, Esc to cancel")
        .with_scorer(&|typed, line: &Line, _, _| score(typed, &line.choice))
        // The default one mixes up lines with the same score.
        .with_sorter(&|lines| lines.sort_by_key(|(_, score)| Reverse(*score)))
        .prompt();
    Ok(answered(answer)?.choice.name)
}

/// How well a choice fits what is typed; nothing if it does not.
fn score(typed: &str, choice: &Choice) -> Option<i64> {
    // Some keys, such as Ctrl-D, type characters that are not visible.
    let typed: String = typed.chars().filter(|c| !c.is_control()).collect();
    let typed = typed.trim();
    let (lower, name) = (typed.to_lowercase(), choice.name.to_lowercase());
    let fits = [
        choice.name == typed,
        name == lower,
        name.starts_with(&lower),
        name.contains(&lower),
        choice.about.to_lowercase().contains(&lower),
    ];
    fits.iter().rev().zip(1..).filter(|(fits, _)| **fits).map(|(_, score)| score).last()
}

/// Asks for a text until `check` accepts it. `default` is what an empty answer means.
///
/// # Errors
/// A [`Refusal`] if the question is cancelled.
pub(super) fn text(
    question: &str,
    default: Option<&str>,
    check: impl Fn(&str) -> Result<(), Refusal> + Clone,
) -> Result<String> {
    let valid = move |text: &str| {
        Ok(match check(text.trim()) {
            Ok(()) => Validation::Valid,
            Err(reason) => Validation::Invalid(reason.into()),
        })
    };
    let mut asked = Text::new(question).with_validator(valid).with_help_message("Enter to go on, Esc to cancel");
    if let Some(default) = default {
        asked = asked.with_default(default);
    }
    Ok(answered(asked.prompt())?.trim().to_owned())
}

/// Asks for a secret, twice, without showing it.
///
/// # Errors
/// A [`Refusal`] if the question is cancelled.
#[cfg(all(unix, feature = "serve"))]
pub(super) fn secret(question: &str) -> Result<String> {
    let asked = inquire::Password::new(question).with_custom_confirmation_message("Again");
    answered(asked.with_custom_confirmation_error_message("both must be the same").prompt())
}

/// Asks whether to go on.
///
/// # Errors
/// A [`Refusal`] if not.
pub(super) fn confirm(question: &str) -> Result<()> {
    let asked = Confirm::new(question).with_default(false).with_error_message("type y for yes or n for no");
    match answered(asked.prompt())? {
        true => Ok(()),
        false => Err(cancelled().into()),
    }
}

/// The refusal of what was confirmed if something else would be done now: no lock is held while a person
/// thinks.
pub(super) fn outdated() -> Refusal {
    Refusal("the data changed in the meantime, so nothing was changed: run the command again".to_owned())
}

fn answered<T>(answer: Result<T, InquireError>) -> Result<T> {
    if let Err(InquireError::IO(error)) = &answer
        && error.kind() == std::io::ErrorKind::Interrupted
    {
        interrupt::end();
    }
    answer.map_err(|error| match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => cancelled().into(),
        error => anyhow::Error::new(error).context("cannot ask on this terminal"),
    })
}

fn cancelled() -> Refusal {
    Refusal("cancelled: nothing was changed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_name_is_the_best_match() {
        let choice = |name: &str| Choice { name: name.to_owned(), about: "2 Mbps up, 8 Mbps down".to_owned() };
        let order = |typed: &str| {
            let mut names = vec!["12", "2", "20", "4", "8"];
            names.retain(|name| score(typed, &choice(name)).is_some());
            names.sort_by_key(|name| Reverse(score(typed, &choice(name))));
            names
        };
        assert_eq!(order(""), ["12", "2", "20", "4", "8"]);
        assert_eq!(order("2"), ["2", "20", "12", "4", "8"]);
        assert_eq!(order(" 4\u{4}"), ["4"]);
        assert_eq!(order("mbps down").len(), 5);
        assert_eq!(order("x"), [""; 0]);
    }
}
