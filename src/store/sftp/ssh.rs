//! The system's own `ssh`: how it is started, and what it says when it fails.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::model::{Access, ServerName};
use crate::text::quote::harmless;

/// Nothing is asked for, nothing but SFTP is opened, unknown servers are refused, and one that is
/// dead is noticed after 15 seconds.
const OPTIONS: &[&str] = &[
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=15",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=2",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    // A shared connection would be one that was opened under other rules than these.
    "ControlMaster=no",
    "ControlPath=none",
    // With less, a dead server goes unmentioned.
    "LogLevel=INFO",
];

/// A server, and how `ssh` reaches it.
#[derive(Clone, Debug)]
pub struct Server {
    name: ServerName,
    identity: Option<PathBuf>,
    known_hosts: Option<PathBuf>,
}

impl Server {
    /// The server that `access` names.
    ///
    /// # Errors
    /// If a file that it names is not there.
    pub fn new(access: &Access<'_>) -> Result<Server> {
        let name = access.url.server().context("the URL names no server")?.clone();
        let identity =
            access.identity.map(|path| file(path.as_str(), "identity", "the private key's file")).transpose()?;
        let known_hosts = access
            .known_hosts
            .map(|path| file(path.as_str(), "known_hosts", "a file of servers' keys, made with ssh-keyscan"))
            .transpose()?;
        Ok(Server { name, identity, known_hosts })
    }

    /// Its name, for messages.
    pub fn host(&self) -> &str {
        &self.name.host
    }

    fn command(&self, program: &Path) -> Command {
        let mut ssh = Command::new(program);
        crate::process::WITHHELD.iter().for_each(|name| {
            ssh.env_remove(name);
        });
        let mut option = |text: &str| {
            ssh.args(["-o", text]);
        };
        OPTIONS.iter().for_each(|text| option(text));
        if let Some(identity) = &self.identity {
            option(&format!("IdentityFile={}", spelled(identity)));
            option("IdentitiesOnly=yes");
        }
        if let Some(known_hosts) = &self.known_hosts {
            option(&format!("UserKnownHostsFile={}", spelled(known_hosts)));
            option("GlobalKnownHostsFile=/dev/null");
        }
        if let Some(port) = self.name.port {
            ssh.args(["-p", &port.to_string()]);
        }
        if let Some(user) = &self.name.user {
            ssh.args(["-l", user]);
        }
        ssh.args(["-s", "--", &self.name.host, "sftp"]);
        ssh
    }

