//! One file → its records and findings.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;

use super::list::{self, FlatList, KnownList};
use super::role::{Role, role, stem};
use super::{ALTERED_BY_GIT, MAX_FINDINGS_A_FILE, Record, UnreadNames};
use crate::finding::{Finding, Place, Where};
use crate::locate::span_in;
use crate::model::{Domain, Plan, Settings, Subscriber};
use crate::schema::{self, FileKind};
use crate::source::MAX_FILE_BYTES;
use crate::source::{FileId, SourceFile, Span};
use crate::text::count::counted;
use crate::text::quote::quoted;
use crate::tree::{ATTRIBUTES, EntryKind, FileContent, MAX_FOLDERS, TOPS, TreeEntry, altering};
use crate::yaml::{self, Node, NodeKind, Problem, ProblemKind};

/// The result of reading one file. Its file id is not known yet: findings name file 0 until it is.
#[derive(Default)]
pub(super) struct FileRead {
    pub(super) source: Option<Arc<SourceFile>>,
    pub(super) records: Records,
    pub(super) findings: Vec<Finding>,
    /// How many findings were left out.
    pub(super) left_out: usize,
    pub(super) unread: UnreadNames,
    pub(super) in_domains: bool,
    /// If it is a list of flat records, how many nodes it has.
    pub(super) flat_nodes: Option<usize>,
}

#[derive(Default)]
pub(super) enum Records {
    #[default]
    None,
    Plans(Vec<Record<Plan>>),
    Domains(Vec<Record<Domain>>),
    Subscribers(Vec<Record<Subscriber>>),
    Settings(Option<Box<Settings>>),
    Template,
    Git,
}

/// Reads one file. `prefix` is the path of the data repository within its git repository, and `similar` a list
/// that the file may be nearly the same as.
pub(super) fn read_entry(
    entry: &TreeEntry,
    reader: &crate::tree::Reader<'_>,
    prefix: &str,
    similar: Option<&KnownList<'_>>,
) -> Result<FileRead> {
    let whole = Where::File(FileId::default());
    let refused = |message: String, help: &str| FileRead {
        source: Some(SourceFile::new(entry.path.clone(), "").into()),
        findings: vec![Finding::new("file-name", whole.clone(), message).help(help)],
        unread: unread_file(&entry.path, role(&entry.path)),
        in_domains: entry.path.starts_with("domains/"),
        ..FileRead::default()
    };
    let role = role(&entry.path);
    match (&entry.kind, &role) {
        (EntryKind::Symlink(target), Role::Data(_) | Role::Template | Role::Mistaken(_) | Role::Git) => {
            let message = format!("this is a symbolic link to {}, which is not followed", quoted(target));
            return Ok(refused(message, "replace the link with the file itself"));
        }
        (EntryKind::Miscased(folder), _) => {
            let message = "nothing in this folder is read: names of folders are in small letters".to_owned();
            return Ok(refused(
                message,
                &format!("did you mean {}? Rename it, or move its files there", quoted(folder)),
            ));
        }
        (EntryKind::BadName, _) => {
            return Ok(refused("the file's name is not UTF-8".into(), "rename it with letters, digits and . _ -"));
        }
        (EntryKind::Special, Role::Data(_) | Role::Template | Role::Mistaken(_) | Role::Git) => {
            return Ok(refused("this is not a regular file".into(), "replace it with a regular file"));
        }
        (EntryKind::Submodule, _) => {
            let message = "this folder is a git repository of its own: a proposal does not show its content".to_owned();
            return Ok(refused(message, "put the files themselves into this repository"));
        }
        (EntryKind::Altered(altered), Role::Data(_) | Role::Template | Role::Git | Role::MisplacedAttributes) => {
            return Ok(of_rule(ALTERED_BY_GIT, refused(altered.why.clone(), altered.help)));
        }
        (EntryKind::File | EntryKind::Symlink(_) | EntryKind::Special, Role::MisplacedAttributes) => {
            let message = "git attributes are not allowed within the data folders".to_owned();
            let help = "remove the file; attributes of the data belong in .gitattributes at the top";
            return Ok(of_rule(ALTERED_BY_GIT, refused(message, help)));
        }
        (EntryKind::TooDeep, _) => {
            let message = format!("folders nest more than {MAX_FOLDERS} deep: this one is not read");
            return Ok(refused(message, "move the files up"));
        }
        (EntryKind::Folder, _) => {
            return Ok(refused("this is a folder with the name of a file".into(), "rename the folder, without .yaml"));
        }
        (EntryKind::File, Role::Mistaken(why)) => {
            let mut read =
                refused(format!("this file is not read: {why}"), "rename it, or move it out of the data folders");
            read.unread = UnreadNames::default();
            return Ok(read);
        }
        (EntryKind::File, Role::Data(_) | Role::Template | Role::Git) => {}
        _ => return Ok(FileRead::default()),
    }
    let bytes = match reader.read(entry)? {
        FileContent::Bytes(bytes) => bytes,
        FileContent::TooLarge => {
            let message = format!("the file is larger than the {} MiB that are read", MAX_FILE_BYTES / 1024 / 1024);
            return Ok(of_rule("yaml-syntax", refused(message, "split it into several files")));
        }
    };
    let kind = match role {
        Role::Data(kind) => Some(kind),
        Role::Git => return Ok(read_attributes(entry.path.clone(), &bytes, prefix)),
        _ => None,
    };
    let mut read = read_text(entry.path.clone(), bytes, kind, similar);
    if let Some(source) = read.source.as_mut().and_then(Arc::get_mut) {
        source.set_blob(entry.blob);
    }
    Ok(read)
}

