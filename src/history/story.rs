//! A log, replayed: the states of each record.

use std::collections::HashMap;

use super::facts::{Facts, PLAN};
use super::log::{FactsByFile, HistoryLog};
use super::times::{Seconds, TimeSpan, effective, start_of};

/// The state of a record from a commit on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordState {
    /// The commit's number on the line.
    pub commit: u32,
    /// Its facts; `None` if it is gone.
    pub facts: Option<u32>,
    /// Its file, or its last one.
    pub path: u32,
    /// Which commit of a merged branch made it so; `None` if the commit itself.
    pub by: Option<u32>,
}

/// The states of one record. A move between files is no change of state.
#[derive(Clone, Debug)]
pub struct Story {
    /// The record's key.
    pub key: u32,
    /// Its states in order; each differs from the one before.
    pub states: Vec<RecordState>,
    /// Its present or last file.
    pub path: u32,
}

/// The part of a log up to a revision, with the times of its commits.
pub struct Past<'l> {
    /// The log.
    pub log: &'l HistoryLog<'l>,
    /// How many of its commits count.
    pub commits: usize,
    /// When each commit took effect.
    pub times: Vec<Seconds>,
    /// How many commits have a date that contradicts their order.
    pub wrong_dates: usize,
}

impl<'l> Past<'l> {
    /// The first `commits` commits of a log.
    pub fn new(log: &'l HistoryLog<'l>, commits: usize) -> Past<'l> {
        let dates: Vec<Seconds> = log.line.iter().take(commits).map(|commit| commit.time).collect();
        let (times, wrong_dates) = effective(&dates);
        Past { log, commits, times, wrong_dates }
    }

    /// The facts with this number.
    pub fn facts(&self, facts: u32) -> Facts<'l> {
        Facts(self.log.facts[facts as usize])
    }

    /// A record's key, without the prefix of its kind.
    pub fn name(&self, key: u32) -> &'l str {
        self.log.keys[key as usize].get(1..).unwrap_or_default()
    }

    /// Whether a key is that of a plan.
    pub fn is_plan(&self, key: u32) -> bool {
        self.log.keys[key as usize].starts_with(PLAN)
    }

    /// The stories of the records whose key is wanted, by key.
    pub fn stories(&self, wanted: impl Fn(u32) -> bool) -> Vec<Story> {
        let mut stories: Vec<Option<(FactsByFile, Story)>> = Vec::new();
        stories.resize_with(self.log.keys.len(), || None);
        for entries in self.log.entries_of(self.commits).chunk_by(|a, b| (a.commit, a.key) == (b.commit, b.key)) {
            let Some(first) = entries.first().filter(|first| wanted(first.key)) else { continue };
            let (holders, story) = stories[first.key as usize].get_or_insert_with(|| {
                (FactsByFile::default(), Story { key: first.key, states: Vec::new(), path: first.path })
            });
            entries.iter().for_each(|entry| holders.apply(entry));
            let holder = holders.first(&self.log.paths);
            story.path = holder.map_or(story.path, |holder| holder.path);
            let facts = holder.map(|holder| holder.facts);
            if story.states.last().and_then(|before| before.facts) != facts {
                story.states.push(RecordState { commit: first.commit, facts, path: story.path, by: first.by });
            }
        }
        stories.into_iter().flatten().map(|(_, story)| story).collect()
    }

    /// The time during which the state at `at` of a story lasted.
    pub fn span(&self, story: &Story, at: usize) -> Option<TimeSpan> {
        let time = |state: &RecordState| self.times[state.commit as usize];
        let span = TimeSpan { from: time(story.states.get(at)?), until: story.states.get(at + 1).map(time) };
        span.and(TimeSpan::ALL)
    }

    /// When a subscriber was served: in the data, active, within its term; stretches that meet are one.
    pub fn served(&self, story: &Story) -> Vec<TimeSpan> {
        let mut all: Vec<TimeSpan> = Vec::new();
        for (at, state) in story.states.iter().enumerate() {
            let facts = state.facts.map(|facts| self.facts(facts)).filter(|facts| facts.is_active());
            let Some(span) = facts.and_then(|facts| self.span(story, at)?.and(term(facts))) else { continue };
            match all.last_mut().filter(|last| last.until == Some(span.from)) {
                Some(last) => last.until = span.until,
                None => all.push(span),
            }
        }
        all
    }

    /// Every record that exists after the last commit, by key.
    pub fn present(&self) -> HashMap<&'l str, &'l str> {
        let stories = self.stories(|_| true);
        let last = |story: &Story| Some((story.key, story.states.last()?.facts?));
        let present = stories.iter().filter_map(last);
        present.map(|(key, facts)| (self.log.keys[key as usize], self.log.facts[facts as usize])).collect()
    }
}

/// The term of a subscriber: from `starts` up to `ends`.
pub fn term(facts: Facts<'_>) -> TimeSpan {
    let from = facts.date("starts").map_or(Seconds::MIN, start_of);
    TimeSpan { from, until: facts.date("ends").map(start_of) }
}
