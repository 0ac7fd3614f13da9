//! Verifies that a commit is signed with an allowed key.
//!
//! The bytes of the commit go to ssh-keygen or gpg, not through `git verify-commit`: no configuration of
//! git can then name another program or another file of signers, and an SSH key must be valid today, not
//! on the date in the commit.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::signers::Signers;
use super::stop::StopSignal;
use crate::process::capture::program;
use crate::text::quote::harmless;

/// Time limit for each program.
const LIMIT: Duration = Duration::from_secs(60);

/// Verifies the signature of a commit, given as its bytes. Returns the signer, or why the signature is
/// rejected: a sentence.
///
/// # Errors
/// If ssh-keygen or gpg cannot be run.
pub(crate) fn verify(commit: &[u8], signers: &Signers, stop: &StopSignal) -> Result<Result<String, String>> {
    let signed = match split(commit) {
        Ok(signed) => signed,
        Err(reason) => return Ok(Err(reason)),
    };
    let folder = tempfile::Builder::new().prefix("shapeline-verify-").tempdir()?;
    let folder = folder.path();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).with_context(|| format!("cannot write {}/{name}", folder.display()))
    };
    write("signature", &signed.signature)?;
    write("payload", &signed.payload)?;
    if signed.signature.starts_with(b"-----BEGIN SSH SIGNATURE-----") {
        write("allowed-signers", signers.ssh.as_bytes())?;
        by_ssh(folder, stop)
    } else if signed.signature.starts_with(b"-----BEGIN PGP SIGNATURE-----") {
        by_gpg(folder, signers, stop)
    } else {
        Ok(Err("its signature is neither of SSH nor of GPG".to_owned()))
    }
}

struct Signed {
    signature: Vec<u8>,
    /// What was signed: the commit without its signature.
    payload: Vec<u8>,
}

/// Splits a commit as git does: the signature is a header, whose continuation lines begin with a space,
/// and the rest of the commit is what was signed.
fn split(commit: &[u8]) -> Result<Signed, String> {
    const HEADER: &[u8] = b"gpgsig ";
    // Some parts of git read a commit up to such a byte, others past it.
    if commit.contains(&0) {
        return Err("it contains a NUL byte, which no commit has".to_owned());
    }
    let (mut signature, mut payload) = (Vec::new(), Vec::new());
    let (mut count, mut within, mut dropped) = (0, false, false);
    let mut rest = commit;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at(end + 1);
        if line == b"\n" {
            break;
        }
        let goes_on = line.starts_with(b" ");
        if goes_on && within {
            signature.extend_from_slice(&line[1..]);
        } else if let Some(first) = line.strip_prefix(HEADER) {
            (count, within, dropped) = (count + 1, true, false);
            signature.extend_from_slice(first);
        } else if !(goes_on && dropped) {
            within = false;
            // The signature of the same commit in a repository with the other hash.
            dropped = line.starts_with(b"gpgsig-sha256 ");
            if !dropped {
                payload.extend_from_slice(line);
            }
        }
        rest = after;
    }
    payload.extend_from_slice(rest);
    match count {
        0 => Err("it is not signed".to_owned()),
        1 => Ok(Signed { signature, payload }),
        _ => Err("it has more than one signature".to_owned()),
    }
}

fn by_ssh(folder: &Path, stop: &StopSignal) -> Result<Result<String, String>> {
    let ssh_keygen = |arguments: &[&str]| {
        let mut command = program("ssh-keygen");
        command.current_dir(folder).args(arguments).args(["-f", "allowed-signers", "-s", "signature"]);
        command
    };
    // Without a time argument, ssh-keygen uses the current time.
    let found = stop.run(ssh_keygen(&["-Y", "find-principals"]), LIMIT)?;
    if !found.status.success() {
        return Ok(Err(format!("its SSH signature is not by an allowed key ({})", found.complaint())));
    }
    let mut why = "its SSH signature is not good".to_owned();
    for principal in found.stdout.lines().filter(|line| !line.is_empty()) {
        let mut command = ssh_keygen(&["-Y", "verify", "-n", "git", "-I", principal]);
        command.stdin(std::fs::File::open(folder.join("payload"))?);
        let ended = stop.run(command, LIMIT)?;
        if ended.status.success() {
            return Ok(Ok(harmless(principal, 120)));
        }
        why = format!("its SSH signature is not good ({})", ended.complaint());
    }
    Ok(Err(why))
}

fn by_gpg(folder: &Path, signers: &Signers, stop: &StopSignal) -> Result<Result<String, String>> {
    if signers.gpg.is_empty() {
        return Ok(Err("it is signed with GPG, and the allowed signers name no GPG key".to_owned()));
    }
    let mut gpg = program("gpg");
    gpg.current_dir(folder).args(["--batch", "--no-tty", "--status-fd", "1", "--trust-model", "always"]);
    // The host decides which keys are allowed, not a key server.
    gpg.args(["--no-auto-key-retrieve", "--no-auto-check-trustdb", "--verify", "signature", "payload"]);
    let ended = stop.run(gpg, LIMIT)?;
    let signer = judge(&ended.stdout, signers);
    if signer.is_ok() && !ended.status.success() {
        return Ok(Err(format!("its GPG signature is not good ({})", ended.complaint())));
    }
    Ok(signer)
}

