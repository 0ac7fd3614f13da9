//! `fmt`: one style for the data files.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use super::Outcome;
use crate::cli::FmtArgs;
use crate::disk::write::write_atomic;
use crate::fmt::{NotFormatted, format};
use crate::repo::data_kind;
use crate::schema::FileKind;
use crate::source::SourceFile;
use crate::text::characters::is_steering;
use crate::text::count::counted;
use crate::tree::{EntryKind, FileContent, Reader, Tree, TreeEntry};
use crate::yaml::Problem;

/// What became of a file.
enum Done {
    /// It is in the style already.
    Settled,
    /// It is rewritten, or would be.
    Changed,
    /// Only its line ends are rewritten, or would be.
    LineEnds,
    /// It is left alone: the text that says why.
    Refused(String),
}

pub(super) fn run(root: &Path, args: &FmtArgs) -> Result<Outcome> {
    super::warn_of_cut_off(root);
    let tree = Tree::Work { root: root.to_path_buf() };
    let files = chosen(root, data_files(&tree)?, &args.files)?;
    let done: Vec<Done> = files
        .par_iter()
        .map_init(
            || tree.reader(),
            |reader, (entry, kind)| {
                let reader = reader.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
                one(root, reader, entry, *kind, args.check)
            },
        )
        .collect::<Result<_>>()?;
    tell(&files, &done, args.check)
}

/// Every file that holds data, and of which kind. What else lies there is for `check` to say.
fn data_files(tree: &Tree) -> Result<Vec<(TreeEntry, FileKind)>> {
    let files = tree.list()?.into_iter().filter(|entry| entry.kind == EntryKind::File);
    Ok(files.filter_map(|entry| data_kind(&entry.path).map(|kind| (entry, kind))).collect())
}

/// Those of `all` that `asked` names, itself or by a folder above it; without names all of them.
fn chosen(root: &Path, all: Vec<(TreeEntry, FileKind)>, asked: &[PathBuf]) -> Result<Vec<(TreeEntry, FileKind)>> {
    if asked.is_empty() {
        return Ok(all);
    }
    let root = root.canonicalize().with_context(|| format!("cannot open {}", root.display()))?;
    let mut wanted = BTreeSet::new();
    for path in asked {
        let full = path.canonicalize().with_context(|| format!("cannot open {}", path.display()))?;
        let relative = full.strip_prefix(&root).ok().and_then(Path::to_str).unwrap_or("..");
        // By name first: a hook may name a hundred thousand files one by one.
        let found: Vec<usize> = match all.binary_search_by(|(entry, _)| entry.path.as_str().cmp(relative)) {
            Ok(at) => vec![at],
            Err(_) => (0..all.len()).filter(|&at| Path::new(&all[at].0.path).starts_with(relative)).collect(),
        };
        if found.is_empty() {
            bail!(
                "{} is no data file: those are shapeline.yaml and *.yaml in plans, domains and subscribers",
                path.display()
            );
        }
        wanted.extend(found);
    }
    Ok(all.into_iter().enumerate().filter(|(at, _)| wanted.contains(at)).map(|(_, file)| file).collect())
}

fn one(root: &Path, reader: &Reader<'_>, entry: &TreeEntry, kind: FileKind, check: bool) -> Result<Done> {
    let refused = |why: &str| Ok(Done::Refused(format!("{}: {why}", shown(&entry.path))));
    let FileContent::Bytes(bytes) = reader.read(entry)? else {
        return refused("the file is too large to be read; split it into several files");
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return refused("the file is not UTF-8; save it as UTF-8");
    };
    match format(&text, kind) {
        Ok(formatted) if formatted == text => Ok(Done::Settled),
        Ok(formatted) => {
            if !check {
                write_atomic(&root.join(&entry.path), formatted.as_bytes())?;
            }
            let only_ends = text.replace("\r\n", "\n") == formatted;
            Ok(if only_ends { Done::LineEnds } else { Done::Changed })
        }
        Err(NotFormatted::Problems(problems)) => Ok(Done::Refused(problems_text(&entry.path, &text, &problems))),
        Err(NotFormatted::NotTheSame(why)) => refused(&format!(
            "left alone, because formatting would have gone wrong: {why}; please report this with the file"
        )),
    }
}

fn problems_text(path: &str, text: &str, problems: &[Problem]) -> String {
    let source = SourceFile::new(path, text);
    let mut out = String::new();
    for problem in problems {
        let at = source.position(problem.span.start);
        if !out.is_empty() {
            out.push('\n');
        }
        let _ = write!(out, "{}:{}:{}: {}\n  help: {}", shown(path), at.line, at.column, problem.message, problem.help);
    }
    out
}

fn tell(files: &[(TreeEntry, FileKind)], done: &[Done], check: bool) -> Result<Outcome> {
    let mut out = crate::console::out();
    let mut notes = crate::console::err();
    let (mut changed, mut ends, mut refused) = (0_usize, 0_usize, 0_usize);
    for ((entry, _), done) in files.iter().zip(done) {
        match done {
            Done::Settled => {}
            Done::Changed | Done::LineEnds => {
                changed += 1;
                ends += usize::from(matches!(done, Done::LineEnds));
                if check {
                    writeln!(out, "{}", shown(&entry.path))?;
                } else {
                    writeln!(notes, "formatted {}", shown(&entry.path))?;
                }
            }
            Done::Refused(why) => {
                refused += 1;
                writeln!(notes, "{why}")?;
            }
        }
    }
    out.flush()?;
    if ends > 0 {
        let files = counted(ends, "file has", "files have");
        writeln!(
            notes,
            "note: {files} nothing else to be changed than Windows line ends (CRLF); with `*.yaml text eol=lf` in \
             .gitattributes, git checks files out without them"
        )?;
    }
    let verb = if check { "to be formatted" } else { "formatted" };
    let left = if refused > 0 { format!(", {refused} left alone because of problems") } else { String::new() };
    let files = counted(files.len(), "file", "files");
    writeln!(notes, "{files}: {changed} {verb}{left}")?;
    let fine = refused == 0 && (changed == 0 || !check);
    Ok(if fine { Outcome::Fine } else { Outcome::Refused })
}

/// A path in which nothing steers a terminal.
fn shown(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if is_steering(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}
