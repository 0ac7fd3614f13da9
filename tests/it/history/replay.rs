//! History replayed gives the present state: at every commit of generated repositories, with merges,
//! moves, other layouts, versions that cannot be read. And it does so whichever way it was read.

use std::collections::BTreeMap;
use std::path::Path;

use git2::{Oid, Repository, Signature, Time};
use proptest::prelude::*;
use shapeline::git::Git;
use shapeline::history::load;
use shapeline::history::log::HistoryLog;
use shapeline::history::story::Past;
use shapeline::history::text::{self, read};
use shapeline::model::{Plan, Subscriber};
use shapeline::repo::{Repo, data_kind};
use shapeline::schema::FileKind;

use crate::yaml_properties::cases;

type Files = BTreeMap<String, String>;
type State = BTreeMap<String, String>;

const PATHS: [&str; 5] = [
    "subscribers/d.example/a.yaml",
    "subscribers/d.example/b.yaml",
    "subscribers/list.yaml",
    "subscribers/deep/er/z.yml",
    "plans/P.yaml",
];

/// What is written in place of, or beside, a record: some of it valid, some not.
const ODD: [&str; 14] = [
    "# é\n",
    "- [\n",
    "...\n",
    "---\n",
    "- {ip: 10.0.0.77, domain: d.example, plan: P}\n",
    "-   ip: 10.0.0.78\n    domain: d.example\n    plan: P\n",
    "- ip: 10.0.0.79\n  domain: d.example\n  plan: P\n  name: 'two\n    lines'\n",
    "- ip: 10.0.0.80\n  domain: d.example\n  plan: P\n  name: |-\n    - x\n",
    "- ip: 10.0.0.81\n  domain: d.example\n  plan: P\n  speed: 3\n",
    "- ip: 10.0.0.82dd\n  domain: d.example\n  plan: P\n",
    "- ip: &a 10.0.0.83\n  domain: d.example\n  plan: P\n",
    "- ip: 10.0.0.84\r\n  domain: d.example\r\n  plan: P\r\n",
    "- ip: 10.0.0.85\n  domain: d.example\n  plan: P\n  name: Zoë\n",
    "\n\n",
];

fn record(host: u8, plan: u8, more: u8) -> String {
    let more =
        ["", "  status: suspended\n", "  name: \"N x\"\n", "  id: id-1\n", "  labels: {t: \"1\"}\n", "  id: ID2\n"]
            [usize::from(more % 6)];
    format!("- ip: 10.0.0.{}\n  domain: d.example\n  plan: P{}\n{more}", host % 12, plan % 3)
}

/// One step of a repository's life.
#[derive(Clone, Debug)]
enum Step {
    Add { file: u8, at: u8, host: u8, plan: u8, more: u8 },
    Cut { file: u8, at: u8 },
    Change { file: u8, at: u8, plan: u8 },
    Move { from: u8, at: u8, to: u8 },
    Rename { from: u8, to: u8 },
    Odd { file: u8, at: u8, odd: u8 },
    Single { file: u8, host: u8 },
    Mend { file: u8 },
    Plan { rate: u8 },
    Remove { file: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let n = any::<u8>;
    prop_oneof![
        6 => (n(), n(), n(), n(), n()).prop_map(|(file, at, host, plan, more)| Step::Add { file, at, host, plan, more }),
        2 => (n(), n()).prop_map(|(file, at)| Step::Cut { file, at }),
        4 => (n(), n(), n()).prop_map(|(file, at, plan)| Step::Change { file, at, plan }),
        2 => (n(), n(), n()).prop_map(|(from, at, to)| Step::Move { from, at, to }),
        1 => (n(), n()).prop_map(|(from, to)| Step::Rename { from, to }),
        3 => (n(), n(), n()).prop_map(|(file, at, odd)| Step::Odd { file, at, odd }),
        1 => (n(), n()).prop_map(|(file, host)| Step::Single { file, host }),
        2 => n().prop_map(|file| Step::Mend { file }),
        1 => n().prop_map(|rate| Step::Plan { rate }),
        1 => n().prop_map(|file| Step::Remove { file }),
    ]
}

fn path(number: u8) -> String {
    PATHS[usize::from(number) % 4].to_owned()
}

/// The parts of a file, each from a `- ` at the start of a line to the next.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match parts.last_mut() {
            Some(last) if !line.starts_with("- ") => last.push_str(line),
            _ => parts.push(line.to_owned()),
        }
    }
    parts
}

