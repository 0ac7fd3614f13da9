//! Adoption → files: new files, and edits of existing ones.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Result, anyhow};

use super::adopt::{Adoption, NewPlan, SubscriberStep};
use crate::edit::{Draft, Fields, FileEdits, Home, Homes, Value, new_file};
use crate::fmt;
use crate::model::{Address, Addresses, Name, Subscriber, SubscriberStatus};
use crate::repo::{Record, Repo};
use crate::schema::FileKind;

/// A list of this many records is not made longer: it is half of what is read of one file.
const MOST_RECORDS: usize = 100_000;

/// A list of this many bytes is not made longer.
const MOST_BYTES: usize = 8 << 20;

/// Writes an adoption into a draft.
///
/// # Errors
/// If a file cannot be read or edited.
pub fn write(adoption: &Adoption, repo: &Repo, draft: &mut Draft) -> Result<()> {
    for plan in &adoption.plans.new {
        draft.put(&format!("plans/{}.yaml", plan.name), plan_text(plan)?)?;
    }
    for (domain, blocks) in &adoption.domains.new {
        draft.put(&format!("domains/{domain}.yaml"), domain_text(domain, blocks)?)?;
    }
    let mut edits = Edits::default();
    for (at, up, down) in &adoption.plans.set {
        for (field, rate) in [("up", up), ("down", down)] {
            if let Some(rate) = rate {
                edits.add(repo, &repo.plans[*at], Edit::Set(field.to_owned(), Value::text(rate.to_string())));
            }
        }
    }
    for (at, blocks) in &adoption.domains.more {
        let record = &repo.domains[*at];
        let all = record.value.prefixes.iter().chain(blocks).map(|block| Value::text(block.to_string())).collect();
        edits.add(repo, record, Edit::Set("prefixes".to_owned(), Value::List(all)));
    }
    let settling = Settling::new(repo);
    let mut added: BTreeMap<Name, Vec<&Subscriber>> = BTreeMap::new();
    for step in &adoption.subscribers.steps {
        match step {
            SubscriberStep::Add(subscriber) => added.entry(subscriber.domain.clone()).or_default().push(subscriber),
            SubscriberStep::Remove(at) => edits.add(repo, &repo.subscribers[*at], Edit::Remove),
            SubscriberStep::Set(at, wanted) => {
                let record = &repo.subscribers[*at];
                if record.value.domain == wanted.domain {
                    changed_fields(&record.value, wanted)?.into_iter().for_each(|edit| edits.add(repo, record, edit));
                } else {
                    // The record moves to the file of its new domain.
                    edits.add(repo, record, Edit::Remove);
                    added.entry(wanted.domain.clone()).or_default().push(wanted);
                }
            }
        }
    }
    for (domain, subscribers) in added {
        settling.settle(&domain, &subscribers, draft, &mut edits)?;
    }
    edits.apply(draft)
}

/// The text of a new plan's file, without rates that are not known: `check` names the file until they
/// are filled in.
fn plan_text(plan: &NewPlan) -> Result<String> {
    let mut fields = vec![("name".to_owned(), Value::text(plan.name.as_str()))];
    let mut field = |name: &str, value: Option<String>| {
        fields.extend(value.map(|value| (name.to_owned(), Value::Text(value))));
    };
    field("up", plan.up.map(|rate| rate.to_string()));
    field("down", plan.down.map(|rate| rate.to_string()));
    field("attribute", plan.attribute.as_ref().map(ToString::to_string));
    field("description", plan.description.as_ref().map(ToString::to_string));
    let missing = match (plan.up, plan.down) {
        (Some(_), Some(_)) => "",
        (None, None) => "# The source does not give the rates: add up and down, such as `up: 30 Mbps`.\n",
        (None, _) => "# The source does not give the upload rate: add up, such as `up: 30 Mbps`.\n",
        (_, None) => "# The source does not give the download rate: add down, such as `down: 30 Mbps`.\n",
    };
    styled(missing, fields, FileKind::Plan)
}