/// Interprets the status lines of gpg, see doc/DETAILS of GnuPG. VALIDSIG begins with the fingerprint of
/// the signing key and ends with that of its primary key.
fn judge(status: &str, signers: &Signers) -> Result<String, String> {
    let lines: Vec<Vec<&str>> = status
        .lines()
        .filter_map(|line| line.strip_prefix("[GNUPG:] "))
        .map(|line| line.split(' ').collect())
        .collect();
    let all = |name: &str| lines.iter().filter(|words| words[0] == name).collect::<Vec<_>>();
    for (name, why) in [
        ("REVKEYSIG", "is of a key that was revoked"),
        ("EXPKEYSIG", "is of a key that has expired"),
        ("EXPSIG", "has expired"),
        ("BADSIG", "is not good"),
        ("NO_PUBKEY", "is of a key that gpg does not know"),
        ("ERRSIG", "cannot be verified"),
    ] {
        if !all(name).is_empty() {
            return Err(format!("its GPG signature {why}"));
        }
    }
    let (good, valid) = (all("GOODSIG"), all("VALIDSIG"));
    let ([_], [valid]) = (good.as_slice(), valid.as_slice()) else {
        return Err("its GPG signature is not good, or there are several".to_owned());
    };
    let fingerprints: Vec<&str> = [valid.get(1), valid.last()].into_iter().flatten().copied().collect();
    match fingerprints.iter().find(|fingerprint| signers.gpg.contains(**fingerprint)) {
        Some(fingerprint) => Ok(format!("gpg {fingerprint}")),
        None => {
            let of = harmless(fingerprints.last().copied().unwrap_or_default(), 64);
            Err(format!("its GPG signature is of {of}, which is not an allowed key"))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HEAD: &str = "tree 1\nauthor A\n";

    fn parts(commit: &str) -> Result<(String, String), String> {
        let signed = split(commit.as_bytes())?;
        Ok((String::from_utf8(signed.signature).unwrap(), String::from_utf8(signed.payload).unwrap()))
    }

    #[test]
    fn what_was_signed_is_the_rest() {
        let other = "gpgsig-sha256 a\n b\n";
        let signed = format!("{HEAD}{other}gpgsig one\n two\n \nencoding X\n\ngpgsig in the message\n");
        let (signature, payload) = parts(&signed).unwrap();
        assert_eq!(signature, "one\ntwo\n\n");
        assert_eq!(payload, format!("{HEAD}encoding X\n\ngpgsig in the message\n"));
        // What goes on belongs to the header before it, signature or not.
        let (_, payload) = parts("tree 1\nmergetag x\n y\ngpgsig s\n t\nother z\n w\n\n m").unwrap();
        assert_eq!(payload, "tree 1\nmergetag x\n y\nother z\n w\n\n m");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for (commit, why) in [
            (format!("{HEAD}\ngpgsig x\n"), "not signed"),
            (format!("{HEAD}gpgsig x\nauthor B\ngpgsig y\n\nm"), "more than one"),
            (format!("{HEAD}gpgsig x\n\nm\0n"), "a NUL byte"),
            (String::new(), "not signed"),
        ] {
            let error = parts(&commit).unwrap_err();
            assert!(error.contains(why), "{commit:?}: {error}");
        }
    }

    #[test]
    fn gpg_must_report_one_good_signature_of_a_listed_key() {
        let (main, sub) = ("A".repeat(40), "B".repeat(40));
        let signers =
            |listed: &str| Signers { ssh: String::new(), gpg: [listed.to_owned()].into(), digest: String::new() };
        let valid = format!("[GNUPG:] VALIDSIG {sub} 2026-11-01 1 0 4 0 22 8 00 {main}\n");
        let good = format!("[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG {} Alice\n{valid}", "B".repeat(16));
        assert_eq!(judge(&good, &signers(&main)), Ok(format!("gpg {main}")));
        assert_eq!(judge(&good, &signers(&sub)), Ok(format!("gpg {sub}")));
        for (status, listed, why) in [
            (good.clone(), &"C".repeat(40), "not an allowed key"),
            (good.replace("GOODSIG", "EXPKEYSIG"), &main, "expired"),
            (good.replace("GOODSIG", "REVKEYSIG"), &main, "revoked"),
            (good.replace("GOODSIG", "EXPSIG"), &main, "has expired"),
            (good.replace("GOODSIG", "BADSIG"), &main, "not good"),
            (format!("{good}{good}"), &main, "several"),
            (format!("{good}[GNUPG:] ERRSIG x\n"), &main, "cannot be verified"),
            (valid.clone(), &main, "not good"),
            (String::new(), &main, "not good"),
            // The text of a name is not a status line.
            (
                format!("[GNUPG:] GOODSIG {}\\n{valid}", "B".repeat(16)).replace("\n[GNUPG:] VALID", " VALID"),
                &main,
                "not good",
            ),
        ] {
            let error = judge(&status, &signers(listed)).unwrap_err();
            assert!(error.contains(why), "{status}: {error}");
        }
    }
}
