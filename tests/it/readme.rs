//! The documents, compared with what the program does.
//!
//! In README.md and docs/*.md:
//!
//! - A ```` ```console ```` block is run, see [`console`].
//! - A ```` ```yaml ```` block that starts with `# PATH` is put there, in a copy of this
//!   repository's data, and passes `check` without a finding; marked `yaml finds=RULE`, that rule
//!   finds something and no other does. Without a path it is the settings. Paths of CI
//!   systems are only read as YAML.
//! - Every `shapeline …` in code of any kind is a command line that the program accepts.
//! - A link leads to a file, and to a heading in it.
//! - A table below `<!-- NAME -->` is compared with the code, see [`tables`].
//!
//! docs/rules.md and docs/cli.md are generated; only their links are checked here.

mod commands;
mod console;
mod examples;
mod links;
mod security;
mod tables;

use std::path::Path;

use crate::support::Repo;

/// A document.
struct Doc {
    /// Relative to the repository.
    path: String,
    text: String,
}

/// A fenced block of a document.
struct Block {
    /// The language, or nothing.
    language: String,
    /// What follows the language.
    marks: String,
    /// The line of its first line of text, from 1.
    line: usize,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn doc(path: &str) -> Doc {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Doc { path: path.to_owned(), text }
}

/// README.md and all of docs/, by path.
fn docs() -> Vec<Doc> {
    let folder = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = folder.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    let in_docs = names.into_iter().filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    std::iter::once("README.md".to_owned()).chain(in_docs).map(|path| doc(&path)).collect()
}

/// Those that people wrote.
fn written_docs() -> Vec<Doc> {
    docs().into_iter().filter(|doc| !["docs/rules.md", "docs/cli.md"].contains(&doc.path.as_str())).collect()
}

impl Doc {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (index, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(info), None) => {
                    let (language, marks) = info.split_once(' ').unwrap_or((info, ""));
                    let (language, marks) = (language.to_owned(), marks.to_owned());
                    open = Some(Block { language, marks, line: index + 2, text: String::new() });
                }
                (None, Some(block)) => block.text += &format!("{line}\n"),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block is not closed", self.path);
        blocks
    }

    /// The lines outside blocks, each with its number from 1.
    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut within = false;
        self.text.lines().enumerate().filter_map(move |(index, line)| {
            let fence = line.starts_with("```");
            within ^= fence;
            (!within && !fence).then_some((index + 1, line))
        })
    }

    /// The rows of the table below `<!-- NAME -->`, without its head, by cell.
    fn table(&self, name: &str) -> Vec<Vec<&str>> {
        let mark = format!("<!-- {name} -->");
        let lines = self.text.lines().skip_while(|line| *line != mark).skip(1).skip_while(|line| line.is_empty());
        let rows: Vec<&str> = lines.take_while(|line| line.starts_with('|')).skip(2).collect();
        assert!(!rows.is_empty(), "{} has no table `{name}`", self.path);
        rows.iter().map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
    }
}

#[test]
fn the_readme_says_which_versions() {
    let readme = doc("README.md").text;
    let rust = env!("CARGO_PKG_RUST_VERSION");
    assert!(readme.contains(&format!("[Rust](https://rustup.rs) {rust} or newer")), "Rust {rust}");
    let version = env!("CARGO_PKG_VERSION");
    assert!(readme.contains(&format!("\nVersion {version}, ")), "version {version}");
}

/// The texts in backticks on a line.
fn codes(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// A copy of this repository's data, with everything committed on `main`.
fn copy_of_the_data() -> Repo {
    let repo = Repo::empty();
    for name in ["shapeline.yaml", "plans", "domains", "subscribers", "schemas"] {
        crate::support::copy(&root().join(name), &repo.path().join(name));
    }
    repo.commit("The data");
    repo
}
