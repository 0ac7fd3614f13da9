//! What is to be known about an answer: what is not here, what contradicts itself, what could not be read.

use crate::text::quote::short_id;
use std::collections::HashSet;

use super::file::sentence;
use super::log::Trouble;
use super::query::Question;
use super::story::{Past, Story};

/// What is to be known about any answer.
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
        let commits = match past.wrong_dates {
            1 => "1 commit has a date that contradicts".to_owned(),
            count => format!("{count} commits have dates that contradict"),
        };
        notes.push(format!("{commits} the order of the commits; the order counts"));
    }
    notes.extend(troubles(past, question, stories));
    notes
}

/// How many versions that could not be read are told of.
const MOST_TROUBLES: usize = 20;

/// Which files could not be read, of those in which anybody who is meant ever was.
fn troubles(past: &Past<'_>, question: &Question, stories: &[Story]) -> Vec<String> {
    if past.log.troubles.is_empty() {
        return Vec::new();
    }
    let keys: HashSet<u32> = stories.iter().map(|story| story.key).collect();
    let entries = past.log.entries_of(past.commits).iter().filter(|entry| keys.contains(&entry.key));
    let files: HashSet<u32> = entries.map(|entry| entry.path).collect();
    let everything = question.who.is_none() && question.domain.is_none();
    let asked = |trouble: &&Trouble<'_>| {
        let time = past.times[trouble.commit as usize];
        let then = question.from.is_none_or(|from| from <= time) && question.until.is_none_or(|until| time < until);
        then && (everything || files.contains(&trouble.path))
    };
    let all: Vec<&Trouble<'_>> = past.log.troubles_of(past.commits).iter().filter(asked).collect();
    let told = |trouble: &&Trouble<'_>| {
        let commit = &past.log.line[trouble.commit as usize].id();
        let commit = short_id(&commit);
        format!("{commit}: {}", sentence(past.log.paths[trouble.path as usize], trouble.why))
    };
    let mut notes: Vec<String> = all.iter().rev().take(MOST_TROUBLES).map(told).collect();
    if all.len() > MOST_TROUBLES {
        notes.push(format!("{} older versions of files could not be read whole either", all.len() - MOST_TROUBLES));
    }
    notes
}
