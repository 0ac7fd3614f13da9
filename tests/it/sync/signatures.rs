//! Whose commits may go live.

use std::path::PathBuf;
use std::process::Command;

use super::{Host, isolated, line, three};
use crate::support::Run;

impl Host {
    /// A new SSH key; gives its public half as an allowed-signers file wants it.
    pub fn ssh_key(&self, name: &str) -> String {
        let path = self.path(name);
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(&path).status();
        assert!(made.expect("ssh-keygen is needed for the tests").success());
        let public = self.read(&format!("{name}.pub"));
        public.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// Commits one more subscriber, signed with the SSH key, and pushes it.
    pub fn push_signed(&self, number: u32, key: &str) -> String {
        let format = ["-c", "gpg.format=ssh", "-c", &format!("user.signingkey={}", self.path(key).display())].join(" ");
        self.push_with(number, &format.split(' ').collect::<Vec<_>>())
    }

    fn push_with(&self, number: u32, config: &[&str]) -> String {
        self.author.subscriber(&format!("10.10.10.{number}"), 30);
        self.author.git(&["add", "-A"]);
        self.author.git(&[config, &["commit", "-q", "-S", "-m", "signed"]].concat());
        self.author.git(&["push", "--quiet", "origin", "main"]);
        self.author.git(&["rev-parse", "HEAD"])
    }

    fn signers(&self, text: &str) -> PathBuf {
        self.write("signers", text)
    }

    /// One round that takes nothing unsigned.
    fn signed_once(&self, code: i32) -> Run {
        let signers = self.path("signers");
        self.once(code, &["--require-signature", "--allowed-signers", signers.to_str().unwrap()])
    }
}

/// With a key `good` that may sign.
fn host() -> (Host, String) {
    let host = Host::new("");
    let key = host.ssh_key("good");
    host.signers(&format!("# the NOC\nnoc@ispcustomer.co.zw {key}\n"));
    (host, key)
}

fn refused(host: &Host, why: &str) {
    let round = host.signed_once(1);
    assert!(round.stderr.contains(why), "{why}: {}", round.stderr);
    assert!(round.stderr.starts_with("sync: REFUSED, what was published stays: the commit "), "{}", round.stderr);
    assert_eq!(host.status()["state"], "refused");
}

#[test]
fn a_commit_signed_with_a_listed_key_goes_live() {
    let (host, _) = host();
    refused(&host, "it is not signed");
    assert!(!host.path("srv/shaper.txt").exists());
    let commit = host.push_signed(4, "good");
    host.signed_once(0);
    assert_eq!(host.live(), three() + &line(4, 30));
    assert_eq!(host.status()["synced_commit"], commit);
    // Only the tip counts, and that is what is not signed now.
    host.author.subscriber("10.10.10.5", 30);
    host.push("not signed");
    refused(&host, "it is not signed");
    assert_eq!(host.live(), three() + &line(4, 30));
}

#[test]
fn another_key_and_keys_out_of_term_are_refused() {
    let (host, good) = host();
    host.ssh_key("other");
    host.push_signed(4, "other");
    refused(&host, "its SSH signature is not by an allowed key");
    host.push_signed(5, "good");
    for (line, why) in [
        // The date in the commit, November 2026, can be forged.
        (format!("noc valid-before=\"20261110\" {good}"), "key has expired"),
        (format!("noc valid-after=\"21000101\" {good}"), "key is not yet valid"),
        (format!("noc namespaces=\"file\" {good}"), "its SSH signature is not good"),
        ("noc ssh-ed25519 AAAA".to_owned(), "its SSH signature is not by an allowed key"),
    ] {
        host.signers(&line);
        refused(&host, why);
    }
    host.signers(&format!("noc,soc@ispcustomer.co.zw valid-after=\"20200101\",valid-before=\"21000101\" {good}\n"));
    host.signed_once(0);
}

#[test]
fn a_signature_is_of_one_commit() {
    let (host, _) = host();
    let signed = host.push_signed(4, "good");
    // The same signature on another tree.
    let bytes = host.author.git(&["cat-file", "commit", &signed]) + "\n";
    host.author.subscriber("10.10.10.66", 50);
    host.author.git(&["add", "-A"]);
    let tree = host.author.git(&["write-tree"]);
    let forged = format!("tree {tree}\n{}", bytes.split_once('\n').unwrap().1);
    let path = host.write("forged", &forged);
    let forged = host.author.git(&["hash-object", "-t", "commit", "-w", path.to_str().unwrap()]);
    host.author.git(&["reset", "--quiet", "--hard", &forged]);
    host.author.git(&["push", "--quiet", "--force", "origin", "main"]);
    refused(&host, "its SSH signature is not good");
}

/// Whatever a configuration of the clone says about who looks at signatures, it is not asked.
#[test]
fn a_configuration_cannot_name_another_judge() {
    let (host, _) = host();
    let liar = host.script("liar", &format!("touch {}; exit 0", host.path("asked").display()));
    let liar = liar.to_str().unwrap();
    host.ssh_key("other");
    host.write("others", &format!("* {}", host.read("other.pub")));
    for (name, value) in [
        ("gpg.program", liar),
        ("gpg.openpgp.program", liar),
        ("gpg.ssh.program", liar),
        ("gpg.ssh.allowedSignersFile", host.path("others").to_str().unwrap()),
        ("gpg.format", "ssh"),
    ] {
        host.git(&["-C", "clone", "config", name, value]);
    }
    host.push_signed(4, "other");
    refused(&host, "its SSH signature is not by an allowed key");
    assert!(!host.path("asked").exists());
    host.push_signed(5, "good");
    host.signed_once(0);
    assert!(!host.path("asked").exists());
}

#[test]
fn the_signers_are_the_hosts_own() {
    let (host, good) = host();
    let sync = |file: &str| {
        let path = host.path(file);
        host.once(2, &["--require-signature", "--allowed-signers", path.to_str().unwrap()]).stderr
    };
    host.write("clone/signers", &format!("noc {good}\n"));
    assert!(sync("clone/signers").contains("are in the clone"));
    std::os::unix::fs::symlink(host.path("clone/signers"), host.path("link")).unwrap();
    assert!(sync("link").contains("are in the clone"));
    use std::os::unix::fs::PermissionsExt;
    let set_mode = |name: &str, mode| {
        std::fs::set_permissions(host.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // In a folder of its own, as what is written below the host's folder is ours.
    std::fs::create_dir_all(host.path("etc/shapeline")).unwrap();
    host.write("etc/shapeline/signers", &format!("noc {good}\n"));
    std::os::unix::fs::symlink("shapeline/signers", host.path("etc/link")).unwrap();
    let is_fine = |name: &str| {
        let path = host.path(name);
        host.once(1, &["--require-signature", "--allowed-signers", path.to_str().unwrap()]).stderr
    };
    for name in ["etc/shapeline/signers", "etc/link"] {
        let said = is_fine(name);
        assert!(said.contains("is not signed"), "the commit is refused, not {name}: {said}");
    }
    for (at, mode, good_mode) in [
        ("etc/shapeline/signers", 0o666, 0o644),
        ("etc/shapeline/signers", 0o664, 0o644),
        ("etc/shapeline", 0o775, 0o755),
        ("etc", 0o757, 0o755),
    ] {
        set_mode(at, mode);
        for name in ["etc/shapeline/signers", "etc/link"] {
            let said = sync(name);
            assert!(said.contains("users other than its owner may write to") && said.contains(at), "{at}: {said}");
            assert!(said.contains("chmod go-w"), "{said}");
        }
        set_mode(at, good_mode);
    }
    // In a folder like /tmp, what is ours cannot be exchanged by others, and what is theirs does not count.
    set_mode("etc", 0o1777);
    assert!(is_fine("etc/link").contains("is not signed"));
    if crate::servers::sshd::is_root() {
        for (name, owned) in [("etc/link", "etc/link"), ("etc/link", "etc/shapeline/signers"), ("etc/link", "etc")] {
            std::os::unix::fs::lchown(host.path(owned), Some(1234), None).unwrap();
            let said = sync(name);
            assert!(said.contains("belongs to user 1234") && said.contains(owned), "{owned}: {said}");
            std::os::unix::fs::lchown(host.path(owned), Some(0), None).unwrap();
        }
    } else {
        crate::support::left_out("not run as root: nothing can belong to another user");
    }
    std::fs::remove_file(host.path("etc/shapeline/signers")).unwrap();
    assert!(Command::new("mkfifo").arg(host.path("etc/shapeline/signers")).status().unwrap().success());
    assert!(sync("etc/link").contains("not a regular file"));
    host.write("none", "# nobody\n");
    assert!(sync("none").contains("name no key"));
    assert!(sync("missing").contains("cannot read the allowed signers"));
}

/// GnuPG with keys of its own, which are gone with it.
struct Gpg<'h> {
    host: &'h Host,
    home: PathBuf,
}

impl<'h> Gpg<'h> {
    fn new(host: &'h Host, name: &str) -> Gpg<'h> {
        use std::os::unix::fs::PermissionsExt;
        let home = host.path(name);
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
        Gpg { host, home }
    }

    /// Runs gpg, on another day if need be.
    fn run(&self, args: &[&str]) -> String {
        let mut gpg = Command::new("gpg");
        let out =
            isolated(&mut gpg, &self.host.path("")).env("GNUPGHOME", &self.home).arg("--batch").args(args).output();
        let out = out.expect("gpg is needed for the tests");
        assert!(out.status.success(), "gpg {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// A new key; gives its fingerprint.
    fn key(&self, user: &str, more: &[&str], expires: &str) -> String {
        let make = ["--passphrase", "", "--quick-generate-key", user, "ed25519", "sign", expires];
        self.run(&[more, &make].concat());
        let listed = self.run(&["--with-colons", "--list-keys", user]);
        listed.lines().find_map(|line| line.strip_prefix("fpr:")).unwrap().trim_matches(':').to_owned()
    }

    /// Commits one more subscriber, signed by the key, and pushes it.
    fn push(&self, number: u32, key: &str, more: &[&str]) {
        let home = format!("exec env GNUPGHOME={} gpg {} \"$@\"", self.home.display(), more.join(" "));
        let program = self.host.script("gpg-at-home", &home);
        let program = format!("gpg.program={}", program.display());
        self.host
            .push_with(number, &["-c", "gpg.format=openpgp", "-c", &program, "-c", &format!("user.signingkey={key}")]);
    }
}

impl Drop for Gpg<'_> {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").arg("--homedir").arg(&self.home).args(["--kill", "all"]).status();
    }
}

/// Whatever it reports.
#[test]
fn a_gpg_that_does_not_end_well_has_not_verified() {
    let (host, ssh) = host();
    let author = Gpg::new(&host, "author-gpg");
    let key = author.key("alice", &[], "never");
    let signers = host.signers(&format!("noc {ssh}\ngpg {key}\n"));
    author.push(4, &key, &[]);
    let path = std::env::var("PATH").unwrap();
    for (code, why) in [(2, "its GPG signature is not good"), (0, "version 1 is live")] {
        host.script("gpg", &format!("PATH=$OLD gpg \"$@\"; exit {code}"));
        let mut sync = host.sync(&["--once", "--require-signature", "--allowed-signers", signers.to_str().unwrap()]);
        sync.env("GNUPGHOME", &author.home)
            .env("OLD", &path)
            .env("PATH", format!("{}:{path}", host.path("").display()));
        let round = super::run(sync);
        assert_eq!(round.code, i32::from(code != 0), "{}", round.stderr);
        assert!(round.stderr.contains(why), "{why}: {}", round.stderr);
    }
}

/// It may name any file of the host.
#[test]
fn a_target_that_only_unsigned_commits_name_is_left_alone() {
    let (host, _) = host();
    refused(&host, "is not signed");
    host.push("still not signed");
    refused(&host, "is not signed");
    assert_eq!(std::fs::read_dir(host.path("srv")).unwrap().count(), 0);
}

#[test]
fn a_commit_signed_with_a_listed_gpg_key_goes_live() {
    let (host, ssh) = host();
    let author = Gpg::new(&host, "author-gpg");
    let keys: Vec<String> = ["alice", "mallory", "eve"].map(|name| author.key(name, &[], "never")).into();
    let past = ["--faked-system-time", "20200101T000000"];
    let expired = author.key("oscar", &past, "1y");
    // The host knows all keys but eve's.
    let ours = Gpg::new(&host, "host-gpg");
    host.write("keys", &author.run(&["--armor", "--export", &keys[0], &keys[1], &expired]));
    ours.run(&["--import", host.path("keys").to_str().unwrap()]);
    let listed = |fingerprint: &str| host.signers(&format!("noc {ssh}\ngpg {fingerprint}\n"));
    let once = |code: i32, why: &str| {
        let signers = host.path("signers");
        let mut sync = host.sync(&["--once", "--require-signature", "--allowed-signers", signers.to_str().unwrap()]);
        sync.env("GNUPGHOME", &ours.home);
        let round = super::run(sync);
        assert_eq!(round.code, code, "{}", round.stderr);
        assert!(round.stderr.contains(why), "{why}: {}", round.stderr);
    };
    author.push(4, &keys[0], &[]);
    once(1, "the allowed signers name no GPG key");
    listed(&keys[1]);
    once(1, &format!("its GPG signature is of {}, which is not an allowed key", keys[0]));
    listed(&keys[0].to_lowercase());
    once(0, "version 1 is live");
    author.push(5, &keys[1], &[]);
    once(1, "is not an allowed key");
    author.push(6, &keys[2], &[]);
    once(1, "its GPG signature is of a key that gpg does not know");
    listed(&keys[2]);
    once(1, "its GPG signature is of a key that gpg does not know");
    // What SSH signs still counts beside it.
    host.push_signed(7, "good");
    once(0, "version 2 is live");
    author.push(9, &expired, &["--faked-system-time", "20200601T000000"]);
    listed(&expired);
    once(1, "its GPG signature is of a key that has expired");
    // A key that was good and is no more.
    author.push(8, &keys[0], &[]);
    listed(&keys[0]);
    let revocation = author.home.join(format!("openpgp-revocs.d/{}.rev", keys[0]));
    let text = std::fs::read_to_string(revocation).unwrap().replace(":-----BEGIN", "-----BEGIN");
    ours.run(&["--import", host.write("revocation", &text).to_str().unwrap()]);
    once(1, "its GPG signature is of a key that was revoked");
    assert_eq!(host.manifest()["live"]["id"], 2);
}
