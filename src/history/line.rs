//! The line of commits that were live: from a revision back along the first parents.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use git2::Oid;

/// Upper bound for an author's name, an address and a subject, in characters.
const LONGEST: usize = 300;

/// How many versions are read at once: more than the length of git's delta chains.
const BATCH: usize = 128;

/// About how many bytes of versions are in memory at once.
const BATCH_BYTES: usize = 32 << 20;

/// The parts of a commit that a history shows. None of them is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: Oid,
    /// Its files.
    pub tree: Oid,
    /// Its parents; a merge has more than one.
    pub parents: Vec<Oid>,
    /// The committer's date: seconds since 1970.
    pub time: i64,
    /// The author's date.
    pub author_time: i64,
    /// The author's name.
    pub author: String,
    /// The author's mail address.
    pub email: String,
    /// The first line of the message.
    pub subject: String,
}

impl Commit {
    /// Parses a commit by hand: one with a date beyond any calendar, or a name in no known encoding, is
    /// still part of the history.
    fn parse(id: Oid, bytes: &[u8]) -> Option<Commit> {
        let text = String::from_utf8_lossy(bytes);
        let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let fields =
            |name: &'static str| head.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(' '));
        let (author, email, author_time) = person(fields("author").next().unwrap_or_default());
        let (_, _, time) = person(fields("committer").next().unwrap_or_default());
        let subject = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        Some(Commit {
            id,
            tree: oid(fields("tree").next()?)?,
            parents: fields("parent").map(oid).collect::<Option<_>>()?,
            time,
            author_time,
            author: cut(author),
            email: cut(email),
            subject: cut(subject),
        })
    }
}

/// A whole id: git's library takes the beginning of one, too.
fn oid(text: &str) -> Option<Oid> {
    Oid::from_str(text).ok().filter(|_| text.len() == 40)
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// `Name <address> seconds zone`
fn person(text: &str) -> (&str, &str, i64) {
    let (who, when) = text.rsplit_once('>').unwrap_or((text, ""));
    let (name, email) = who.split_once('<').unwrap_or((who, ""));
    let seconds = when.split_whitespace().next().unwrap_or_default();
    let beyond = if seconds.starts_with('-') { i64::MIN } else { i64::MAX };
    let digits = seconds.strip_prefix('-').unwrap_or(seconds);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    (name.trim(), email.trim(), if is_number { seconds.parse().unwrap_or(beyond) } else { 0 })
}

/// Objects of a git repository, for several threads.
pub struct Objects {
    git_dir: PathBuf,
    free: Mutex<Vec<git2::Repository>>,
    /// Commits whose parents are not here, though they name some.
    shallow: HashSet<Oid>,
}

/// A reader for one thread. Similar objects are read fastest through one reader.
pub struct ObjectReader<'a> {
    objects: &'a Objects,
    repository: Option<git2::Repository>,
}

/// The largest list of a shallow clone that is read.
const MOST_SHALLOW: u64 = 256 << 20;

impl Objects {
    /// The objects of the repository at `git_dir`, whose common folder is `common_dir`.
    ///
    /// # Errors
    /// If git refuses to open it.
    pub fn open(git_dir: &Path, common_dir: &Path) -> Result<Objects> {
        let list =
            crate::disk::open::read(&common_dir.join("shallow"), MOST_SHALLOW).ok().flatten().unwrap_or_default();
        let shallow = String::from_utf8_lossy(&list);
        let shallow = shallow.lines().filter_map(|line| Oid::from_str(line).ok()).collect();
        let first = crate::tree::open_git(git_dir)?;
        Ok(Objects { git_dir: git_dir.to_owned(), free: Mutex::new(vec![first]), shallow })
    }

    /// A reader for one thread.
    ///
    /// # Errors
    /// If the repository cannot be opened.
    pub fn reader(&self) -> Result<ObjectReader<'_>> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let repository = match free {
            Some(repository) => repository,
            None => crate::tree::open_git(&self.git_dir)?,
        };
        Ok(ObjectReader { objects: self, repository: Some(repository) })
    }

    /// Whether the clone is shallow and starts at this commit.
    pub fn is_cut(&self, commit: Oid) -> bool {
        self.shallow.contains(&commit)
    }
}

impl Drop for ObjectReader<'_> {
    fn drop(&mut self) {
        let mut free = self.objects.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.extend(self.repository.take());
    }
}

