//! A target for fault injection: a history of commits to publish, a pretend shaper that reloads
//! the live file, and what must hold of the target afterwards.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use shapeline::model::Access;
use shapeline::records::ledger::{Ledger, folder_of};
use shapeline::records::log::{LogEntry, LogStatus};
use shapeline::records::manifest::Pending;
use shapeline::store::open::open_file;
use shapeline::store::s3::{S3Store, Surroundings};
use shapeline::store::{Store, digest};

use crate::servers::moto::Moto;
use crate::servers::sshd::Sshd;
use crate::support::{Repo, Run};

/// The commit that the pretend shaper cannot read once it is [`Ground::broken`].
pub const BAD: usize = 1;

/// A data repository with a history, and one target.
pub struct Ground {
    pub repo: Repo,
    srv: tempfile::TempDir,
    /// What the binary needs in its environment to reach the target.
    environment: BTreeMap<String, String>,
    look: Look,
    /// The commits, each one following from the one before.
    pub commits: Vec<String>,
    /// The file that each of them gives.
    pub files: Vec<Vec<u8>>,
}

/// The address that only this commit has.
fn address_of(commit: usize) -> String {
    format!("10.10.10.{}", 3 + commit)
}

/// How the tests look at the target.
enum Look {
    /// In its folder; and the binary may do so, too.
    Near,
    /// In its folder, though the binary reaches it over a server, which takes its time.
    Far,
    /// At this URL.
    Bucket(String),
}

/// How a process that was to be killed ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Killed,
    Itself,
}

impl Ground {
    /// So many commits, and a target on this host: in memory where there is such a folder. What a
    /// killed process leaves is the same, and hundreds of rounds need not wait for the disk.
    pub fn new(commits: usize) -> Ground {
        let srv = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let here = |path: &Path| format!("url: file://{}", path.display());
        Ground::at(srv, commits, BTreeMap::new(), Look::Near, here)
    }

    /// The same on the disk.
    pub fn on_disk(commits: usize) -> Ground {
        let here = |path: &Path| format!("url: file://{}", path.display());
        Ground::at(tempfile::tempdir().unwrap(), commits, BTreeMap::new(), Look::Near, here)
    }

    /// The same, reached over a server.
    pub fn behind(sshd: &Sshd, commits: usize) -> Ground {
        let (key, known) = (sshd.identity(), sshd.known_hosts());
        let reach = |path: &Path| {
            let (key, known) = (key.display(), known.display());
            format!("url: {}\n    identity: {key}\n    known_hosts: {known}", sshd.url(path))
        };
        Ground::at(tempfile::tempdir().unwrap(), commits, BTreeMap::new(), Look::Far, reach)
    }

    /// The same in a bucket.
    pub fn in_bucket(moto: &Moto, commits: usize) -> Ground {
        let url = format!("s3://{}/hre/shaper.txt", moto.bucket());
        let look = Look::Bucket(url.clone());
        Ground::at(tempfile::tempdir().unwrap(), commits, moto.environment(), look, |_| format!("url: {url}"))
    }

    fn at(
        srv: tempfile::TempDir,
        commits: usize,
        environment: BTreeMap<String, String>,
        look: Look,
        reach: impl Fn(&Path) -> String,
    ) -> Ground {
        let repo = Repo::new();
        let mut ground = Ground { repo, srv, environment, look, commits: Vec::new(), files: Vec::new() };
        std::fs::create_dir(ground.folder()).unwrap();
        ground.write_shaper();
        let reach = reach(&ground.live_path());
        let srv = ground.srv.path().display();
        let commands = match ground.look {
            // The pretend shaper reads files only.
            Look::Bucket(_) => String::new(),
            _ => format!("    check: [sh, '{srv}/check', '{{file}}']\n    reload: [sh, '{srv}/reload']\n"),
        };
        ground.repo.write("shapeline.yaml", format!("targets:\n  - name: hre-1\n    {reach}\n{commands}"));
        for number in 0..commits {
            ground.commit(number);
        }
        ground
    }

