//! Several files of the work tree, changed together or not at all.
//!
//! Every new text is first written beside its place; then a journal says that the change is decided;
//! then each file is put in place by a rename. Whoever is killed before the journal has changed
//! nothing; what was begun after it the next run finishes. A lock keeps two runs apart.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::draft::{Change, Draft};
use crate::finding::quoted;
use crate::plan::hex;
use crate::write::{sync_folder, write_atomic};

/// How long a run waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(30);

const JOURNAL: &str = "journal.json";
const JOURNAL_VERSION: u32 = 1;

/// Which files were written, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Made or changed.
    pub written: Vec<String>,
    /// Taken away.
    pub removed: Vec<String>,
}

/// A work tree that nobody else edits by this program as long as this lives.
#[derive(Debug)]
pub struct WorkTree {
    root: PathBuf,
    /// Where the journal is.
    office: PathBuf,
    _lock: File,
}

/// What is about to be done, kept beside it.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    version: u32,
    root: PathBuf,
    /// Whether all is staged: from then on the change is made, before that it is not.
    decided: bool,
    files: Vec<Step>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Step {
    path: String,
    /// The new text's name beside the file; nothing for a file that goes.
    staged: Option<String>,
    /// Digests of what is there before and after.
    before: Option<String>,
    after: Option<String>,
}

impl WorkTree {
    /// Takes the lock of the data repository at `root`, waiting for another run to end, and brings
    /// to its end what a run that was cut off left behind. Says of what was left behind in `notes`.
    ///
    /// # Errors
    /// If another run goes on and on, or nothing can be written there.
    pub fn lock(root: &Path, notes: &mut Vec<String>) -> Result<WorkTree> {
        let root = root.canonicalize().with_context(|| format!("cannot open {}", root.display()))?;
        let office = office(&root);
        let cannot = || format!("cannot write in {}", office.display());
        fs::create_dir_all(&office).with_context(cannot)?;
        let lock = office.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock).with_context(cannot)?;
        wait_for(&file, &lock)?;
        let tree = WorkTree { root, office, _lock: file };
        tree.recover(notes)?;
        Ok(tree)
    }

    /// The data repository.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn journal(&self) -> PathBuf {
        self.office.join(JOURNAL)
    }

    /// Ends what a run that was cut off has begun.
    fn recover(&self, notes: &mut Vec<String>) -> Result<()> {
        let path = self.journal();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let journal: Journal = serde_json::from_slice(&bytes)
            .ok()
            .filter(|journal: &Journal| journal.version == JOURNAL_VERSION && journal.files.iter().all(Step::is_plain))
            .with_context(|| {
                format!(
                    "{} is not what this program writes there: look with `git status` whether an edit was cut off \
                     half-way, then remove that file",
                    path.display()
                )
            })?;
        for step in &journal.files {
            if journal.decided && !finish(&journal.root, step)? {
                notes.push(format!(
                    "an edit was cut off, and {} was changed since: it stays as it is; look at it with `git diff`",
                    quoted(&step.path)
                ));
            } else if journal.decided {
                notes.push(format!("an edit that was cut off is finished in {}", quoted(&step.path)));
            }
            if let Some(staged) = step.staged_at(&journal.root) {
                remove_if_there(&staged)?;
            }
        }
        remove_if_there(&path)
    }
}

impl Step {
    /// A journal is only believed if it stays within its root.
    fn is_plain(&self) -> bool {
        let plain = |path: &str| path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        plain(&self.path) && self.staged.as_ref().is_none_or(|name| !name.contains('/') && name.starts_with(STAGED))
    }

    fn at(&self, root: &Path) -> PathBuf {
        root.join(&self.path)
    }

    fn staged_at(&self, root: &Path) -> Option<PathBuf> {
        Some(self.at(root).with_file_name(self.staged.as_ref()?))
    }
}

/// How names of staged files begin: nothing that begins so is read as data.
const STAGED: &str = ".shapeline-";