fn of_rule(rule: &'static str, mut read: FileRead) -> FileRead {
    read.findings.iter_mut().for_each(|finding| finding.rule = rule);
    read
}

/// A file that configures git. Bytes that are not UTF-8 are not shown, but checked.
fn read_attributes(path: String, bytes: &[u8], prefix: &str) -> FileRead {
    let text = String::from_utf8_lossy(bytes).into_owned();
    // One level up, data is below the last folder of the prefix, and so on.
    let levels = path.matches("../").count();
    let below = levels.checked_sub(1).and_then(|up| prefix.rsplit('/').nth(up));
    let altering = match below {
        _ if !path.ends_with(ATTRIBUTES) => Vec::new(),
        Some(folder) => altering(&text, &[folder]),
        None => altering(&text, if levels == 0 { &TOPS } else { &[] }),
    };
    let findings = altering.into_iter().map(|one| {
        let span = Span::new(one.range.start as u32, one.range.end as u32);
        let message = format!(
            "the attribute {} may make git write other data to disk, or into an archive, than is committed",
            quoted(&one.attribute)
        );
        let help = "remove it, or let its pattern name only other files, such as *.png or /docs/**";
        Finding::new(ALTERED_BY_GIT, Where::Span(FileId::default(), span), message).help(help)
    });
    let findings = findings.collect();
    FileRead {
        source: Some(SourceFile::new(path, text).into()),
        records: Records::Git,
        findings,
        ..FileRead::default()
    }
}

/// The names that may have been in a file that could not be read.
fn unread_file(path: &str, role: Role) -> UnreadNames {
    let Role::Data(FileKind::Plan | FileKind::Domain) = role else {
        return UnreadNames::default();
    };
    UnreadNames { names: BTreeSet::from([stem(path).to_owned()]), any: true }
}

fn read_text(path: String, bytes: Vec<u8>, kind: Option<FileKind>, similar: Option<&KnownList<'_>>) -> FileRead {
    let in_domains = kind == Some(FileKind::Domain);
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let finding = not_utf8(&error);
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let text = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default()).into_owned();
            return FileRead {
                unread: kind.map(|kind| unread_file(&path, Role::Data(kind))).unwrap_or_default(),
                source: Some(SourceFile::cut(path, text, &bytes).into()),
                findings: vec![finding],
                left_out: 0,
                records: if kind == Some(FileKind::Settings) { Records::Settings(None) } else { Records::None },
                in_domains,
                flat_nodes: None,
            };
        }
    };
    let mut read = FileRead { in_domains, ..FileRead::default() };
    match kind {
        None => read.records = Records::Template,
        Some(kind) => read_data(&mut read, &path, &text, kind, similar),
    }
    read.source = Some(SourceFile::new(path, text).into());
    read
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Finding {
    let bytes = error.as_bytes();
    let at = error.utf8_error().valid_up_to() as u32;
    let at = Where::Span(FileId::default(), Span::new(at, at));
    let (message, help) = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("the file is UTF-16, not UTF-8", "save it as UTF-8"),
        _ if bytes.contains(&0) => {
            ("this is a binary file, not a text", "remove it, or move it out of the data folders")
        }
        _ => (
            "a byte here is not UTF-8",
            "save the file as UTF-8; an editor may call the present encoding Latin-1 or Windows-1252",
        ),
    };
    Finding::new("yaml-syntax", at, message).help(help)
}

