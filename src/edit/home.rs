//! The file for a new subscriber.
//!
//! It is the list file with most subscribers of the domain; or, if more of them have a file each, a
//! file of its own beside those, named in the same way. A domain without subscribers follows the
//! others.

use std::collections::BTreeMap;

use crate::model::{Address, Subscriber};
use crate::repo::{Repo, stem};

/// The place of a new record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// In this list.
    List(String),
    /// In a new file at this path; the other path is a file whose style it takes.
    File(String, Option<String>),
}

/// The filing habits of all domains of a repository.
#[derive(Debug, Default)]
pub struct Homes {
    domains: BTreeMap<String, Habits>,
    all: Habits,
}

/// How subscribers are filed.
#[derive(Debug, Default)]
struct Habits {
    /// How many are in each list.
    lists: BTreeMap<String, usize>,
    /// How many have a file of their own, by folder.
    folders: BTreeMap<String, usize>,
    /// How many files are named after the id.
    by_id: usize,
    /// How many end in `.yml`.
    yml: usize,
    /// One of the files.
    example: Option<String>,
}

impl Habits {
    fn note(&mut self, path: &str, in_list: bool, subscriber: &Subscriber) {
        if in_list {
            *self.lists.entry(path.to_owned()).or_default() += 1;
            return;
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        *self.folders.entry(folder.to_owned()).or_default() += 1;
        self.by_id += usize::from(subscriber.id.as_ref().is_some_and(|id| file_name(id.as_str()) == stem(path)));
        self.yml += usize::from(path.ends_with(".yml"));
        self.example.get_or_insert_with(|| path.to_owned());
    }

    fn most(counts: &BTreeMap<String, usize>) -> Option<(&str, usize)> {
        // Ties go to the first by name.
        counts.iter().rev().max_by_key(|(_, count)| **count).map(|(path, count)| (path.as_str(), *count))
    }

    fn in_files(&self) -> usize {
        self.folders.values().sum()
    }
}

impl Homes {
    /// The habits in `repo`.
    pub fn new(repo: &Repo) -> Homes {
        let mut homes = Homes::default();
        for record in &repo.subscribers {
            let (path, domain) = (repo.sources.file(record.file).path(), record.value.domain.as_str());
            // One record in a file named after the domain is the start of its list.
            let in_list = record.index().is_some() || stem(path) == domain;
            homes.all.note(path, in_list, &record.value);
            match homes.domains.get_mut(domain) {
                Some(habits) => habits.note(path, in_list, &record.value),
                None => homes.domains.entry(domain.to_owned()).or_default().note(path, in_list, &record.value),
            }
        }
        homes
    }