fn domain_text(domain: &Name, blocks: &[Address]) -> Result<String> {
    let blocks = blocks.iter().map(|block| Value::text(block.to_string())).collect();
    let fields = vec![("name".to_owned(), Value::text(domain.as_str())), ("prefixes".to_owned(), Value::List(blocks))];
    styled("", fields, FileKind::Domain)
}

/// A file of one record, as `fmt` would have it.
fn styled(comment: &str, fields: Vec<(String, Value)>, kind: FileKind) -> Result<String> {
    let text = format!("{comment}{}", new_file(&[Fields(fields)], false, kind, None));
    fmt::format(&text, kind).map_err(|refused| anyhow!("a new file cannot be formatted: {refused:?}\n{text}"))
}

/// An edit of one record.
enum Edit {
    Set(String, Value),
    Unset(String),
    Remove,
}

/// Edits of several files, by path.
#[derive(Default)]
struct Edits {
    records: BTreeMap<String, Vec<(Option<u32>, Edit)>>,
    inserts: BTreeMap<String, Vec<Fields>>,
}

impl Edits {
    fn add<T>(&mut self, repo: &Repo, record: &Record<T>, edit: Edit) {
        let path = repo.sources.file(record.file).path();
        match self.records.get_mut(path) {
            Some(edits) => edits.push((record.index(), edit)),
            None => drop(self.records.insert(path.to_owned(), vec![(record.index(), edit)])),
        }
    }

    fn apply(mut self, draft: &mut Draft) -> Result<()> {
        for path in self.inserts.keys() {
            self.records.entry(path.clone()).or_default();
        }
        for (path, edits) in self.records {
            let text = draft.text(&path)?.unwrap_or_default();
            let kind = crate::repo::data_kind(&path).unwrap_or(FileKind::Subscriber);
            let refused = |refused: crate::edit::NotEdited| anyhow!("{}", refused.message(&path, &text));
            let mut file = FileEdits::new(&text, kind).map_err(refused)?;
            for (index, edit) in edits {
                match edit {
                    Edit::Set(field, value) => file.set(index, &field, &value),
                    Edit::Unset(field) => file.unset(index, &field),
                    Edit::Remove => file.remove(index),
                }
            }
            for fields in self.inserts.remove(&path).unwrap_or_default() {
                file.insert(&fields);
            }
            match file.finish().map_err(refused)? {
                Some(text) => draft.put(&path, text)?,
                None => draft.remove(&path)?,
            }
        }
        Ok(())
    }
}

/// The edits that make one record another.
fn changed_fields(is: &Subscriber, wanted: &Subscriber) -> Result<Vec<Edit>> {
    let (is, wanted) = (Fields::of(is)?, Fields::of(wanted)?);
    let gone = is.0.iter().filter(|(name, _)| wanted.get(name).is_none()).map(|(name, _)| Edit::Unset(name.clone()));
    let set = wanted.0.iter().filter(|(name, value)| is.get(name) != Some(value));
    Ok(gone.chain(set.map(|(name, value)| Edit::Set(name.clone(), value.clone()))).collect())
}

/// The fields of a subscriber; made by hand, for there may be a million.
fn fields(subscriber: &Subscriber) -> Result<Fields> {
    let plain = subscriber.labels.is_none() && subscriber.status == SubscriberStatus::Active;
    let Addresses::One(ip) = &subscriber.ip else { return Fields::of(subscriber) };
    if !plain || subscriber.starts.is_some() || subscriber.ends.is_some() {
        return Fields::of(subscriber);
    }
    let mut fields = Vec::with_capacity(5);
    fields.push(("ip".to_owned(), Value::text(ip.to_string())));
    fields.push(("domain".to_owned(), Value::text(subscriber.domain.as_str())));
    fields.push(("plan".to_owned(), Value::text(subscriber.plan.as_str())));
    fields.extend(subscriber.id.as_ref().map(|id| ("id".to_owned(), Value::text(id.as_str()))));
    fields.extend(subscriber.name.as_ref().map(|name| ("name".to_owned(), Value::text(name.as_str()))));
    Ok(Fields(fields))
}

