//! The allowed signers: a file on the host.
//!
//! Its lines are those that ssh-keygen(1) describes under "allowed signers", and for GPG
//! `gpg FINGERPRINT`. Blank lines and lines with `#` are ignored.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::disk::open::read_all;
#[cfg(unix)]
use crate::disk::trust::open_strictly;
use crate::store::digest;
use crate::text::quote::quoted;

/// The largest signers file that is read.
const MOST_BYTES: u64 = 16 << 20;

/// The allowed keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signers {
    /// Lines for ssh-keygen, passed on as they are.
    pub(super) ssh: String,
    /// Fingerprints, in upper case without spaces.
    pub(super) gpg: BTreeSet<String>,
    /// Of the whole file.
    pub(super) digest: String,
}

impl Signers {
    /// Reads the file, which must not be in the clone `clone`: authors of commits must not decide who may
    /// sign.
    ///
    /// # Errors
    /// If it cannot be read, is in the clone, names no key, or can be written or replaced by a user other
    /// than root and the current one.
    pub(crate) fn read(path: &Path, clone: &Path) -> Result<Signers> {
        let shown = path.display();
        let cannot = || format!("cannot read the allowed signers {shown}");
        let (file, real) = open_strictly(path).with_context(cannot)?;
        if clone.canonicalize().is_ok_and(|clone| real.starts_with(clone)) {
            bail!("the allowed signers {shown} are in the clone: keep them outside, where no commit can change them");
        }
        let text = String::from_utf8(read_all(file, MOST_BYTES).with_context(cannot)?).with_context(cannot)?;
        let signers = Signers::parse(&text).with_context(|| format!("the allowed signers {shown}"))?;
        if signers.ssh.is_empty() && signers.gpg.is_empty() {
            bail!("the allowed signers {shown} name no key: nothing could ever be published");
        }
        Ok(signers)
    }

    fn parse(text: &str) -> Result<Signers> {
        let (mut ssh, mut gpg) = (String::new(), BTreeSet::new());
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_whitespace();
            if words.next() != Some("gpg") {
                if !names_a_key(line) {
                    bail!(
                        "line {number}: {} names no key; write PRINCIPAL KEYTYPE KEY, as in `alice@ispcustomer.co.zw ssh-ed25519 AAAA…`",
                        quoted(line)
                    );
                }
                ssh.push_str(line);
                ssh.push('\n');
                continue;
            }
            // gpg prints it in groups of four.
            let fingerprint = words.collect::<String>().to_ascii_uppercase();
            // Short ids can be forged.
            if !matches!(fingerprint.len(), 40 | 64) || !fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                bail!(
                    "line {number}: {} is no fingerprint: `gpg --fingerprint` shows its 40 digits",
                    quoted(&fingerprint)
                );
            }
            gpg.insert(fingerprint);
        }
        Ok(Signers { ssh, gpg, digest: digest(text.as_bytes()) })
    }
}

/// On other systems only their own permissions protect the file.
#[cfg(not(unix))]
fn open_strictly(path: &Path) -> std::io::Result<(std::fs::File, std::path::PathBuf)> {
    let file = crate::disk::open::regular(path)?.ok_or(std::io::ErrorKind::NotFound)?;
    Ok((file, path.canonicalize()?))
}

/// Whether the line has a key after its principals: a type, followed by the key in base64, which begins
/// with the length of that type (RFC 4253 section 6.6). ssh-keygen checks the rest.
fn names_a_key(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    let is_type = |word: &str| ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| word.starts_with(prefix));
    words.windows(2).any(|pair| is_type(pair[0]) && pair[1].starts_with("AAAA"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_gpg_are_kept_from_ssh() {
        let text = "# the NOC\n\nalice@x ssh-ed25519 AAAA\n  gpg 0123 4567 89ab cdef 0123  4567 89AB CDEF 0123 4567\n\
                    *@gpg ssh-rsa AAAAB\n";
        let signers = Signers::parse(text).unwrap();
        assert_eq!(signers.ssh, "alice@x ssh-ed25519 AAAA\n*@gpg ssh-rsa AAAAB\n");
        assert_eq!(signers.gpg.into_iter().collect::<Vec<_>>(), ["0123456789ABCDEF0123456789ABCDEF01234567"]);
    }

    #[test]
    fn a_line_without_a_key_is_refused_before_anything_is() {
        for line in ["garbage", "ssh-ed25519 AAAAC3Nz", "alice@x ssh-ed25519", "alice@x key AAAAC3Nz", "<<<<<<< HEAD"] {
            let error = format!("{:#}", Signers::parse(&format!("\n{line}\n")).unwrap_err());
            assert!(error.starts_with("line 2: "), "{error}");
        }
        let options = "a@x,b@x namespaces=\"git, file\",cert-authority sk-ssh-ed25519@openssh.com AAAAGnNr comment";
        assert_eq!(Signers::parse(options).unwrap().ssh, format!("{options}\n"));
    }

    #[test]
    fn short_ids_are_no_fingerprints() {
        for line in ["gpg 89ABCDEF", "gpg", "gpg ssh-ed25519 AAAA", "gpg 0123456789ABCDEF0123456789ABCDEF0123456x"] {
            let error = format!("{:#}", Signers::parse(&format!("\n{line}\n")).unwrap_err());
            assert!(error.starts_with("line 2: "), "{error}");
        }
    }
}