    /// Starts `program`, which is `ssh`; gives what is written to the server and what it answers. Within the runtime.
    ///
    /// # Errors
    /// If there is no `ssh`.
    pub fn start(&self, program: &Path) -> Result<(Ssh, ChildStdin, ChildStdout)> {
        let mut command = self.command(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // An interrupt at the keyboard is for us: the connection is needed to put things in order.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().context("cannot run ssh: install it (Debian: openssh-client)")?;
        let pipes = child.stdin.take().zip(child.stdout.take()).zip(child.stderr.take());
        let ((stdin, stdout), stderr) = pipes.context("cannot talk to ssh")?;
        let said = Arc::default();
        let listener = tokio::spawn(listen(stderr, Arc::clone(&said)));
        Ok((Ssh { child, said, listener }, stdin, stdout))
    }

    /// What to do about what `ssh` said.
    pub fn advice(&self, said: &str) -> Option<String> {
        let ServerName { host, port, .. } = &self.name;
        let port = port.unwrap_or(22);
        let name = if port == 22 { host.to_string() } else { format!("[{host}]:{port}") };
        let known = self.known_hosts.as_ref().map_or("~/.ssh/known_hosts".to_owned(), |path| shown(path));
        let has = |text: &str| said.contains(text);
        Some(if has("HAS CHANGED") || has("has changed and you have requested strict checking") {
            format!(
                "the server has another key than it had: find out why first. \
                 If it is right, `ssh-keygen -f {known} -R '{name}'` forgets the old one"
            )
        } else if has("Host key verification failed") {
            format!(
                "the server is not known. `ssh-keyscan -p {port} {host} >> {known}` makes it known: \
                 compare what `ssh-keygen -lf {known}` shows with what its administrator says"
            )
        } else if has("are too open") {
            "no other user may read a private key: `chmod 600` its file".to_owned()
        } else if has("Permission denied") || has("Too many authentication failures") {
            "the server takes none of the keys: \
             add the public key to the user's authorized_keys there, or name the right identity in shapeline.yaml"
                .to_owned()
        } else if has("subsystem request failed") {
            "the server offers no SFTP: set `Subsystem sftp internal-sftp` in its sshd_config".to_owned()
        } else if ["refused", "timed out", "no answer", "No route", "Could not resolve"].into_iter().any(has) {
            "is the server up, and the url in shapeline.yaml right?".to_owned()
        } else {
            return None;
        })
    }
}

/// The file that the setting `key` names: absolute, with `~/` for the home folder.
fn file(text: &str, key: &str, what: &str) -> Result<PathBuf> {
    let path = match text.strip_prefix("~/").zip(std::env::home_dir()) {
        Some((rest, home)) => home.join(rest),
        None => std::path::absolute(text).with_context(|| format!("cannot find {}", harmless(text, 200)))?,
    };
    let shown = shown(&path);
    // `ssh` would put something else in their place, and has no option against that.
    if path.to_str().is_none_or(|path| path.contains(['"', '\\']) || path.contains("${")) {
        bail!("{shown} cannot be passed to ssh: a path without \", \\ and ${{ is needed as {key} in shapeline.yaml");
    }
    if !path.is_file() {
        bail!("there is no file {shown}: {key} in shapeline.yaml names {what}");
    }
    Ok(path)
}

fn shown(path: &Path) -> String {
    harmless(&path.to_string_lossy(), 400)
}

/// As `ssh` reads it in an option: quoted, and a percent sign twice.
fn spelled(path: &Path) -> String {
    format!("\"{}\"", path.to_string_lossy().replace('%', "%%"))
}

/// A running `ssh`. It ends when this is dropped.
#[derive(Debug)]
pub struct Ssh {
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
}

impl Ssh {
    /// Ends it, and gives what it said of itself, for which it has `patience`.
    pub async fn end(mut self, patience: Duration) -> String {
        if timeout(patience, self.child.wait()).await.is_err() {
            let _ = self.child.start_kill();
        }
        // A helper that it started may hold the pipe open for ever.
        let _ = timeout(Duration::from_secs(1), &mut self.listener).await;
        self.listener.abort();
        words(&self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Keeps the last of what `ssh` says.
async fn listen(mut from: impl AsyncRead + Unpin, said: Arc<Mutex<Vec<u8>>>) {
    const KEPT: usize = 8192;
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(&buffer[..count]);
        let too_many = said.len().saturating_sub(KEPT);
        said.drain(..too_many);
    }
}

/// The last lines, as one that may be shown: some of it is the server's own.
fn words(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let frame = |c: char| c == '@' || c.is_whitespace();
    let lines: Vec<&str> = said.lines().map(|line| line.trim_matches(frame)).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(20)..];
    let last: Vec<String> = last.iter().map(|line| harmless(line.trim_end_matches('.'), 200)).collect();
    last.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(url: &str, key: Option<&str>) -> Vec<String> {
        let url = url.parse().unwrap();
        let key = key.map(|key| key.parse().unwrap());
        let (identity, known_hosts) = (key.as_ref(), key.as_ref());
        let access = Access { identity, known_hosts, ..Access::of(&url) };
        let command = Server::new(&access).unwrap().command(Path::new("ssh"));
        command.as_std().get_args().map(|text| text.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_url_becomes_arguments_of_ssh() {
        let options = OPTIONS.len() * 2;
        let rest = |url| arguments(url, None)[options..].join(" ");
        assert_eq!(rest("sftp://192.0.2.1/x"), "-s -- 192.0.2.1 sftp");
        assert_eq!(rest("sftp://a@[2001:db8::1]:22/x"), "-p 22 -l a -s -- 2001:db8::1 sftp");
        assert_eq!(rest("sftp://a@hre-1:2222/x"), "-p 2222 -l a -s -- hre-1 sftp");
        assert_eq!(rest("sftp://[2001:db8::1]/x"), "-s -- 2001:db8::1 sftp");
    }

    #[test]
    fn files_are_spelled_as_ssh_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("100% key");
        std::fs::write(&path, "").unwrap();
        let all = arguments("sftp://hre-1/x", Some(path.to_str().unwrap()));
        let spelled = format!("\"{}/100%% key\"", dir.path().display());
        for option in ["IdentityFile", "UserKnownHostsFile"] {
            assert!(all.contains(&format!("{option}={spelled}")), "{all:?}");
        }
        for text in ["/no/such/key", "a\"b", "${HOME}/key"] {
            assert!(format!("{:#}", file(text, "identity", "it").unwrap_err()).contains("identity"));
        }
    }

    #[test]
    fn what_ssh_says_becomes_one_harmless_line() {
        let said = b"\r\n@@@@@@\n@  WARNING: CHANGED!  @\n@@@@@@\nno\x1b[31m \xff\n";
        assert_eq!(words(said), "WARNING: CHANGED!; no\\u{1b}[31m \u{fffd}");
        assert_eq!(words(b""), "");
    }
}