fn edit(files: &mut Files, file: u8, edit: impl FnOnce(&mut Vec<String>)) {
    let mut all = parts(files.get(&path(file)).map_or("", String::as_str));
    edit(&mut all);
    let text = all.concat();
    if text.is_empty() {
        files.remove(&path(file))
    } else {
        files.insert(path(file), text)
    };
}

fn within(at: u8, length: usize) -> usize {
    usize::from(at) % length.max(1)
}

fn apply(files: &mut Files, step: &Step) {
    match *step {
        Step::Add { file, at, host, plan, more } => {
            edit(files, file, |all| all.insert(within(at, all.len() + 1), record(host, plan, more)));
        }
        Step::Cut { file, at } => edit(files, file, |all| {
            if !all.is_empty() {
                all.remove(within(at, all.len()));
            }
        }),
        Step::Change { file, at, plan } => edit(files, file, |all| {
            let at = within(at, all.len());
            if let Some(part) = all.get_mut(at) {
                *part = part.replace("plan: P", &format!("plan: P{}", plan % 3));
            }
        }),
        Step::Move { from, at, to } => {
            let mut moved = None;
            edit(files, from, |all| moved = (!all.is_empty()).then(|| all.remove(within(at, all.len()))));
            edit(files, to, |all| all.extend(moved));
        }
        Step::Rename { from, to } => {
            if let Some(text) = files.remove(&path(from)) {
                files.insert(path(to), text);
            }
        }
        Step::Odd { file, at, odd } => {
            let odd = ODD[usize::from(odd) % ODD.len()].to_owned();
            edit(files, file, |all| all.insert(within(at, all.len() + 1), odd));
        }
        Step::Single { file, host } => {
            let text = format!("ip: 10.0.0.{}\ndomain: d.example\nplan: P\n", host % 12);
            files.insert(path(file), text);
        }
        Step::Mend { file } => {
            let sound = |text: &String| read(FileKind::Subscriber, text).trouble.is_none();
            edit(files, file, |all| all.retain(|part| part.starts_with("- ip: 10") && sound(part)));
            if files.get(&path(file)).is_some_and(|text| !sound(text)) {
                files.remove(&path(file));
            }
        }
        Step::Plan { rate } => {
            let unit = if rate.is_multiple_of(5) { "furlongs" } else { "Mbps" };
            files.insert(PATHS[4].to_owned(), format!("name: P\nup: {} {unit}\ndown: 1 Mbps\n", rate % 7 + 1));
        }
        Step::Remove { file } => drop(files.remove(&path(file))),
    }
}

/// Some commits of a branch, merged; or one on the line, if there is no more than one.
type Round = (Vec<Vec<Step>>, bool);

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let commit = proptest::collection::vec(step(), 1..4);
    proptest::collection::vec((proptest::collection::vec(commit, 1..3), any::<bool>()), 1..14)
}

/// A git repository whose data lies in a folder of it.
struct Made {
    dir: tempfile::TempDir,
    repository: Repository,
    /// The line, oldest first, with the files of each commit.
    line: Vec<(Oid, Files)>,
}

const PREFIX: &str = "net/data";

impl Made {
    fn new(rounds: &[Round]) -> Made {
        let dir = tempfile::tempdir().unwrap();
        let repository = Repository::init(dir.path()).unwrap();
        std::fs::create_dir_all(dir.path().join(PREFIX)).unwrap();
        let mut made = Made { dir, repository, line: Vec::new() };
        let mut files = Files::from([("shapeline.yaml".to_owned(), String::new())]);
        for (number, (commits, merge)) in rounds.iter().enumerate() {
            let merge = &(*merge && number > 0);
            let before = made.line.last().map(|(tip, _)| *tip);
            let mut tip = before;
            for steps in commits {
                steps.iter().for_each(|step| apply(&mut files, step));
                tip = Some(made.commit(&files, &Vec::from_iter(tip)));
                if !merge {
                    made.line.push((tip.unwrap(), files.clone()));
                }
            }
            if let (true, Some(tip)) = (*merge, tip) {
                // A merge may bring something of its own.
                apply(&mut files, &commits[0][0]);
                let parents: Vec<Oid> = before.into_iter().chain([tip]).collect();
                let id = made.commit(&files, &parents);
                made.line.push((id, files.clone()));
            }
        }
        // In the end all can be read, so that the repository's own reader gives the same result.
        for file in 0..4 {
            apply(&mut files, &Step::Mend { file });
        }
        apply(&mut files, &Step::Plan { rate: 1 });
        let tip = made.line.last().map(|(tip, _)| *tip);
        let id = made.commit(&files, &Vec::from_iter(tip));
        made.line.push((id, files));
        made
    }