/// Puts new subscribers into the files of their domain. A domain without any gets a list, or
/// numbered lists.
struct Settling<'r> {
    homes: Homes,
    /// The domains that have subscribers.
    known: HashSet<&'r str>,
    /// How many records each file has.
    records: HashMap<&'r str, usize>,
}

impl<'r> Settling<'r> {
    fn new(repo: &'r Repo) -> Self {
        let mut settling = Self { homes: Homes::new(repo), known: HashSet::new(), records: HashMap::new() };
        for record in &repo.subscribers {
            settling.known.insert(record.value.domain.as_str());
            *settling.records.entry(repo.sources.file(record.file).path()).or_default() += 1;
        }
        settling
    }

    fn settle(&self, domain: &Name, subscribers: &[&Subscriber], draft: &mut Draft, edits: &mut Edits) -> Result<()> {
        let mut lists: BTreeMap<String, Vec<Fields>> = BTreeMap::new();
        for subscriber in subscribers {
            let taken = |path: &str| !matches!(draft.text(path), Ok(None));
            let home = match self.known.contains(domain.as_str()) {
                true => self.homes.of(subscriber, taken),
                false => Home::List(format!("subscribers/{domain}.yaml")),
            };
            match home {
                Home::List(path) => lists.entry(path).or_default().push(fields(subscriber)?),
                Home::File(path, beside) => {
                    let like = beside.map(|path| draft.text(&path)).transpose()?.flatten();
                    draft.put(&path, new_file(&[fields(subscriber)?], false, FileKind::Subscriber, like.as_deref()))?;
                }
            }
        }
        for (path, new) in lists {
            self.put_in_list(domain, path, new, draft, edits)?;
        }
        Ok(())
    }

    /// Into a list, or, where that would be very long, into others.
    fn put_in_list(
        &self,
        domain: &Name,
        path: String,
        new: Vec<Fields>,
        draft: &mut Draft,
        edits: &mut Edits,
    ) -> Result<()> {
        let text = draft.text(&path)?;
        let records = self.records.get(path.as_str()).copied().unwrap_or_default() + new.len();
        let bytes = text.as_ref().map_or(0, String::len) + new.iter().map(size).sum::<usize>();
        if records > MOST_RECORDS || bytes > MOST_BYTES {
            return numbered(domain, &new, draft);
        }
        match text {
            None => draft.put(&path, new_file(&new, true, FileKind::Subscriber, None)),
            Some(_) => {
                edits.inserts.entry(path).or_default().extend(new);
                Ok(())
            }
        }
    }
}

/// About how many bytes a record takes in a list.
fn size(fields: &Fields) -> usize {
    let value = |value: &Value| match value {
        Value::Text(text) => text.len() + 2,
        Value::List(list) => list.len() * 45,
        _ => 64,
    };
    fields.0.iter().map(|(name, content)| name.len() + value(content) + 5).sum()
}

/// Lists by number in a folder of the domain's own.
fn numbered(domain: &Name, new: &[Fields], draft: &mut Draft) -> Result<()> {
    let mut rest = new;
    let mut number = 0;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |fields: &&Fields| {
            bytes += size(fields);
            bytes <= MOST_BYTES
        };
        let count = rest.iter().take(MOST_RECORDS).take_while(fits).count().max(1);
        let (now, later) = rest.split_at(count);
        rest = later;
        let path = loop {
            number += 1;
            let path = format!("subscribers/{domain}/{number:03}.yaml");
            if draft.text(&path)?.is_none() {
                break path;
            }
        };
        draft.put(&path, new_file(now, true, FileKind::Subscriber, None))?;
    }
    Ok(())
}
