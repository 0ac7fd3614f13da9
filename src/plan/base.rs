//! The data that a plan compares with: an earlier revision, rendered.
//!
//! A change touches few of the files. Where plans, domains and settings stayed as they were, the files of
//! subscribers that both revisions have give the same lines in both: they are neither read nor compared.

use std::sync::Arc;

use anyhow::Result;

use super::Before;
use crate::finding::{Finding, Severity};
use crate::inventory::Context;
use crate::model::Address;
use crate::render::{self, Output, Table};
use crate::repo::{Record, Repo};
use crate::rules;
use crate::text::count::counted;
use crate::tree::Tree;

/// An earlier revision of the data, rendered.
pub(crate) struct BaseData {
    /// The subscribers that it serves, but for those in [`Repo::shared`] files.
    pub(crate) table: Arc<Table>,
    /// The output that it gives.
    pub(crate) bytes: String,
    /// Its limits, and what makes it doubtful.
    pub(crate) known: Before,
}

impl BaseData {
    /// Renders `output` from `tree`, the data of `commit` as messages call it, an earlier state of `head`, and
    /// as of its day. `text` is the output of `head`.
    ///
    /// # Errors
    /// If a file could not be read at all.
    pub(crate) fn read(tree: &Tree, commit: &str, head: &Table, output: &Output, text: &str) -> Result<BaseData> {
        let part = Arc::new(Repo::load_base(tree, head.repo())?);
        if part.shared.is_empty() {
            return Ok(BaseData::of_whole(&part, commit, output, head));
        }
        if let Some(base) = BaseData::of_part(&part, head, output, text) {
            return Ok(base);
        }
        Ok(BaseData::of_whole(&Arc::new(Repo::load_earlier(tree, head.repo())?), commit, output, head))
    }

    /// From what `part` does not share with `head`. `None` if more than the lines of those records may differ,
    /// or something is wrong with them.
    fn of_part(part: &Arc<Repo>, head: &Table, output: &Output, text: &str) -> Option<BaseData> {
        let now = head.repo();
        let rendered_alike = output.is_shaper_format()
            && part.findings.is_empty()
            && part.settings == now.settings
            && same(&part.plans, &now.plans)
            && same(&part.domains, &now.domains);
        if !rendered_alike {
            return None;
        }
        let context = Context::new(part, head.today(), None);
        if errors(&rules::check(&context, Vec::new())) > 0 {
            return None;
        }
        let table = Arc::new(Table::new(part, &context));
        drop(context);
        let bytes = merged(&table, &render::render(&table, output).ok()?.into_text(), head, text)?;
        let known = Before { limits: Some(part.settings.safety.clone()), ..Before::default() };
        Some(BaseData { table, bytes, known })
    }

    /// From all of it.
    fn of_whole(repo: &Arc<Repo>, commit: &str, output: &Output, head: &Table) -> BaseData {
        let context = Context::new(repo, head.today(), None);
        let mut known = Before { limits: Some(repo.settings.safety.clone()), ..Before::default() };
        let errors = errors(&rules::check(&context, Vec::new()));
        if !repo.findings.is_empty() {
            let places = repo.findings.len();
            known.doubts.push(format!(
                "{commit} could not be read in {}: who was served there is not fully known",
                counted(places, "place", "places")
            ));
        } else if errors > 0 {
            known
                .notes
                .push(format!("{commit} does not pass the check itself ({})", counted(errors, "error", "errors")));
        }
        let table = Arc::new(Table::new(repo, &context));
        drop(context);
        let bytes = match render::output(&repo.settings, Some(&output.name)) {
            Err(_) => {
                known.notes.push("the output did not exist there: it is compared with an empty file".to_owned());
                String::new()
            }
            Ok(old) => match render::render(&table, &old) {
                Ok(rendered) => rendered.into_text(),
                Err(finding) => {
                    known.doubts.push(format!(
                        "the template failed in {commit}, so what it wrote is not known: {}",
                        finding.message
                    ));
                    String::new()
                }
            },
        };
        BaseData { table, bytes, known }
    }
}

fn errors(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.severity == Severity::Error).count()
}

fn same<T: PartialEq>(before: &[Record<T>], now: &[Record<T>]) -> bool {
    before.iter().map(|record| &record.value).eq(now.iter().map(|record| &record.value))
}