    fn commit(&self, files: &Files, parents: &[Oid]) -> Oid {
        let mut index = git2::Index::new().unwrap();
        for (path, text) in files {
            let id = self.repository.blob(text.as_bytes()).unwrap();
            index.add(&entry(&format!("{PREFIX}/{path}"), id)).unwrap();
        }
        let tree = index.write_tree_to(&self.repository).unwrap();
        let tree = self.repository.find_tree(tree).unwrap();
        let who = Signature::new("A", "a@x", &Time::new(1_700_000_000, 0)).unwrap();
        let parents: Vec<_> = parents.iter().map(|id| self.repository.find_commit(*id).unwrap()).collect();
        let parents: Vec<_> = parents.iter().collect();
        self.repository.commit(None, &who, &who, "x", &tree, &parents).unwrap()
    }

    fn git(&self) -> Git {
        Git::discover(&self.dir.path().join(PREFIX)).unwrap()
    }
}

/// An entry of an index, for a tree that is written from it.
pub(crate) fn entry(path: &str, id: Oid) -> git2::IndexEntry {
    let zero = git2::IndexTime::new(0, 0);
    git2::IndexEntry {
        ctime: zero,
        mtime: zero,
        dev: 0,
        ino: 0,
        mode: 0o100_644,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}

/// What a file says of a record, and whether that is from an earlier version.
type Said = (String, bool);

/// The state after each commit, the plain way: every file read whole, every time.
fn plainly(line: &[(Oid, Files)]) -> Vec<State> {
    let mut said: BTreeMap<String, BTreeMap<String, Said>> = BTreeMap::new();
    line.iter()
        .map(|(_, files)| {
            said.retain(|path, _| files.contains_key(path));
            for (path, text) in files {
                let Some(kind @ (FileKind::Plan | FileKind::Subscriber)) = data_kind(path) else { continue };
                let version = read(kind, text);
                let before = said.remove(path).unwrap_or_default();
                let mut now = BTreeMap::new();
                for known in version.records {
                    now.entry(known.key).or_insert((known.facts, false));
                }
                if version.trouble.is_some() {
                    for (key, (facts, _)) in before {
                        now.entry(key).or_insert((facts, true));
                    }
                }
                said.insert(path.clone(), now);
            }
            let mut state: BTreeMap<String, Said> = BTreeMap::new();
            for (key, (facts, carried)) in said.values().flatten() {
                let held = state.entry(key.clone()).or_insert((facts.clone(), *carried));
                if held.1 && !carried {
                    *held = (facts.clone(), false);
                }
            }
            state.into_iter().map(|(key, (facts, _))| (key, facts)).collect()
        })
        .collect()
}

fn states(bytes: &[u8], commits: usize) -> Vec<State> {
    let log = HistoryLog::decode(bytes).unwrap();
    let owned = |state: std::collections::HashMap<&str, &str>| {
        state.into_iter().map(|(key, facts)| (key.to_owned(), facts.to_owned())).collect()
    };
    (1..=commits).map(|commits| owned(Past::new(&log, commits).present())).collect()
}

/// What the repository's own reader says.
fn present(git: &Git, commit: Oid) -> State {
    let repo = Repo::load(&git.tree_of(commit)).unwrap();
    assert!(repo.findings.iter().all(|finding| finding.rule != "yaml-syntax"), "{:?}", repo.findings);
    let mut state = State::new();
    let subscribers = repo.subscribers.iter().map(|record| known::<Subscriber>(&record.value));
    let plans = repo.plans.iter().map(|record| known::<Plan>(&record.value));
    for (key, facts) in subscribers.chain(plans) {
        state.entry(key).or_insert(facts);
    }
    state
}

fn known<'a, T>(value: &'a T) -> (String, String)
where
    shapeline::history::facts::Known: From<&'a T>,
{
    let known = shapeline::history::facts::Known::from(value);
    (known.key, known.facts)
}

