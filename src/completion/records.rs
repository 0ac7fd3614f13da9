//! The records of the data, without the checks: what cannot be read is passed over.

use std::path::Path;

use rayon::prelude::*;

use super::stems::MAX_LISTED;
use crate::disk::open;
use crate::repo::data_kind;
use crate::source::MAX_FILE_BYTES;
use crate::text::characters::is_steering;
use crate::tree::{MAX_FOLDERS, SETTINGS};
use crate::yaml::{self, Node, NodeKind};

/// The words that begin with what is typed, each with what is shown beside it.
pub(super) struct Found<'t> {
    typed: &'t str,
    words: Vec<(String, String)>,
}

impl<'t> Found<'t> {
    pub(super) fn of(typed: &'t str) -> Self {
        Self { typed, words: Vec::new() }
    }

    /// Adds a word, if it fits. Not one that a shell would take for something else: none of them quotes what
    /// it completes to.
    pub(super) fn add(&mut self, word: &str, about: impl FnOnce() -> String) {
        if !word.is_empty() && word.starts_with(self.typed) && is_plain(word) {
            // Of a list that is too long to be shown, the words alone.
            let about = if self.words.len() < MAX_LISTED { about() } else { String::new() };
            self.words.push((word.to_owned(), about));
        }
    }

    fn with(mut self, other: Self) -> Self {
        self.words.extend(other.words);
        self
    }

    /// The words in order, each once.
    pub(super) fn into_sorted(mut self) -> Vec<(String, String)> {
        self.words.par_sort_unstable();
        self.words.dedup_by(|next, word| next.0 == word.0);
        self.words
    }
}

/// Whether a word is one word, and means itself, in every shell.
fn is_plain(word: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._-/:@+=".contains(c);
    word.len() <= 253 && !word.starts_with(['-', '=']) && word.chars().all(|c| plain(c) && !is_steering(c))
}

/// What `each` finds in the records below `folder`. A file without the text that is typed is not read as YAML.
pub(super) fn each_record<'t>(
    root: &Path,
    folder: &str,
    typed: &'t str,
    each: impl Fn(Node<'_>, &mut Found<'t>) + Sync,
) -> Option<Found<'t>> {
    let mut paths = Vec::new();
    for entry in walkdir::WalkDir::new(root.join(folder)).max_depth(MAX_FOLDERS).follow_root_links(false) {
        let Ok(entry) = entry else { continue };
        let inside = entry.path().strip_prefix(root).ok().and_then(Path::to_str);
        if entry.file_type().is_file() && inside.is_some_and(|path| data_kind(path).is_some()) {
            paths.push(entry.into_path());
        }
    }
    let read = paths.par_iter().map(|path| {
        let mut found = Found::of(typed);
        let text = open::read(path, MAX_FILE_BYTES as u64).ok().flatten().and_then(|text| String::from_utf8(text).ok());
        let Some(text) = text.filter(|text| text.contains(typed)) else { return found };
        with_tree(&text, |root| match root.kind() {
            NodeKind::Sequence => root.items().for_each(|record| each(record, &mut found)),
            _ => each(root, &mut found),
        });
        found
    });
    Some(read.reduce(|| Found::of(typed), Found::with))
}

/// What `each` finds in the settings.
pub(super) fn settings_entries<'t>(
    root: &Path,
    typed: &'t str,
    each: impl Fn(Node<'_>, &mut Found<'t>),
) -> Option<Found<'t>> {
    let mut found = Found::of(typed);
    let text = open::read(&root.join(SETTINGS), MAX_FILE_BYTES as u64).ok().flatten();
    match text.and_then(|text| String::from_utf8(text).ok()) {
        Some(text) => with_tree(&text, |settings| each(settings, &mut found)),
        // As for an empty file.
        None => with_tree("{}", |settings| each(settings, &mut found)),
    }
    Some(found)
}

fn with_tree(text: &str, with: impl FnOnce(Node<'_>)) {
    if let Some(root) = yaml::read(text).document.as_ref().and_then(|document| document.root(text)) {
        with(root);
    }
}