/// The shaper file of a base: the lines of `own`, its table without the shared files, among those that `text`,
/// the shaper file of `head`, has of the shared ones. `None` if addresses of the two overlap: the order of
/// equal ones is that of the files.
fn merged(own: &Table, own_text: &str, head: &Table, text: &str) -> Option<String> {
    let shared = &own.repo().shared;
    let lines = head.rows().iter().zip(text.split_inclusive('\n'));
    let kept = lines.filter(|(row, _)| shared.contains(&head.subscriber(**row).file));
    let kept = kept.map(|(row, line)| Some((bounds(head.address(*row)), line)));
    let own_lines = own.rows().iter().zip(own_text.split_inclusive('\n'));
    let mut own_lines = own_lines.map(|(row, line)| (bounds(own.address(*row)), line)).peekable();

    let mut merged = String::with_capacity(text.len() + own_text.len());
    let (mut own_end, mut kept_end) = (None, None);
    for next in kept.chain([None]) {
        let is_before = |first| next.is_none_or(|((kept, _), _)| first < kept);
        while let Some(((first, last), line)) = own_lines.next_if(|((first, _), _)| is_before(*first)) {
            if Some(first) <= kept_end {
                return None;
            }
            own_end = own_end.max(Some(last));
            merged.push_str(line);
        }
        let Some(((first, last), line)) = next else { break };
        if Some(first) <= own_end {
            return None;
        }
        kept_end = kept_end.max(Some(last));
        merged.push_str(line);
    }
    Some(merged)
}