fn read_data(read: &mut FileRead, path: &str, text: &str, kind: FileKind, similar: Option<&KnownList<'_>>) {
    if kind == FileKind::Subscriber {
        let list = similar.and_then(|known| known.read_similar(text)).or_else(|| list::read(text));
        if let Some(FlatList { records, nodes }) = list {
            read.records = Records::Subscribers(records);
            read.flat_nodes = Some(nodes);
            return;
        }
    }
    let reading = yaml::read(text);
    let document = reading.document;
    let root = document.as_ref().and_then(|document| document.root(text));
    if root.is_none() || reading.problems.iter().any(|problem| problem.kind == ProblemKind::Syntax) {
        read.unread = unread_file(path, Role::Data(kind));
    }
    if reading.problems.is_empty() && root.is_none() && kind != FileKind::Settings {
        let message = "the file has no record";
        let help = "add one, or remove the file; to keep a file without records, write `[]`";
        read.findings.push(Finding::new("schema", Where::File(FileId::default()), message).help(help));
    }
    read.findings.extend(reading.problems.iter().map(problem_finding));
    let misshapen = root.filter(|_| reading.problems.is_empty()).and_then(|root| schema::misshapen(kind, root));
    if let Some(finding) = misshapen {
        read.unread = unread_file(path, Role::Data(kind));
        read.findings.push(finding);
        return;
    }
    let mut records = Vec::new();
    if let Some(root) = root {
        match root.kind() {
            NodeKind::Sequence if kind != FileKind::Settings => {
                records.extend(root.items().enumerate().map(|(index, node)| (Some(index as u32), node)));
            }
            _ => records.push((None, root)),
        }
    }
    let mut typing = Typing { read, path, kind, problems: &reading.problems, left_out: 0 };
    let read_records = match kind {
        FileKind::Plan => Records::Plans(typing.records(records)),
        FileKind::Domain => Records::Domains(typing.records(records)),
        FileKind::Subscriber => Records::Subscribers(typing.records(records)),
        FileKind::Settings => {
            Records::Settings(typing.records(records).into_iter().next().map(|record| Box::new(record.value)))
        }
    };
    typing.report_left_out();
    read.records = read_records;
}

fn problem_finding(problem: &Problem) -> Finding {
    let rule = match problem.kind {
        ProblemKind::Syntax => "yaml-syntax",
        ProblemKind::Ambiguous => "yaml-ambiguous",
    };
    let file = FileId::default();
    let finding =
        Finding::new(rule, Where::Span(file, problem.span), problem.message.clone()).help(problem.help.clone());
    match problem.related {
        Some((span, text)) => finding.related(Where::Span(file, span), text),
        None => finding,
    }
}

/// Nodes → typed records of one file.
struct Typing<'a> {
    read: &'a mut FileRead,
    path: &'a str,
    kind: FileKind,
    problems: &'a [Problem],
    left_out: usize,
}

impl Typing<'_> {
    fn records<'n, T: serde::Deserialize<'n>>(&mut self, nodes: Vec<(Option<u32>, Node<'n>)>) -> Vec<Record<T>> {
        let mut records = Vec::with_capacity(nodes.len());
        for (index, node) in nodes {
            match self.record(index, node) {
                Some(record) => records.push(Record::new(record, FileId::default(), index)),
                None => self.unread(index, node),
            }
        }
        records
    }

    /// The typed record. Its schema is looked at only where it cannot be read: what can be read has no
    /// violation, and violations have places.
    fn record<'n, T: serde::Deserialize<'n>>(&mut self, index: Option<u32>, node: Node<'n>) -> Option<T> {
        let typed = yaml::de::from_node(node);
        let has_problem = self.problems.iter().any(|problem| node.span().contains(problem.span));
        let error = match typed {
            Ok(record) if !has_problem => return Some(record),
            Ok(_) => None,
            Err(error) => Some(error),
        };
        let room = MAX_FINDINGS_A_FILE.saturating_sub(self.read.findings.len());
        if room == 0 {
            // Not described: in a hostile file that would take many times as long as the reading.
            self.left_out += usize::from(error.is_some());
            return None;
        }
        let place = Place::record(FileId::default(), index);
        let mut violations = schema::violations(self.kind, node, &place);
        if let Some(error) = error.filter(|_| violations.is_empty() && !has_problem) {
            violations.push(Finding::new("schema", Where::Place(place), error.to_string()));
        }
        // A place that was reported already, such as an alias, has no value that could fit or not.
        violations.retain(|finding| !self.is_reported(node, &finding.primary.at));
        self.left_out += usize::from(violations.len() > room);
        self.read.findings.extend(violations.into_iter().take(room));
        None
    }

    fn is_reported(&self, record: Node<'_>, at: &Where) -> bool {
        let Where::Place(place) = at else { return false };
        !self.problems.is_empty() && {
            let span = span_in(record, &place.path, place.target);
            self.problems.iter().any(|problem| problem.span == span)
        }
    }

    /// Keeps the name of a record that could not be read: others may refer to it. A file with one record is
    /// named after it, so the record's own name may be what is wrong.
    fn unread(&mut self, index: Option<u32>, node: Node<'_>) {
        if matches!(self.kind, FileKind::Plan | FileKind::Domain) {
            if index.is_none() {
                self.read.unread.names.insert(stem(self.path).to_owned());
            }
            match node.get("name") {
                Some(name) => {
                    self.read.unread.names.insert(name.text().to_owned());
                }
                None => self.read.unread.any = true,
            }
        }
    }

    fn report_left_out(&mut self) {
        if self.left_out > 0 {
            let records = counted(self.left_out, "record has", "records have");
            let message = format!("{records} more findings in this file that are not listed");
            self.read
                .findings
                .push(Finding::new("schema", Where::File(FileId::default()), message).help("fix those above first"));
        }
    }
}
