//! What connects a shell with the program.
//!
//! The scripts and the answers are clap's, with these changes. bash splits words at `:`, `=` and `@`, which
//! addresses and `FIELD=VALUE` contain: its script joins them. zsh loads the script as a function from a folder,
//! and calls it at once.

use std::ffi::OsString;
use std::io::{Error, Write};
use std::path::Path;

use clap::Command;
use clap_complete::Shell;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};

/// The shells that are known.
pub(super) const ALL: Shells<'static> =
    Shells(&[&Adapted(&Bash), &Adapted(&Elvish), &Adapted(&Fish), &Adapted(&Powershell), &Adapted(&Zsh)]);

/// The script for a shell.
///
/// # Errors
/// If clap has none for it.
pub(crate) fn script(shell: Shell) -> anyhow::Result<Vec<u8>> {
    let name = shell.to_string();
    let Some(known) = ALL.completer(&name) else { anyhow::bail!("no script for {name}") };
    let mut script = Vec::new();
    known.write_registration(super::VARIABLE, "shapeline", "shapeline", "shapeline", &mut script)?;
    Ok(script)
}

struct Adapted(&'static (dyn EnvCompleter + Sync));

impl EnvCompleter for Adapted {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn is(&self, name: &str) -> bool {
        self.0.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        bin: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let mut script = Vec::new();
        self.0.write_registration(variable, name, bin, completer, &mut script)?;
        let script = String::from_utf8(script).map_err(Error::other)?;
        let script = match self.name() {
            "bash" => BASH.to_owned(),
            "zsh" => script.replace(ZSH_END, ZSH_AUTOLOADED),
            // Nothing on the terminal where the program is not in the path.
            "fish" => script.replace("\"(", "\"(command -q shapeline; and ").replace(")\"", " 2>/dev/null)\""),
            _ => script,
        };
        writeln!(out, "{}", script.trim())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        here: Option<&Path>,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        if words.last().is_some_and(|word| word.is_empty()) {
            *command = options_last(std::mem::take(command));
        }
        self.0.write_complete(command, words, here, out)
    }
}

/// Offers the options only where there is nothing else: where nothing is typed, they would be most of the list.
fn options_last(command: Command) -> Command {
    command.mut_args(|argument| argument.hide(true)).mut_subcommands(options_last)
}

const BASH: &str = r#"
_shapeline() {
    local line=${COMP_LINE:0:COMP_POINT} words=() blanks word i
    # bash splits words at `:`, `=` and `@` too: pieces with no blank between them are one word.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blanks=${line%%[![:blank:]]*}
        line=${line#"$blanks"}
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then word=$line; fi
        line=${line#"$word"}
        if ((i > 0)) && [[ -z $blanks ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
    done
    COMPREPLY=()
    IFS=$'\013' read -r -d '' -a COMPREPLY < <(
        _CLAP_IFS=$'\013' _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1)) SHAPELINE_COMPLETE=bash \
            shapeline -- "${words[@]}" 2> /dev/null
    )
    # Only the last piece is replaced.
    word=${words[${#words[@]} - 1]}
    COMPREPLY=("${COMPREPLY[@]#"${word%"$2"}"}")
    # What a file is called may be a command to bash.
    for i in "${!COMPREPLY[@]}"; do
        if [[ ${COMPREPLY[i]} == *[![:alnum:]._/:@+=%,-]* ]]; then
            printf -v "COMPREPLY[$i]" '%q' "${COMPREPLY[i]}"
        fi
    done
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[-=/:.@] ]]; then
        compopt -o nospace 2> /dev/null
    fi
}
complete -o bashdefault -o nosort -F _shapeline shapeline 2> /dev/null ||
    complete -o bashdefault -F _shapeline shapeline
"#;

const ZSH_END: &str = "\ncompdef _clap_dynamic_completer_shapeline shapeline";

const ZSH_AUTOLOADED: &str = r#"
if [ "$funcstack[1]" = "_shapeline" ]; then
    _clap_dynamic_completer_shapeline "$@"
else
    compdef _clap_dynamic_completer_shapeline shapeline
fi"#;
