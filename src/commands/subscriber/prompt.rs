//! Questions on a terminal.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Result, bail};

use crate::text::quote::harmless;

/// How many choices are shown.
const SHOWN: usize = 30;

/// Whether both ends are a terminal.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for one of `choices`, by number or as text; without choices for any text. `default` is what
/// nothing at all means.
///
/// # Errors
/// If there is no answer.
pub(super) fn ask(question: &str, choices: &[String], default: Option<&str>) -> Result<String> {
    let mut out = crate::console::err();
    for (number, choice) in choices.iter().take(SHOWN).enumerate() {
        writeln!(out, "  {}  {}", number + 1, harmless(choice, 100))?;
    }
    let default_shown = default.map(|default| format!(" [{}]", harmless(default, 100))).unwrap_or_default();
    write!(out, "{question}{default_shown}: ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim();
    let chosen = answer.parse().ok().and_then(|number: usize| choices.get(number.checked_sub(1)?));
    match (answer, chosen, default) {
        ("", _, Some(default)) => Ok(default.to_owned()),
        ("", _, None) => bail!("no answer: nothing was changed"),
        (_, Some(chosen), _) => Ok(chosen.clone()),
        (answer, None, _) => Ok(answer.to_owned()),
    }
}