impl ObjectReader<'_> {
    /// The repository itself.
    ///
    /// # Errors
    /// Never in practice.
    pub fn repository(&self) -> Result<&git2::Repository> {
        self.repository.as_ref().context("the git repository was given back already")
    }

    /// The bytes of an object of this kind.
    ///
    /// # Errors
    /// If it does not exist, or is of another kind.
    pub fn read(&self, id: Oid, kind: git2::ObjectType) -> Result<Vec<u8>> {
        let what = || format!("cannot read the {} {id} from git: try `git fsck`; a partial clone lacks it", kind.str());
        let odb = self.repository()?.odb()?;
        let object = odb.read(id).with_context(what)?;
        if object.kind() != kind {
            bail!("{} is no {}", what(), kind.str());
        }
        Ok(object.data().to_vec())
    }

    /// Passes versions of one object to `take` in their order. They are read in batches, the newest of a
    /// batch first: git packs an older version as a delta of a newer one, and its library caches only a
    /// few, so in the other order each reading would start from the newest again.
    ///
    /// # Errors
    /// If one cannot be read, or taken.
    pub fn versions<V: Copy, B>(
        &self,
        versions: &[V],
        size: impl Fn(V) -> usize,
        read: impl Fn(V) -> Result<B>,
        mut take: impl FnMut(V, B) -> Result<()>,
    ) -> Result<()> {
        let mut rest = versions;
        while let Some(first) = rest.first() {
            let count = (BATCH_BYTES / size(*first).max(1)).clamp(4, BATCH).min(rest.len());
            let (batch, after) = rest.split_at(count);
            let mut read = batch.iter().rev().map(|version| read(*version)).collect::<Result<Vec<B>>>()?;
            for version in batch {
                if let Some(bytes) = read.pop() {
                    take(*version, bytes)?;
                }
            }
            rest = after;
        }
        Ok(())
    }

    /// The size of an object.
    ///
    /// # Errors
    /// If it does not exist.
    pub fn size(&self, id: Oid) -> Result<usize> {
        Ok(self.repository()?.odb()?.read_header(id)?.0)
    }

    /// A commit. One at which a shallow clone ends has no parents.
    ///
    /// # Errors
    /// If it does not exist, or is no commit.
    pub fn commit(&self, id: Oid) -> Result<Commit> {
        let bytes = self.read(id, git2::ObjectType::Commit)?;
        let mut commit =
            Commit::parse(id, &bytes).with_context(|| format!("the commit {id} is damaged: try `git fsck`"))?;
        if self.objects.is_cut(id) {
            commit.parents.clear();
        }
        Ok(commit)
    }

    /// The commits from `tip` back along the first parents, oldest first, up to and without the first one
    /// for which `known` returns a value, and that value.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn line<T>(&self, tip: Oid, known: impl Fn(Oid) -> Option<T>) -> Result<(Vec<Commit>, Option<T>)> {
        let mut line = Vec::new();
        let mut next = Some(tip);
        let mut at = None;
        while let Some(id) = next {
            at = known(id);
            if at.is_some() {
                break;
            }
            let commit = self.commit(id)?;
            next = commit.parents.first().copied();
            line.push(commit);
        }
        line.reverse();
        Ok((line, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_whatever_they_call_themselves() {
        assert_eq!(person("Alice <a@x> 12 +0200"), ("Alice", "a@x", 12));
        assert_eq!(person("A <B> <a@x> -5 +0000"), ("A", "B> <a@x", -5));
        assert_eq!(person("<> 99999999999999999999 +0000"), ("", "", i64::MAX));
        assert_eq!(person("<> -99999999999999999999 +0000"), ("", "", i64::MIN));
        for odd in ["", "x", "x <", "<>", "x <y>", "x <y> z", "x <y> - +"] {
            assert_eq!(person(odd).2, 0, "{odd}");
        }
    }

    #[test]
    fn what_is_no_commit_is_none() {
        let id = Oid::ZERO_SHA1;
        assert!(Commit::parse(id, b"").is_none());
        assert!(Commit::parse(id, b"tree 12\n\nx").is_none());
        let zero = "0".repeat(40);
        assert!(Commit::parse(id, format!("tree {zero}\nparent no\n").as_bytes()).is_none());
        let read = Commit::parse(id, format!("tree {zero}\nauthor \u{1b}[31m <x> 1 +0\n\n\n\nHello\nmore").as_bytes());
        assert_eq!(read.map(|commit| commit.subject).as_deref(), Some("Hello"));
    }
}