    /// The place of a new subscriber. `is_taken` returns whether a path exists.
    pub fn of(&self, subscriber: &Subscriber, is_taken: impl Fn(&str) -> bool) -> Home {
        let domain = subscriber.domain.as_str();
        let own = self.domains.get(domain);
        if let Some((list, count)) = own.and_then(|habits| Habits::most(&habits.lists))
            && own.is_none_or(|habits| habits.in_files() <= count)
        {
            return Home::List(list.to_owned());
        }
        let habits = own.unwrap_or(&self.all);
        if own.is_none() && habits.in_files() <= habits.lists.values().sum() {
            return Home::List(format!("subscribers/{domain}.yaml"));
        }
        let folder = match own.and_then(|habits| Habits::most(&habits.folders)) {
            Some((folder, _)) => folder.to_owned(),
            None => format!("subscribers/{domain}"),
        };
        let address_name = subscriber.ip.first().map_or_else(|| file_name(&subscriber.key()), address_file_name);
        let name = match &subscriber.id {
            Some(id) if 2 * habits.by_id > habits.in_files() => file_name(id.as_str()),
            _ => address_name.clone(),
        };
        let ending = if habits.yml == habits.in_files() { "yml" } else { "yaml" };
        let called = |name: &str| format!("{folder}/{name}.{ending}");
        // Thousands of ids may map to one file name; addresses do not.
        let by_address = address_name.clone();
        let names = std::iter::once(name.clone()).chain((2..=9).map(|number| format!("{name}-{number}")));
        let further = (2..).map(|number| format!("{address_name}-{number}"));
        let mut paths = names.chain([by_address]).chain(further).map(|name| called(&name));
        let path = paths.find(|path| !is_taken(path)).unwrap_or_default();
        Home::File(path, habits.example.clone())
    }
}

/// The file name for an address: `10.10.10.64_29`, `2001-db8--25`.
pub fn address_file_name(address: &Address) -> String {
    file_name(&address.to_string())
}

/// `/` and `:` are not allowed in file names everywhere.
fn file_name(text: &str) -> String {
    text.replace('/', "_").replace(':', "-")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    fn homes(files: &[(&str, &str)]) -> Homes {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.replace('@', "domain: a.example\nplan: P").into_bytes()));
        Homes::new(&Repo::load(&Tree::Memory(files.collect())).unwrap())
    }

    fn new(domain: &str, ip: &str, id: Option<&str>) -> Subscriber {
        let id = id.map(|id| serde_json::json!(id));
        let mut json = serde_json::json!({"ip": ip, "domain": domain, "plan": "P"});
        id.map(|id| json.as_object_mut().unwrap().insert("id".to_owned(), id));
        serde_json::from_value(json).unwrap()
    }

    fn list(count: usize) -> String {
        (1..=count).map(|n| format!("- ip: 10.0.0.{n}\n  domain: a.example\n  plan: P\n")).collect()
    }

    #[test]
    fn most_live_in_a_list() {
        let homes = homes(&[
            ("subscribers/x.yaml", &list(2)),
            ("subscribers/y.yaml", &list(3)),
            ("subscribers/a.example/1.yaml", "ip: 10.0.1.1\n@\n"),
        ]);
        assert_eq!(homes.of(&new("a.example", "10.0.0.9", None), |_| false), Home::List("subscribers/y.yaml".into()));
        let other = homes.of(&new("b.example", "10.0.0.9", None), |_| false);
        assert_eq!(other, Home::List("subscribers/b.example.yaml".into()));
    }

    #[test]
    fn most_have_a_file_of_their_own() {
        let homes = homes(&[
            ("subscribers/north/1.yml", "ip: 10.0.1.1\n@\n"),
            ("subscribers/north/2.yml", "ip: 10.0.1.2\n@\n"),
            ("subscribers/x.yaml", &list(1)),
        ]);
        let file = |path: &str| Home::File(path.into(), Some("subscribers/north/1.yml".into()));
        let of =
            |domain: &str, ip: &str| homes.of(&new(domain, ip, Some("acme")), |path| path.ends_with("10.0.0.7.yml"));
        assert_eq!(of("a.example", "10.0.0.8/29"), file("subscribers/north/10.0.0.8_29.yml"));
        assert_eq!(of("a.example", "2001:db8::1"), file("subscribers/north/2001-db8--1.yml"));
        assert_eq!(of("a.example", "10.0.0.7"), file("subscribers/north/10.0.0.7-2.yml"));
        assert_eq!(of("b.example", "10.0.0.8"), file("subscribers/b.example/10.0.0.8.yml"));
    }

    #[test]
    fn files_called_after_ids_stay_so() {
        let homes = homes(&[("subscribers/a.example/acme.yaml", "id: acme\nip: 10.0.1.1\n@\n")]);
        let path = |id| match homes.of(&new("a.example", "10.0.0.9", id), |_| false) {
            Home::File(path, _) => path,
            Home::List(path) => panic!("{path}"),
        };
        assert_eq!(path(Some("beta/1")), "subscribers/a.example/beta_1.yaml");
        assert_eq!(path(None), "subscribers/a.example/10.0.0.9.yaml");
    }

    #[test]
    fn the_first_of_all_starts_a_list() {
        let expected = Home::List("subscribers/a.example.yaml".into());
        assert_eq!(homes(&[]).of(&new("a.example", "10.0.0.9", None), |_| false), expected);
        let one = homes(&[("subscribers/a.example.yaml", "ip: 10.0.1.1\n@\n")]);
        assert_eq!(one.of(&new("a.example", "10.0.0.9", None), |_| false), expected);
    }
}