impl Draft {
    /// Writes every change to the work tree, all or none.
    ///
    /// # Errors
    /// If a file is not what it was when it was read, or cannot be written: then none is changed,
    /// or the message says which could not be put back.
    pub fn write(self, tree: &WorkTree) -> Result<Written> {
        let changes: Vec<Change<'_>> = self.changes().collect();
        if changes.is_empty() {
            return Ok(Written::default());
        }
        for change in &changes {
            check_folders(&tree.root, change.path)?;
            is_as_read(&tree.root, change)?;
        }
        let files: Vec<Step> = changes.iter().enumerate().map(|(number, change)| step(number, change)).collect();
        let mut journal = Journal { version: JOURNAL_VERSION, root: tree.root.clone(), decided: false, files };
        // Named before they are there, so that no staged file is ever left behind.
        keep(tree, &journal)?;
        let mut folders = Vec::new();
        if let Err(error) = stage(tree, &journal, &changes, &mut folders) {
            undo_staging(tree, &journal, &folders);
            return Err(error);
        }
        journal.decided = true;
        if let Err(error) = keep(tree, &journal) {
            undo_staging(tree, &journal, &folders);
            return Err(error);
        }
        for (done, (step, change)) in journal.files.iter().zip(&changes).enumerate() {
            if let Err(error) = put(&tree.root, step, change) {
                take_back(tree, &changes[..=done]).context(format!("{error:#}"))?;
                undo_staging(tree, &journal, &folders);
                return Err(error);
            }
        }
        remove_if_there(&tree.journal())?;
        let paths = |removed: bool| {
            changes.iter().filter(move |change| change.after.is_none() == removed).map(|change| change.path.to_owned())
        };
        Ok(Written { written: paths(false).collect(), removed: paths(true).collect() })
    }
}

/// Where the lock and the journal are: with git, or beside the data where there is no git.
fn office(root: &Path) -> PathBuf {
    match git2::Repository::discover(root) {
        Ok(repository) => repository.path().join("shapeline").join("edit"),
        Err(_) => root.join(".shapeline").join("edit"),
    }
}