    fn commit(&mut self, number: usize) {
        // One that no other has, so that each file is another and none is beyond the limits.
        let addresses = ["10.10.10.1".to_owned(), "10.10.10.2".to_owned(), address_of(number)];
        let plan = "30_MEG_UP_30_MEG_DOWN";
        let record = |ip: &String| format!("- ip: {ip}\n  domain: ispcustomer.co.zw\n  plan: {plan}\n");
        self.repo.write("subscribers/ispcustomer.co.zw/all.yaml", addresses.iter().map(record).collect::<String>());
        self.commits.push(self.repo.commit("next"));
        let line = |ip: &String| format!("{ip} {ip}@ispcustomer.co.zw :=set_attribute {plan}\n");
        self.files.push(addresses.iter().map(line).collect::<String>().into_bytes());
    }

    /// The check and the reload command. Each may kill the publisher that runs it, and the reload
    /// fails on one version if the shaper is broken.
    fn write_shaper(&self) {
        let srv = self.srv.path();
        let kill = |when: &str| format!("if rm kill-{when} 2> /dev/null; then kill -9 $PPID; exit 1; fi\n");
        let check = format!("cd {}\n{}test -s \"$1\"\n", srv.display(), kill("in-check"));
        let load = "if test -e target/shaper.txt; then cp target/shaper.txt loaded; else rm -f loaded; fi\n";
        let fail = format!("if test -e broken && grep -q '^{} ' loaded; then exit 1; fi\n", address_of(BAD));
        let reload =
            format!("cd {}\n{}{load}{}{fail}exit 0\n", srv.display(), kill("before-reload"), kill("after-reload"));
        std::fs::write(srv.join("check"), check).unwrap();
        std::fs::write(srv.join("reload"), reload).unwrap();
    }

    /// The folder that the live file is in.
    pub fn folder(&self) -> PathBuf {
        self.srv.path().join("target")
    }

    /// A file beside that folder: `broken`, `kill-in-check`, `kill-before-reload`, …
    pub fn flag(&self, name: &str, set: bool) {
        let path = self.srv.path().join(name);
        let done = if set { std::fs::write(path, "") } else { std::fs::remove_file(path) };
        assert!(done.is_ok() || !set, "{name}: {done:?}");
    }

    pub fn is_broken(&self) -> bool {
        self.srv.path().join("broken").exists()
    }

    pub fn live_path(&self) -> PathBuf {
        self.folder().join("shaper.txt")
    }

    pub fn live(&self) -> Option<Vec<u8>> {
        let (store, file) = self.open();
        store.read(&file).unwrap().map(|stored| stored.bytes)
    }

    /// What the pretend shaper has loaded.
    fn loaded(&self) -> Option<Vec<u8>> {
        std::fs::read(self.srv.path().join("loaded")).ok()
    }

    /// What was begun and not finished. It is whole, or not there.
    pub fn pending(&self) -> Option<Pending> {
        let (store, file) = self.open();
        Ledger::of(store.as_ref(), &file).pending().unwrap()
    }

    /// The arguments that publish a commit.
    pub fn publish_args(&self, commit: usize) -> Vec<String> {
        ["publish", "--actor", "alice", "--rev", &self.commits[commit]].map(ToOwned::to_owned).to_vec()
    }