/// The first and last address, IPv4 before IPv6.
fn bounds(address: &Address) -> ((bool, u128), (bool, u128)) {
    let (first, last) = address.bounds();
    let v6 = address.net().network().is_ipv6();
    ((v6, first), (v6, last))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::model::Date;
    use crate::plan::{ChangePlan, PlanBase, Side, json, served_by, text};

    /// A record: its address, domain, plan, whether it is suspended, and its term.
    #[derive(Clone, Debug)]
    struct Row(String, usize, usize, bool, usize);

    const FILES: usize = 5;

    impl Row {
        fn yaml(&self) -> String {
            let Row(ip, domain, plan, suspended, term) = self;
            let term = [
                "",
                ", starts: 2026-12-01",
                ", ends: 2026-12-24",
                ", starts: 2026-11-01, ends: 2026-11-20",
                ", starts: 2026-12-24, ends: 2027-01-02",
            ][term % 5];
            let status = if *suspended { ", status: suspended" } else { "" };
            format!("- {{ip: {ip}, domain: d{domain}.example, plan: P{plan}{status}{term}}}\n")
        }
    }

    fn row(number: usize) -> impl Strategy<Value = Row> {
        (0..8_u8, 0..3_usize, 0..3_usize, prop::bool::weighted(0.1), 0..10_usize).prop_map(
            move |(address, domain, plan, suspended, term)| {
                let address = match address {
                    0 => format!("['2001:db8:{:x}::/48', 10.{domain}.0.{number}]", (domain + 1) * 256 + number),
                    1 => format!("10.{domain}.{number}.0/24"),
                    _ => format!("10.{domain}.0.{number}"),
                };
                Row(address, domain, plan, suspended, term)
            },
        )
    }

    /// What becomes of a row: its file, the new row, whether it was there before, and whether it is now.
    type Change = (usize, usize, Row, Row, bool, bool);

    /// Rows by file, before and after: most stay as they are, and some files as a whole.
    fn states() -> impl Strategy<Value = (Vec<Change>, bool)> {
        let changes: Vec<_> = (1..30_usize)
            .map(|number| {
                let kept = prop_oneof![5 => Just(true), 1 => Just(false)];
                (row(number), row(number + 100), 0..FILES, 0..FILES, 0..10_u8, kept.clone(), kept).prop_map(
                    |(before, other, file, moved, how, was, is)| match how {
                        _ if file < 3 => (file, file, before.clone(), before, true, true),
                        0 => (file, moved.max(3), before.clone(), before, was, is),
                        1 => (file, file, before, other, was, is),
                        2 => (file, file, before.clone(), Row(before.0, before.1, other.2, other.3, other.4), was, is),
                        _ => (file, file, before.clone(), before, was, is),
                    },
                )
            })
            .collect();
        (changes, prop::bool::weighted(0.1))
    }

    fn files(rows: impl Iterator<Item = (usize, Row)>, other_rate: bool) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for number in 0..3 {
            let up = if other_rate { 9 } else { number + 1 };
            files.insert(format!("plans/P{number}.yaml"), format!("name: P{number}\nup: {up} Mbps\ndown: 2 Mbps\n"));
            let capacity = "capacity: {up: 1 Gbps, down: 1 Gbps}\n";
            let prefixes = format!("prefixes: [10.{number}.0.0/16, '2001:db8:{:x}::/40']\n", (number + 1) * 256);
            let domain = format!("name: d{number}.example\n{prefixes}{capacity}");
            files.insert(format!("domains/d{number}.example.yaml"), domain);
        }
        for (file, row) in rows {
            *files.entry(format!("subscribers/{file}.yaml")).or_default() += &row.yaml();
        }
        files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect()
    }

    fn committed(files: &BTreeMap<String, Vec<u8>>, git: &Path) -> Tree {
        let repository = git2::Repository::init_bare(git).unwrap();
        let mut editor = git2::build::TreeUpdateBuilder::new();
        for (path, bytes) in files {
            editor.upsert(path.as_str(), repository.blob(bytes).unwrap(), git2::FileMode::Blob);
        }
        let empty = repository.find_tree(repository.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let tree = repository.find_tree(editor.create_updated(&repository, &empty).unwrap()).unwrap();
        let author = git2::Signature::new("A", "a@ispcustomer.co.zw", &git2::Time::new(0, 0)).unwrap();
        let commit = repository.commit(None, &author, &author, "base", &tree, &[]).unwrap();
        Tree::Revision { git_dir: git.to_path_buf(), prefix: String::new(), commit }
    }

    fn table(repo: Repo, today: Date) -> Arc<Table> {
        let repo = Arc::new(repo);
        Arc::new(Table::new(&repo, &Context::new(&repo, today, None)))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn what_is_shared_makes_no_difference((changes, other_rate) in states()) {
            let today: Date = "2026-11-21".parse().unwrap();
            let before = changes.iter().filter(|change| change.4).map(|change| (change.0, change.2.clone()));
            let after = changes.iter().filter(|change| change.5).map(|change| (change.1, change.3.clone()));
            let git = tempfile::tempdir().unwrap();
            let base = committed(&files(before, other_rate), git.path());
            let head = table(Repo::load(&Tree::Memory(files(after, false))).unwrap(), today);
            let output = render::output(&head.repo().settings, None).unwrap();
            let rendered = render::render(&head, &output).unwrap().into_text();
            let shown = |base: &BaseData| {
                let before = Side { served: served_by(&base.table), bytes: base.bytes.as_bytes() };
                let after = Side { served: served_by(&head), bytes: rendered.as_bytes() };
                let name = PlanBase::Revision { name: "main".to_owned(), commit: "0".repeat(40) };
                let plan = ChangePlan::new(&output, name, before, after, &head, base.known.clone());
                let plan = plan.looking_ahead(Some(&base.table), &head);
                (text::text(&plan), json::json(&plan).unwrap(), base.bytes.clone())
            };
            let part = BaseData::read(&base, "main", &head, &output, &rendered).unwrap();
            let some_is_shared = changes.iter().any(|change| change.0 < 3);
            prop_assert_eq!(!part.table.repo().shared.is_empty(), some_is_shared && !other_rate);
            let whole = BaseData::of_whole(&Arc::new(Repo::load(&base).unwrap()), "main", &output, &head);
            prop_assert_eq!(shown(&part), shown(&whole));
        }
    }

    #[test]
    fn of_overlapping_addresses_the_whole_base_decides() {
        let today: Date = "2026-11-21".parse().unwrap();
        let row = |ip: &str| Row(ip.to_owned(), 0, 0, false, 0);
        let head = table(
            Repo::load(&Tree::Memory(files([(0, row("10.0.1.0/29")), (1, row("10.0.1.9"))].into_iter(), false)))
                .unwrap(),
            today,
        );
        let output = render::output(&head.repo().settings, None).unwrap();
        let rendered = render::render(&head, &output).unwrap().into_text();
        for (ip, notes) in [("10.0.1.8", 0), ("10.0.1.0/29", 1), ("10.0.1.3", 1), ("10.0.1.0/24", 1)] {
            let git = tempfile::tempdir().unwrap();
            let base = committed(&files([(0, row("10.0.1.0/29")), (1, row(ip))].into_iter(), false), git.path());
            let base = BaseData::read(&base, "main", &head, &output, &rendered).unwrap();
            assert_eq!(base.known.notes.len(), notes, "{ip}: {:?}", base.known.notes);
            assert_eq!(base.bytes.lines().count(), 2, "{ip}");
        }
    }
}