#[cfg(unix)]
fn wait_for(file: &File, path: &Path) -> Result<()> {
    use rustix::fs::{FlockOperation, flock};
    let started = Instant::now();
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(error) if error != rustix::io::Errno::WOULDBLOCK && error != rustix::io::Errno::INTR => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
            Err(_) if started.elapsed() > PATIENCE => {
                bail!("another run edits this data and does not end; it holds {}", path.display());
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Elsewhere, that files are as they were read is all that keeps two runs apart.
#[cfg(not(unix))]
fn wait_for(_: &File, _: &Path) -> Result<()> {
    let _ = (PATIENCE, Instant::now());
    Ok(())
}

fn step(number: usize, change: &Change<'_>) -> Step {
    let name = format!("{STAGED}{}-{number}.tmp", std::process::id());
    Step {
        path: change.path.to_owned(),
        staged: change.after.map(|_| name),
        before: change.before.map(|text| digest(text.as_bytes())),
        after: change.after.map(|text| digest(text.as_bytes())),
    }
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn keep(tree: &WorkTree, journal: &Journal) -> Result<()> {
    step_for_tests()?;
    write_atomic(&tree.journal(), &serde_json::to_vec(journal)?)?;
    step_for_tests()?;
    Ok(())
}

/// No folder on the way may be a link: it could lead out of the repository.
fn check_folders(root: &Path, path: &str) -> Result<()> {
    for (at, _) in path.match_indices('/') {
        let folder = root.join(&path[..at]);
        match fs::symlink_metadata(&folder) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => bail!("{} is no ordinary folder: nothing is written below it", folder.display()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
        }
    }
    Ok(())
}

/// What lies at `path`: nothing, or the bytes of an ordinary file.
fn present(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            fs::read(path).map(Some).with_context(|| format!("cannot read {}", path.display()))
        }
        Ok(_) => bail!("{} is no ordinary file", path.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn is_as_read(root: &Path, change: &Change<'_>) -> Result<()> {
    if present(&root.join(change.path))?.as_deref() != change.before.map(str::as_bytes) {
        bail!("{} was changed while the edit was made; nothing was written: try again", quoted(change.path));
    }
    Ok(())
}

/// Writes every new text beside its place, and to the disk. Tells which folders it made.
fn stage(tree: &WorkTree, journal: &Journal, changes: &[Change<'_>], folders: &mut Vec<PathBuf>) -> Result<()> {
    for (step, change) in journal.files.iter().zip(changes) {
        let (Some(staged), Some(text)) = (step.staged_at(&tree.root), change.after) else { continue };
        let folder = staged.parent().unwrap_or(&tree.root);
        make_folders(folder, folders)?;
        let cannot = || format!("cannot write {}", step.path);
        // Left by a run of the same number whose journal somebody removed.
        remove_if_there(&staged)?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(&staged).with_context(cannot)?;
        file.write_all(text.as_bytes()).with_context(cannot)?;
        if let Ok(old) = fs::metadata(step.at(&tree.root)) {
            file.set_permissions(old.permissions()).with_context(cannot)?;
        }
        file.sync_all().with_context(cannot)?;
        step_for_tests()?;
        sync_folder(folder).with_context(cannot)?;
    }
    Ok(())
}

fn make_folders(folder: &Path, made: &mut Vec<PathBuf>) -> Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        fs::create_dir(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        made.push(folder.to_path_buf());
    }
    Ok(())
}

/// Puts one file in place, or away.
fn put(root: &Path, step: &Step, change: &Change<'_>) -> Result<()> {
    // Looked at once more: a rename asks nobody.
    is_as_read(root, change)?;
    let (path, cannot) = (step.at(root), || format!("cannot write {}", step.path));
    match step.staged_at(root) {
        Some(staged) => fs::rename(staged, &path).with_context(cannot)?,
        None => fs::remove_file(&path).with_context(cannot)?,
    }
    step_for_tests()?;
    sync_folder(path.parent().unwrap_or(root)).with_context(cannot)
}

/// For tests, and only in debug builds: `SHAPELINE_AT_STEP="kill 3"` kills the program at the third
/// of its steps here, `fail 3` makes that one fail.
fn step_for_tests() -> Result<()> {
    #[cfg(all(debug_assertions, unix))]
    {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static STEPS: AtomicUsize = AtomicUsize::new(0);
        let number = STEPS.fetch_add(1, Ordering::SeqCst) + 1;
        let asked = std::env::var("SHAPELINE_AT_STEP").unwrap_or_default();
        if asked == format!("kill {number}") {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
        if asked == format!("fail {number}") {
            bail!("step {number} fails for a test");
        }
    }
    Ok(())
}

/// Puts the files that were changed already back as they were, but for what somebody else wrote.
fn take_back(tree: &WorkTree, done: &[Change<'_>]) -> Result<()> {
    for change in done {
        let path = tree.root.join(change.path);
        if present(&path)?.as_deref() != change.after.map(str::as_bytes) {
            continue;
        }
        let back = match change.before {
            Some(text) => write_atomic(&path, text.as_bytes()),
            None => remove_if_there(&path),
        };
        back.with_context(|| format!("{} could not be put back as it was: see `git diff`", quoted(change.path)))?;
    }
    Ok(())
}

/// Best effort: the journal, if it stays, tells the next run.
fn undo_staging(tree: &WorkTree, journal: &Journal, folders: &[PathBuf]) {
    let staged = journal.files.iter().filter_map(|step| step.staged_at(&tree.root));
    let gone = staged.map(|path| remove_if_there(&path)).filter(Result::is_err).count() == 0;
    if gone {
        let _ = remove_if_there(&tree.journal());
    }
    for folder in folders.iter().rev() {
        let _ = fs::remove_dir(folder);
    }
}

/// Does a step of a change that was decided, if it is not done. Says whether all is as decided.
fn finish(root: &Path, step: &Step) -> Result<bool> {
    let path = step.at(root);
    let now = present(&path)?.map(|bytes| digest(&bytes));
    if now == step.after {
        return Ok(true);
    }
    if now != step.before {
        return Ok(false);
    }
    let cannot = || format!("cannot finish an edit of {}", path.display());
    match step.staged_at(root) {
        None => fs::remove_file(&path).with_context(cannot)?,
        Some(staged) if present(&staged)?.map(|bytes| digest(&bytes)) == step.after => {
            fs::rename(&staged, &path).with_context(cannot)?;
        }
        Some(_) => return Ok(false),
    }
    sync_folder(path.parent().unwrap_or(root)).with_context(cannot)?;
    Ok(true)
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
