//! Subscribers added, changed and removed: which files that means, and what becomes of each.

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;

use super::home::{Home, Homes, address_file_name};
use super::value::{Fields, Value};
use super::{Draft, FileEdits, Refused, new_file};
use crate::model::{Status, Subscriber};
use crate::query::Refusal;
use crate::repo::{Record, Repo, stem};
use crate::schema::Kind;
use crate::text::quote::quoted;

/// A field with its new value; nothing for one that goes.
pub type FieldChange = (String, Option<Value>);

/// What becomes of one file.
#[derive(Default)]
struct FileChanges {
    set: Vec<(Option<u32>, Vec<FieldChange>)>,
    resumed: Vec<Option<u32>>,
    removed: Vec<Option<u32>>,
    new: Vec<Fields>,
    /// The path that the file gets.
    moved: Option<String>,
}

/// Changes of subscribers, gathered, so that each file is edited once.
pub struct Changes<'r> {
    repo: &'r Repo,
    homes: Homes,
    /// The paths of all files that there are.
    paths: HashSet<&'r str>,
    files: BTreeMap<String, FileChanges>,
    /// New files of one record, each with the path of a file whose style it takes.
    new_files: BTreeMap<String, (Fields, Option<String>)>,
    /// How many `#` are in the values of those who are written anew elsewhere, by the path of before.
    moved: BTreeMap<String, usize>,
}

impl<'r> Changes<'r> {
    /// Changes of the subscribers of `repo`.
    pub fn new(repo: &'r Repo) -> Self {
        let paths = repo.sources.iter().map(|(_, file)| file.path()).collect();
        Self {
            repo,
            homes: Homes::new(repo),
            paths,
            files: BTreeMap::new(),
            new_files: BTreeMap::new(),
            moved: BTreeMap::new(),
        }
    }

    /// Adds a subscriber where its domain's subscribers live.
    ///
    /// # Errors
    /// If it cannot be written as a record.
    pub fn add(&mut self, subscriber: &Subscriber) -> Result<()> {
        self.settle(subscriber, Fields::of(subscriber)?);
        Ok(())
    }

    /// Removes a subscriber.
    pub fn remove(&mut self, record: &Record<Subscriber>) {
        self.file(record).removed.push(record.index);
    }

    /// Ends a suspension.
    pub fn resume(&mut self, record: &Record<Subscriber>) {
        if record.value.status == Status::Suspended {
            self.file(record).resumed.push(record.index);
        }
    }

    /// Gives fields of a subscriber other values. One that comes to another domain goes where that
    /// domain's subscribers live, if its path says the old one's name.
    ///
    /// # Errors
    /// If its record cannot be written anew.
    pub fn set(&mut self, record: &Record<Subscriber>, changes: Vec<FieldChange>) -> Result<()> {
        let path = self.path(record).to_owned();
        let text = |field: &str| changes.iter().find(|(name, _)| name == field).and_then(|(_, value)| value.clone());
        let old_domain = record.value.domain.as_str();
        let says_domain = path.split('/').chain([stem(&path)]).any(|part| part == old_domain);
        if let Some(Value::Text(domain)) = text("domain")
            && domain != old_domain
            && says_domain
        {
            let mut fields = Fields::of(&record.value)?;
            for (field, value) in changes {
                fields.0.retain(|(name, _)| *name != field);
                fields.0.extend(value.map(|value| (field, value)));
            }
            // What is no valid subscriber is refused by the check, wherever it would be.
            let domain = crate::model::Name::new(&domain);
            let moved = fields.record().unwrap_or_else(|_| Subscriber { domain, ..record.value.clone() });
            self.remove(record);
            *self.moved.entry(path).or_default() += marks(&serde_json::to_string(&record.value)?);
            self.settle(&moved, fields);
            return Ok(());
        }
        let is_called = |name: &str| record.index.is_none() && stem(&path) == name;
        if let (Some(Value::Text(new)), Some(old)) = (text("ip"), record.value.ip.first())
            && is_called(&address_file_name(old))
            && let Ok(new) = new.parse()
        {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let ending = path.rsplit('.').next().unwrap_or("yaml");
            let moved = format!("{folder}/{}.{ending}", address_file_name(&new));
            if moved != path && !self.is_taken(&moved) {
                self.file(record).moved = Some(moved);
            }
        }
        self.file(record).set.push((record.index, changes));
        Ok(())
    }

    /// Makes all of it in `draft`. Says what is lost by it that no field holds.
    ///
    /// # Errors
    /// A [`Refusal`] if a file cannot be edited; or if one cannot be read.
    pub fn make(self, draft: &mut Draft) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        for (path, changes) in &self.files {
            let text = draft.text(path)?.unwrap_or_default();
            let refused = |why: Refused| Refusal(why.told(path, &text));
            let edited = edit(&text, changes).map_err(refused)?;
            // More are gone than those in values, which move.
            let gone = marks(&text).saturating_sub(marks(edited.as_deref().unwrap_or_default()));
            if self.moved.get(path).is_some_and(|moved| gone > *moved) {
                notes.push(format!(
                    "what moves to another file is written anew there, and its comments in {} are lost: copy them over \
                     by hand",
                    quoted(path)
                ));
            }
            match (edited, &changes.moved) {
                (None, _) => draft.remove(path)?,
                (Some(edited), Some(moved)) => {
                    draft.remove(path)?;
                    draft.put(moved, edited)?;
                }
                (Some(edited), None) => draft.put(path, edited)?,
            }
        }
        for (path, (fields, like)) in &self.new_files {
            let like = like.as_ref().and_then(|like| draft.text(like).ok().flatten());
            let eol = like.as_deref().map_or("\n", super::lines::line_break);
            let text = new_file(std::slice::from_ref(fields), false, Kind::Subscriber, like.as_deref());
            draft.put(path, text.replace('\n', eol))?;
        }
        Ok(notes)
    }

    fn settle(&mut self, subscriber: &Subscriber, fields: Fields) {
        match self.homes.of(subscriber, |path| self.is_taken(path)) {
            Home::List(path) => self.files.entry(path).or_default().new.push(fields),
            Home::File(path, like) => {
                self.new_files.insert(path, (fields, like));
            }
        }
    }

    fn is_taken(&self, path: &str) -> bool {
        self.paths.contains(path) || self.new_files.contains_key(path)
    }

    fn path(&self, record: &Record<Subscriber>) -> &'r str {
        self.repo.sources.file(record.file).path()
    }

    fn file(&mut self, record: &Record<Subscriber>) -> &mut FileChanges {
        let path = self.path(record);
        self.files.entry(path.to_owned()).or_default()
    }
}

/// How many `#` there are: every comment begins with one.
fn marks(text: &str) -> usize {
    text.matches('#').count()
}

fn edit(text: &str, changes: &FileChanges) -> Result<Option<String>, Refused> {
    let mut edits = FileEdits::new(text, Kind::Subscriber)?;
    for (index, fields) in &changes.set {
        for (field, value) in fields {
            match value {
                Some(value) => edits.set(*index, field, value),
                None => edits.unset(*index, field),
            }
        }
    }
    // Where others say that they are active, these do too.
    let told = !changes.resumed.is_empty() && edits.any_has("status", "active");
    for index in &changes.resumed {
        if told {
            edits.set(*index, "status", &Value::text("active"));
        } else {
            edits.unset(*index, "status");
        }
    }
    changes.removed.iter().for_each(|index| edits.remove(*index));
    changes.new.iter().for_each(|fields| edits.insert(fields));
    edits.finish()
}
