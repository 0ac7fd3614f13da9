//! `init`: a fresh data repository.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Outcome;
use crate::cli::InitArgs;
use crate::git::Git;
use crate::init::{TOOL_FILE, Tool, files, survey, tool_in, write};

pub(super) fn run(base: Option<&Path>, args: &InitArgs) -> Result<Outcome> {
    // By components, so that it is shown as `net` and not as `net/.`.
    let dir: PathBuf = base.map_or_else(|| args.dir.clone(), |base| base.join(&args.dir)).components().collect();
    let tool = tool_for(&dir, args.tool.as_ref());
    let files = files_for(&dir, !args.empty, tool.as_ref())?;
    let found = survey(&dir, &files)?;
    if !found.in_the_way.is_empty() {
        bail!(
            "nothing is written: {} has files of its own where these belong, and none is overwritten:\n  {}\n\
             move them away and run `shapeline init` again, or fill an empty folder and take from it what you need",
            dir.display(),
            found.in_the_way.join("\n  ")
        );
    }
    write(&dir, &files, &found.missing)?;
    let mut out = crate::console::out();
    if found.missing.is_empty() {
        writeln!(out, "{} is a fresh data repository already; all {} files are there", shown(&dir), files.len())?;
    } else {
        writeln!(out, "A data repository is in {}. New in it:\n", shown(&dir))?;
        found.missing.iter().try_for_each(|path| writeln!(out, "  {path}"))?;
    }
    if !found.missing.is_empty() && !found.same.is_empty() {
        writeln!(out, "\nThere already, and left alone:\n")?;
        found.same.iter().try_for_each(|path| writeln!(out, "  {path}"))?;
    }
    match &tool {
        Some(tool) => writeln!(out, "\nThe workflows install Shapeline from {tool}: see {TOOL_FILE}.")?,
        None => writeln!(out, "\n{NO_TOOL}")?,
    }
    writeln!(out, "\nNext:\n")?;
    next(&dir).iter().try_for_each(|command| writeln!(out, "  {command}"))?;
    out.flush()?;
    Ok(Outcome::Fine)
}

/// The files for a folder. One that has a README of its own keeps it.
fn files_for(dir: &Path, example: bool, tool: Option<&Tool>) -> Result<BTreeMap<String, String>> {
    let mut files = files(example, tool)?;
    let has_own =
        std::fs::read(dir.join(README)).is_ok_and(|text| files.get(README).is_some_and(|ours| text != ours.as_bytes()));
    if has_own && let Some(text) = files.remove(README) {
        files.insert("SHAPELINE.md".to_owned(), text);
    }
    Ok(files)
}

const README: &str = "README.md";

const NO_TOOL: &str = "\
The workflows need a source of Shapeline: set the repository variable SHAPELINE_TOOL before the first
pull request. `shapeline explain setup` lists what else to set up.";

/// The source of the tool: as given, else as a file in the folder names it already, else this program's.
/// What cannot be read there is reported by the survey.
fn tool_for(dir: &Path, given: Option<&Tool>) -> Option<Tool> {
    if given.is_some() {
        return given.cloned();
    }
    match crate::disk::open::read(&dir.join(TOOL_FILE), MAX_TOOL_FILE) {
        Ok(Some(text)) => tool_in(&String::from_utf8_lossy(&text)),
        _ => Tool::of_this_program(),
    }
}

/// A larger one is no file of ours.
const MAX_TOOL_FILE: u64 = 1 << 20;

/// Starts a data repository without data in `dir`; what is there already stays.
pub(super) fn start(dir: &Path) -> Result<()> {
    let files = files_for(dir, false, tool_for(dir, None).as_ref())?;
    let found = survey(dir, &files)?;
    if let Some(first) = found.in_the_way.first() {
        bail!("no data repository can be started in {}: it has a file {first} of its own", shown(dir));
    }
    write(dir, &files, &found.missing)?;
    writeln!(crate::console::err(), "A data repository without data is started in {}.", shown(dir))?;
    Ok(())
}

/// What to do then, as commands for a shell.
fn next(dir: &Path) -> [String; 3] {
    let enter =
        if dir.ends_with(".") { String::new() } else { format!("cd {} && ", for_shell(&dir.to_string_lossy())) };
    let start = if Git::discover(dir).is_ok() { "" } else { "git init -b main && " };
    [
        format!("{enter}shapeline check"),
        "shapeline render".to_owned(),
        format!("{start}git add -A && git commit -m 'Start'"),
    ]
}

fn shown(dir: &Path) -> String {
    if dir.ends_with(".") { "this folder".to_owned() } else { dir.display().to_string() }
}

/// The text as one word of a shell's command line.
fn for_shell(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:,".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
