//! What is renamed into place is on the disk: first the bytes, then the name. Read from the system calls,
//! because a test cannot cut the power.

use std::path::{Path, PathBuf};

use super::Site;
use crate::support::strace;

/// The system calls that matter here, for strace.
const CALLS: &str = "trace=fsync,fdatasync,rename,renameat,renameat2,linkat";

/// A system call that matters here.
#[derive(Debug, PartialEq)]
enum Call {
    Flush(PathBuf),
    /// From, to.
    Rename(PathBuf, PathBuf),
}

/// Runs the program in `folder`, and gives its system calls; `None` where they cannot be traced.
fn traced(folder: &Path, args: &[&str]) -> Option<Vec<Call>> {
    let (out, trace) = strace(folder, &["-e", CALLS], args)?;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    Some(calls(&trace))
}

fn calls(trace: &str) -> Vec<Call> {
    let flush = regex::Regex::new(r"f(?:data)?sync\(\d+<(.+)>\)\s+= 0").unwrap();
    let of_folders =
        regex::Regex::new(r#"(?:linkat|renameat2?)\([^<]+<(.+)>, "(.+)", [^<]+<(.+)>, "([^"]+)".*\)\s+= 0"#).unwrap();
    let rename = regex::Regex::new(r#"rename\("(.+)", "(.+)"\)\s+= 0"#).unwrap();
    let call = |line: &str| {
        if let Some(found) = flush.captures(line) {
            return Some(Call::Flush(PathBuf::from(&found[1])));
        }
        if let Some(found) = of_folders.captures(line) {
            return Some(Call::Rename(Path::new(&found[1]).join(&found[2]), Path::new(&found[3]).join(&found[4])));
        }
        let found = rename.captures(line)?;
        Some(Call::Rename(PathBuf::from(&found[1]), PathBuf::from(&found[2])))
    };
    trace.lines().filter_map(call).collect()
}

/// Every rename to a place of interest: the file was flushed before, and its folder is before anything else
/// is renamed.
fn assert_flushed(calls: &[Call], of_interest: impl Fn(&Path) -> bool) {
    let mut seen = 0;
    for (at, call) in calls.iter().enumerate() {
        let Call::Rename(from, to) = call else { continue };
        if !of_interest(to) {
            continue;
        }
        seen += 1;
        assert!(calls[..at].contains(&Call::Flush(from.clone())), "{} was not flushed: {calls:#?}", from.display());
        let folder = Call::Flush(to.parent().unwrap().to_path_buf());
        let after = calls[at + 1..].iter().take_while(|call| matches!(call, Call::Flush(_)));
        assert!(after.into_iter().any(|call| *call == folder), "{} was not flushed: {calls:#?}", to.display());
    }
    assert!(seen > 0, "nothing was renamed: {calls:#?}");
}

#[test]
fn a_published_file_and_its_records_are_on_the_disk() {
    let site = Site::new(3, "");
    let folder = site.live_path().parent().unwrap().canonicalize().unwrap();
    let within = |path: &Path| path.starts_with(&folder);
    for round in 4..6 {
        let Some(calls) = traced(site.repo.path(), &["publish"]) else { return };
        assert_flushed(&calls, within);
        let live = folder.join("shaper.txt");
        assert!(calls.iter().any(|call| matches!(call, Call::Rename(_, to) if *to == live)), "{calls:#?}");
        site.repo.subscriber(&format!("10.10.10.{round}"), 30);
        site.repo.commit("one more");
    }
    let Some(calls) = traced(site.repo.path(), &["rollback", "--target", "hre-1", "--to", "1"]) else { return };
    assert_flushed(&calls, within);
}

#[test]
fn an_edit_is_on_the_disk() {
    let site = Site::new(3, "");
    let folder = site.repo.path().canonicalize().unwrap();
    let edit = ["subscriber", "set", "10.10.10.1", "plan=50_MEG_UP_50_MEG_DOWN"];
    let Some(calls) = traced(site.repo.path(), &edit) else { return };
    assert_flushed(&calls, |path| path.starts_with(&folder) && !path.starts_with(folder.join(".git")));
}

/// A disk that says that it wrote, and did not.
#[test]
fn what_was_not_written_is_not_reported_as_live() {
    let site = Site::new(1, "");
    site.publish(0, &[]);
    let next = |number: u32| {
        site.repo.subscriber(&format!("10.10.10.{number}"), 30);
        site.repo.commit("one more");
    };
    next(2);
    let Some((_, trace)) = strace(site.repo.path(), &["-e", CALLS], &["publish"]) else { return };
    let renames: Vec<&str> = trace.lines().filter(|line| line.contains("renameat(")).collect();
    let live = renames.iter().position(|line| line.contains("\"shaper.txt\"")).unwrap() + 1;
    let before = site.live();
    next(3);
    let lie = format!("inject=renameat:retval=0:when={live}");
    let (out, _) = strace(site.repo.path(), &["-e", CALLS, "-e", &lie], &["publish"]).unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && said.contains("read back, the live file is not what was written"), "{said}");
    assert_eq!(site.live(), before);
    assert_eq!(site.manifest()["live"]["id"], 2);
    site.publish(0, &[]);
    assert_eq!(site.live().lines().count(), 3);
}

/// The version that a rollback made live is the oldest of all.
#[test]
fn the_live_version_is_kept_however_old_it_is() {
    let site = Site::new(1, "keep: 3");
    site.publish(0, &[]);
    for number in 2..=3 {
        site.repo.subscriber(&format!("10.10.10.{number}"), 30);
        site.repo.commit("one more");
        site.publish(0, &[]);
    }
    let first = site.live().lines().next().unwrap().to_owned() + "\n";
    site.settings("keep: 1", "safety: {max_removed: 100%}\n");
    site.repo.commit("keep fewer");
    let run = site.run(&["rollback", "--target", "hre-1", "--to", "1"]);
    assert_eq!((run.code, site.live()), (0, first), "{}", run.stderr);
    let versions = site.manifest()["versions"].as_array().unwrap().clone();
    assert_eq!(versions.iter().map(|version| version["id"].as_u64().unwrap()).collect::<Vec<_>>(), [1]);
    assert!(site.record_path("versions/00000001").exists() && !site.record_path("versions/00000003").exists());
}
