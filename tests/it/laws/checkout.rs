//! The law of checkouts: the work tree that git makes of a commit holds the commit's data, or it is
//! refused.

use std::path::Path;
use std::process::{Command, Stdio};

use shapeline::repo::{ALTERED_BY_GIT, Repo};
use shapeline::tree::Tree;

const DATA: &str = "subscribers/zz.yaml";

fn git(folder: &Path, args: &[&str]) -> (bool, String) {
    let mut git = Command::new("git");
    git.current_dir(folder).args(args).stdin(Stdio::null());
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let out = git.output().expect("git is needed");
    (out.status.success(), String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Commits the three files with just these bytes, lets git check them out, and holds what is on disk
/// against what is committed. An empty attributes file is left out.
///
/// # Panics
/// If the data file on disk differs from the committed one, line ends aside, and reading the work tree
/// finds nothing wrong.
pub fn agrees_or_is_refused(top: &[u8], below: &[u8], data: &[u8]) {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder");
    let folder = folder.path();
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["config", "filter.other.smudge", "tr a b"]);
    git(folder, &["config", "filter.other.clean", "cat"]);
    let files = [(".gitattributes", top), ("subscribers/.gitattributes", below), (DATA, data)];
    for (path, bytes) in files.into_iter().filter(|(path, bytes)| *path == DATA || !bytes.is_empty()) {
        std::fs::write(folder.join(".git/blob"), bytes).expect("a file can be written");
        let (_, id) = git(folder, &["hash-object", "-w", "--no-filters", ".git/blob"]);
        git(folder, &["update-index", "--add", "--cacheinfo", &format!("100644,{id},{path}")]);
    }
    // It fails where git cannot convert a file, which is then not there.
    git(folder, &["checkout-index", "--all", "--force", "--index"]);
    let read = Repo::load(&Tree::Work { root: folder.to_path_buf() }).expect("it can be read");
    let refused = read.findings.iter().any(|finding| finding.rule == ALTERED_BY_GIT);
    let on_disk = std::fs::read(folder.join(DATA)).unwrap_or_default();
    assert!(refused || unix_line_ends(&on_disk) == unix_line_ends(data), "{files:?} on disk: {on_disk:?}");
}

fn unix_line_ends(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}
