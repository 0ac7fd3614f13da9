//! Edits of subscribers: which files they change, and how.

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;

use super::draft::Draft;
use super::file::{FileEdits, NotEdited, new_file};
use super::home::{Home, Homes, address_file_name};
use super::value::{Fields, Value};
use crate::model::{Subscriber, SubscriberStatus};
use crate::query::Refusal;
use crate::repo::{Record, Repo, stem};
use crate::schema::FileKind;
use crate::text::quote::quoted;

/// A field with its new value; `None` removes it.
pub type FieldEdit = (String, Option<Value>);

/// The edits of one file.
#[derive(Default)]
struct FileChanges {
    set: Vec<(Option<u32>, Vec<FieldEdit>)>,
    resumed: Vec<Option<u32>>,
    removed: Vec<Option<u32>>,
    new: Vec<Fields>,
    /// The file's new path.
    moved: Option<String>,
}

/// Edits of subscribers, collected so that each file is edited once.
pub struct SubscriberEdits<'r> {
    repo: &'r Repo,
    homes: Homes,
    /// The paths of all existing files.
    paths: HashSet<&'r str>,
    files: BTreeMap<String, FileChanges>,
    /// New files of one record, each with the path of a file whose style it takes.
    new_files: BTreeMap<String, (Fields, Option<String>)>,
    /// How many `#` are in the values of records that move to another file, by their old path.
    moved: BTreeMap<String, usize>,
}

impl<'r> SubscriberEdits<'r> {
    /// No edits yet of the subscribers of `repo`.
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

    /// Adds a subscriber to the files of its domain.
    ///
    /// # Errors
    /// If it cannot be written as a record.
    pub fn add(&mut self, subscriber: &Subscriber) -> Result<()> {
        self.settle(subscriber, Fields::of(subscriber)?);
        Ok(())
    }

    /// Removes a subscriber.
    pub fn remove(&mut self, record: &Record<Subscriber>) {
        self.file(record).removed.push(record.index());
    }

    /// Ends a suspension.
    pub fn resume(&mut self, record: &Record<Subscriber>) {
        if record.value.status == SubscriberStatus::Suspended {
            self.file(record).resumed.push(record.index());
        }
    }

    /// Changes fields of a subscriber. If its domain changes and its path contains the old domain, the
    /// record moves to the files of the new one.
    ///
    /// # Errors
    /// If its record cannot be written.
    pub fn set(&mut self, record: &Record<Subscriber>, changes: Vec<FieldEdit>) -> Result<()> {
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
            // An invalid subscriber is refused by the check, in whichever file.
            let domain = crate::model::Name::new(&domain);
            let moved = fields.record().unwrap_or_else(|_| Subscriber { domain, ..record.value.clone() });
            self.remove(record);
            *self.moved.entry(path).or_default() += marks(&serde_json::to_string(&record.value)?);
            self.settle(&moved, fields);
            return Ok(());
        }
        let is_called = |name: &str| record.index().is_none() && stem(&path) == name;
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
        self.file(record).set.push((record.index(), changes));
        Ok(())
    }

    /// Makes the edits in `draft`. Returns notes on comments that are lost by them.
    ///
    /// # Errors
    /// A [`Refusal`] if a file cannot be edited; or if one cannot be read.
    pub fn make(self, draft: &mut Draft) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        for (path, changes) in &self.files {
            let text = draft.text(path)?.unwrap_or_default();
            let refused = |why: NotEdited| Refusal(why.message(path, &text));
            let edited = edit(&text, changes).map_err(refused)?;
            // More are gone than the values of the moved records contain.
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
            let text = new_file(std::slice::from_ref(fields), false, FileKind::Subscriber, like.as_deref());
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

fn edit(text: &str, changes: &FileChanges) -> Result<Option<String>, NotEdited> {
    let mut edits = FileEdits::new(text, FileKind::Subscriber)?;
    for (index, fields) in &changes.set {
        for (field, value) in fields {
            match value {
                Some(value) => edits.set(*index, field, value),
                None => edits.unset(*index, field),
            }
        }
    }
    // Follows the file: some write `status: active`, others leave the field out.
    let explicit = !changes.resumed.is_empty() && edits.any_has("status", "active");
    for index in &changes.resumed {
        if explicit {
            edits.set(*index, "status", &Value::text("active"));
        } else {
            edits.unset(*index, "status");
        }
    }
    changes.removed.iter().for_each(|index| edits.remove(*index));
    changes.new.iter().for_each(|fields| edits.insert(fields));
    edits.finish()
}
