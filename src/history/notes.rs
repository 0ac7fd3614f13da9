//! Notes on what limits an answer: missing commits, contradicting dates, unreadable versions.

use crate::text::quote::short_id;
use std::collections::HashSet;

use super::file::sentence;
use super::log::LogTrouble;
use super::query::Question;
use super::story::{Past, Story};
use crate::text::count::counted;

/// The notes on an answer.
pub fn notes(past: &Past<'_>, question: &Question, stories: &[Story]) -> Vec<String> {
    let mut notes = Vec::new();
    if past.log.cut {
        let first = past.log.line.first().map(|first| short_id(&first.id()).to_owned()).unwrap_or_default();
        notes.push(format!(
            "this clone is shallow: what was before {first} is not here, and what was there in it shows as added; \
             `git fetch --unshallow` gets the rest"
        ));
    }
    if past.wrong_dates > 0 {
        let (one, many) = ("commit has a date that contradicts", "commits have dates that contradict");
        let commits = counted(past.wrong_dates, one, many);
        notes.push(format!("{commits} the order of the commits; the order counts"));
    }
    notes.extend(troubles(past, question, stories));
    notes
}

/// How many unreadable versions the notes list.
const MOST_TROUBLES: usize = 20;

/// The unreadable versions of files in which the subscribers in question ever were.
fn troubles(past: &Past<'_>, question: &Question, stories: &[Story]) -> Vec<String> {
    if past.log.troubles.is_empty() {
        return Vec::new();
    }
    let keys: HashSet<u32> = stories.iter().map(|story| story.key).collect();
    let entries = past.log.entries_of(past.commits).iter().filter(|entry| keys.contains(&entry.key));
    let files: HashSet<u32> = entries.map(|entry| entry.path).collect();
    let everything = question.who.is_none() && question.domain.is_none();
    let asked = |trouble: &&LogTrouble<'_>| {
        let time = past.times[trouble.commit as usize];
        let then = question.from.is_none_or(|from| from <= time) && question.until.is_none_or(|until| time < until);
        then && (everything || files.contains(&trouble.path))
    };
    let all: Vec<&LogTrouble<'_>> = past.log.troubles_of(past.commits).iter().filter(asked).collect();
    let note = |trouble: &&LogTrouble<'_>| {
        let commit = past.log.line[trouble.commit as usize].id();
        let commit = short_id(&commit);
        format!("{commit}: {}", sentence(past.log.paths[trouble.path as usize], trouble.why))
    };
    let mut notes: Vec<String> = all.iter().rev().take(MOST_TROUBLES).map(note).collect();
    if all.len() > MOST_TROUBLES {
        let older = counted(all.len() - MOST_TROUBLES, "older version of a file", "older versions of files");
        notes.push(format!("{older} could not be read completely either"));
    }
    notes
}