    /// The binary, in the data repository.
    pub fn command(&self, args: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
        command.current_dir(self.repo.path()).args(args).env("NO_COLOR", "1").env_remove("GITHUB_ACTIONS");
        command.envs(&self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, args: &[String]) -> Run {
        run(self.command(args).spawn().unwrap())
    }

    pub fn publish(&self, commit: usize) -> Run {
        self.run(&self.publish_args(commit))
    }

    /// Publishes, which must end well.
    pub fn published(&self, commit: usize) {
        let run = self.publish(commit);
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        assert_eq!(self.live().as_ref(), Some(&self.files[commit]));
    }

    /// Runs the binary, which kills itself at that step if it comes to it.
    pub fn killed_at(&self, step: usize, args: &[String]) -> End {
        let out = self.command(args).env("SHAPELINE_AT_STEP", format!("kill {step}")).output().unwrap();
        end(out.status)
    }

    /// Runs the binary until it stops itself at a step: its number or its name. Nothing if it ends
    /// without having come to it.
    pub fn stopped_at(&self, step: &str, args: &[String]) -> Option<Child> {
        let mut child = self.command(args).env("SHAPELINE_AT_STEP", format!("stop {step}")).spawn().unwrap();
        loop {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
            if stat.contains(") T ") {
                return Some(child);
            }
            if child.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Every file of the target and of the shaper, to be put back with [`Ground::restore`].
    pub fn save(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files(self.srv.path()).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    }

    pub fn restore(&self, saved: &[(PathBuf, Vec<u8>)]) {
        for path in files(self.srv.path()) {
            std::fs::remove_file(path).unwrap();
        }
        for (path, bytes) in saved {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    /// The target's folder, in the nearest way.
    pub fn open(&self) -> (Box<dyn Store>, String) {
        let url = match &self.look {
            Look::Bucket(url) => url.parse().unwrap(),
            _ => format!("file://{}", self.live_path().display()).parse().unwrap(),
        };
        let access = Access::of(&url);
        if let Look::Bucket(_) = self.look {
            let around = Surroundings { environment: self.environment.clone(), patience: Default::default() };
            let (folder, file) = url.folder_and_file();
            return (Box::new(S3Store::open_in(&access, folder, &around).unwrap()), file.to_owned());
        }
        open_file(&access).unwrap()
    }

    /// The entries of the log, which must be whole.
    pub fn log(&self) -> Vec<LogEntry> {
        let (store, file) = self.open();
        let log = Ledger::of(store.as_ref(), &file).log().unwrap();
        assert!(log.damage.is_empty(), "the log is whole: {:?}", log.damage);
        let mut runs: Vec<&str> = log.entries.iter().map(|entry| entry.run.as_str()).collect();
        runs.sort_unstable();
        runs.dedup();
        assert_eq!(runs.len(), log.entries.len(), "no run is logged twice: {:#?}", log.entries);
        log.entries
    }

    /// What must hold once a publish or a rollback has ended well: everything is in its place,
    /// nothing is left over, and the shaper has what is live. Gives the log.
    pub fn assert_in_order(&self) -> Vec<LogEntry> {
        let live = self.live().expect("there is a live file");
        let of_live = digest(&live);
        let (store, file) = self.open();
        let ledger = Ledger::of(store.as_ref(), &file);
        assert_eq!(ledger.pending().unwrap(), None, "nothing is pending");
        let manifest = ledger.manifest().unwrap().expect("there is a manifest");
        assert_eq!(manifest.live.as_ref().unwrap().version.digest, of_live, "the manifest tells what is live");
        let kept: Vec<String> = manifest
            .versions
            .iter()
            .map(|version| {
                ledger.read_version(version).unwrap();
                format!("{:08}", version.id)
            })
            .collect();
        let mut there = store.list(&format!("{}/versions", folder_of(&file))).unwrap();
        // A version that no record mentions is overwritten by the next.
        there.retain(|name| *name != format!("{:08}", manifest.next));
        assert_eq!(there, kept, "only what is listed is kept");
        // In a bucket there are no temporary files.
        let left: Vec<PathBuf> =
            files(&self.folder()).into_iter().filter(|path| path.to_string_lossy().contains("shapeline-tmp")).collect();
        assert!(left.is_empty(), "temporary files are left: {left:?}");
        let entries = self.log();
        if let Look::Near = self.look {
            let run = self.run(&["log".to_owned()]);
            assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
            assert_eq!(run.stdout.lines().count(), entries.len(), "{}", run.stdout);
        }
        let last = entries.iter().rfind(|entry| entry.status == LogStatus::Success).expect("something went well");
        assert_eq!(last.digest, Some(of_live), "the log tells what is live: {entries:#?}");
        if !matches!(self.look, Look::Bucket(_)) {
            assert_eq!(self.loaded(), Some(live), "the shaper has what is live");
        }
        entries
    }
}

/// Lets a process go on that has stopped itself, and waits for it.
pub fn resume(child: Child) -> Run {
    let done = Command::new("kill").args(["-CONT", &child.id().to_string()]).status().unwrap();
    assert!(done.success());
    run(child)
}

/// Waits for a process and gathers what it said.
pub fn run(child: Child) -> Run {
    let out = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: out.status.code().unwrap_or(-1), stdout: text(out.stdout), stderr: text(out.stderr) }
}

pub fn end(status: std::process::ExitStatus) -> End {
    match (status.signal(), status.code()) {
        (Some(9), _) => End::Killed,
        (_, Some(_)) => End::Itself,
        _ => panic!("it ended with {status}"),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    entries.filter_map(Result::ok).map(walkdir::DirEntry::into_path).filter(|path| path.is_file()).collect()
}
