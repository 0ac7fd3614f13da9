//! Several files of the work tree, changed together or not at all.
//!
//! Every new text is first written beside its place; then a journal says that the change is decided;
//! then each file is put in place by a rename. A run that is killed before the journal has changed
//! nothing; one that is killed after it is finished by the next run. A lock keeps two runs apart.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::draft::{ChangedFile, Draft};
use super::journal::{EditJournal, FileStep, check_folders, digest, present, remove_if_there, when};
use crate::disk::open;
use crate::disk::write::{sync_folder, write_atomic};
use crate::git::repository_around;
use crate::text::quote::quoted;
use anyhow::{Context, Result, bail};

/// How long a run waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(30);

const JOURNAL: &str = "journal.json";

/// The files that an edit wrote, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenFiles {
    /// Added or changed.
    pub written: Vec<String>,
    /// Removed.
    pub removed: Vec<String>,
}

/// A locked work tree: no other run of this program edits it while this lives.
#[derive(Debug)]
pub struct WorkTree {
    root: PathBuf,
    /// The folder of the journal and the lock.
    state: PathBuf,
    _lock: File,
}

impl WorkTree {
    /// Takes the lock of the data repository at `root`, waiting for another run to end, and finishes
    /// an interrupted edit. Adds what it finds of one to `notes`.
    ///
    /// # Errors
    /// If another run does not end, the lock cannot be written, or an edit was interrupted half-way:
    /// it is then finished, and the error says so.
    pub fn lock(root: &Path, notes: &mut Vec<String>) -> Result<WorkTree> {
        let root = root.canonicalize().with_context(|| format!("cannot open {}", root.display()))?;
        let state = state_folder(&root)?;
        let cannot = || format!("cannot write in {}", state.display());
        fs::create_dir_all(&state).with_context(cannot)?;
        let lock = state.join("lock");
        let file = open::lock_file(&lock).with_context(|| format!("cannot lock {}", lock.display()))?;
        wait_for(&file, &lock)?;
        let tree = WorkTree { root, state, _lock: file };
        EditJournal::finish(&tree.journal(), &tree.root, notes)?;
        Ok(tree)
    }

    /// The data repository.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn journal(&self) -> PathBuf {
        self.state.join(JOURNAL)
    }
}

impl Draft {
    /// Writes every change to the work tree, all or none.
    ///
    /// # Errors
    /// If a file is not what it was when it was read, or cannot be written: then none is changed,
    /// or the message says which could not be put back.
    pub fn write(self, tree: &WorkTree) -> Result<WrittenFiles> {
        let changes: Vec<ChangedFile<'_>> = self.changes().collect();
        if changes.is_empty() {
            return Ok(WrittenFiles::default());
        }
        for change in &changes {
            check_folders(&tree.root, change.path)?;
            is_as_read(&tree.root, change)?;
        }
        let mut journal = EditJournal::of(&changes);
        // The journal names staged files before they exist, so that none is left behind.
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
        Ok(WrittenFiles { written: paths(false).collect(), removed: paths(true).collect() })
    }
}

/// A warning for readers of the data repository at `root`, if an edit of its files was interrupted
/// half-way. Costs one look-up of a path.
pub fn interrupted_edit(root: &Path) -> Option<String> {
    let state = state_folder(&root.canonicalize().ok()?).ok()?;
    let journal = state.join(JOURNAL);
    if fs::symlink_metadata(&journal).is_err() || is_held(&state.join("lock")) {
        return None;
    }
    Some(format!(
        "an edit of several files was interrupted{}, and part of it may be in the files that are read here: `git diff` \
         shows it, the next edit by `shapeline subscriber` finishes it",
        when(&journal)
    ))
}

/// The folder of the lock and the journal of the data repository at `root`: in git's own folder, or
/// beside the data if there is no git. Its files may be forged: they are trusted with data files only.
///
/// # Errors
/// If git refuses access to the repository. Falling back to another folder would give two users two
/// locks.
fn state_folder(root: &Path) -> Result<PathBuf> {
    let Some(repository) = repository_around(root)? else { return Ok(root.join(".shapeline").join("edit")) };
    let top = repository.workdir().and_then(|top| top.canonicalize().ok());
    let below = top.as_ref().and_then(|top| root.strip_prefix(top).ok()).filter(|below| !below.as_os_str().is_empty());
    let state = repository.path().join("shapeline").join("edit");
    // Several data repositories may lie in one git repository.
    Ok(below.map_or(state.clone(), |below| state.join(digest(below.as_os_str().as_encoded_bytes()))))
}

/// Whether a running edit has the lock, so that none was interrupted.
#[cfg(unix)]
fn is_held(lock: &Path) -> bool {
    use rustix::fs::{FlockOperation, flock};
    let Ok(Some(file)) = open::regular(lock) else { return false };
    flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
}

#[cfg(not(unix))]
fn is_held(_: &Path) -> bool {
    false
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

/// Without file locks, only the comparison with the text as read keeps two runs apart.
#[cfg(not(unix))]
fn wait_for(_: &File, _: &Path) -> Result<()> {
    let _ = (PATIENCE, Instant::now());
    Ok(())
}

fn keep(tree: &WorkTree, journal: &EditJournal) -> Result<()> {
    step_for_tests()?;
    write_atomic(&tree.journal(), &serde_json::to_vec(journal)?)?;
    step_for_tests()?;
    Ok(())
}

fn is_as_read(root: &Path, change: &ChangedFile<'_>) -> Result<()> {
    if present(&root.join(change.path))?.as_deref() != change.before.map(str::as_bytes) {
        bail!("{} was changed while the edit was made; nothing was written: try again", quoted(change.path));
    }
    Ok(())
}

/// Writes every new text beside its place, and syncs it. Adds the folders that it makes to `folders`.
fn stage(
    tree: &WorkTree,
    journal: &EditJournal,
    changes: &[ChangedFile<'_>],
    folders: &mut Vec<PathBuf>,
) -> Result<()> {
    for (step, change) in journal.files.iter().zip(changes) {
        let (Some(staged), Some(text)) = (step.staged_at(&tree.root), change.after) else { continue };
        let folder = staged.parent().unwrap_or(&tree.root);
        make_folders(folder, folders)?;
        let cannot = || format!("cannot write {}", step.path);
        // Left by a run with the same process id whose journal was removed.
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
fn put(root: &Path, step: &FileStep, change: &ChangedFile<'_>) -> Result<()> {
    // Checked once more, because a rename overwrites whatever is there.
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

/// Restores the files that were changed already, unless another program has changed them since.
fn take_back(tree: &WorkTree, done: &[ChangedFile<'_>]) -> Result<()> {
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

/// Best effort: if the journal stays, the next run cleans up.
fn undo_staging(tree: &WorkTree, journal: &EditJournal, folders: &[PathBuf]) {
    let staged = journal.files.iter().filter_map(|step| step.staged_at(&tree.root));
    let gone = staged.map(|path| remove_if_there(&path)).filter(Result::is_err).count() == 0;
    if gone {
        let _ = remove_if_there(&tree.journal());
    }
    for folder in folders.iter().rev() {
        let _ = fs::remove_dir(folder);
    }
}