fn cache(folder: &Path) -> Vec<u8> {
    let mut files = std::fs::read_dir(folder.join(".git/shapeline")).unwrap();
    std::fs::read(files.next().unwrap().unwrap().path()).unwrap()
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn history_replayed_gives_the_state_at_every_commit(rounds in rounds(), stops in any::<u64>()) {
        let made = Made::new(&rounds);
        let git = made.git();
        let (tip, _) = *made.line.last().map(|(tip, files)| (tip, files)).as_ref().unwrap();
        let loaded = load(&git, *tip, false).unwrap();
        prop_assert_eq!(loaded.commits, made.line.len());
        let expected = plainly(&made.line);
        prop_assert_eq!(&states(&loaded.bytes, loaded.commits), &expected);
        prop_assert_eq!(expected.last().unwrap(), &present(&git, *tip));

        // Here and there a run with the cache: each goes on from the last, the bytes are the same.
        for (number, (commit, _)) in made.line.iter().enumerate() {
            if stops >> (number % 64) & 3 == 3 {
                let part = load(&git, *commit, true).unwrap();
                prop_assert_eq!(part.commits, number + 1);
                prop_assert!(part.note.is_none());
                prop_assert_eq!(&states(&part.bytes, part.commits), &expected[..=number]);
            }
        }
        let all = load(&git, *tip, true).unwrap();
        prop_assert_eq!(&all.bytes, &loaded.bytes);
        // An older revision is answered out of it, and leaves it alone.
        let kept = cache(made.dir.path());
        let (first, _) = &made.line[0];
        let old = load(&git, *first, true).unwrap();
        prop_assert_eq!((old.commits, &states(&old.bytes, 1)[..]), (1, &expected[..1]));
        prop_assert_eq!(cache(made.dir.path()), kept);

        // Rewritten history: another commit after a part of the line.
        let at = (stops as usize) % made.line.len();
        let mut files = made.line[at].1.clone();
        apply(&mut files, &Step::Single { file: stops as u8, host: 3 });
        let other = made.commit(&files, &[made.line[at].0]);
        let with = load(&git, other, true).unwrap();
        let without = load(&git, other, false).unwrap();
        prop_assert_eq!(with.bytes, without.bytes);
    }

    #[test]
    fn what_differs_read_alone_is_what_the_whole_says(
        before in proptest::collection::vec(step(), 0..12),
        after in proptest::collection::vec(step(), 1..4),
    ) {
        let mut files = Files::new();
        let all = |step: Step| match step {
            Step::Add { at, host, plan, more, .. } => Step::Add { file: 0, at, host, plan, more },
            Step::Odd { at, odd, .. } => Step::Odd { file: 0, at, odd },
            Step::Change { at, plan, .. } => Step::Change { file: 0, at, plan },
            Step::Cut { at, .. } => Step::Cut { file: 0, at },
            other => other,
        };
        before.into_iter().for_each(|step| apply(&mut files, &all(step)));
        let old = files.get(PATHS[0]).cloned().unwrap_or_default();
        after.into_iter().for_each(|step| apply(&mut files, &all(step)));
        let new = files.get(PATHS[0]).cloned().unwrap_or_default();
        let (was, is) = (read(FileKind::Subscriber, &old), read(FileKind::Subscriber, &new));
        prop_assume!(was.borders);
        let Some(difference) = text::difference(FileKind::Subscriber, &old, &new) else { return Ok(()) };
        prop_assert!(is.borders && is.trouble.is_none(), "{new}");
        prop_assert_eq!(was.shape().after(&difference), Some(is.shape()));
        let mut records: Vec<_> = was.records.iter().map(|known| (&known.key, &known.facts)).collect();
        for known in &difference.removed {
            let at = records.iter().position(|one| *one == (&known.key, &known.facts));
            prop_assert!(at.is_some(), "{known:?}");
            records.remove(at.unwrap());
        }
        records.extend(difference.added.iter().map(|known| (&known.key, &known.facts)));
        let mut expected: Vec<_> = is.records.iter().map(|known| (&known.key, &known.facts)).collect();
        records.sort();
        expected.sort();
        prop_assert_eq!(records, expected);
    }
}
