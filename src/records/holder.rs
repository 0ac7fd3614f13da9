//! The operator of a run: a process on a host, for a person.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process that holds a lock or writes to the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// For whom.
    pub actor: String,
    /// The host's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// Which boot of the host, and which space of process numbers there: only within those does
    /// the number mean something. Containers of one host share the boot, not the space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    space: Option<String>,
    /// When the process began, in ticks since the boot: process numbers are used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<u64>,
}

impl Operator {
    /// This process.
    pub fn here(actor: String) -> Operator {
        let pid = std::process::id();
        Operator { actor, host: host(), pid, boot: boot(), space: space(), started: started(pid) }
    }

    /// Whether there is no such process here any more. What cannot be seen is not taken for dead:
    /// /proc may hide the processes of others, which a signal finds all the same.
    fn has_ended(&self) -> bool {
        match exists(self.pid) {
            Some(false) => true,
            _ => match read(&format!("/proc/{}/stat", self.pid)) {
                Some(_) => self.started.is_some() && started(self.pid) != self.started,
                None => false,
            },
        }
    }

    /// Whether that process is known to have ended: it ran here, and is not there any more.
    pub fn is_dead(&self) -> bool {
        let here = self.space.is_some() && self.space == space();
        match (&self.boot, boot()) {
            (Some(theirs), Some(ours)) if *theirs == ours => here && self.has_ended(),
            // The same host after another boot: nothing survives that. Names can be shared by two
            // hosts, so another boot alone proves nothing.
            _ => false,
        }
    }
}

/// Who runs this: the name that a build server gives, or the user's.
pub fn actor(named: Option<&str>) -> String {
    let variables = ["SHAPELINE_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "SUDO_USER", "USER", "LOGNAME"];
    let from_environment =
        || variables.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let name =
        named.map(ToOwned::to_owned).or_else(from_environment).or_else(user).unwrap_or_else(|| "unknown".to_owned());
    crate::text::quote::harmless(&name, 80)
}

/// Whether there is a process with this number; nothing if that is unknown.
#[cfg(unix)]
fn exists(pid: u32) -> Option<bool> {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let Some(pid) = pid else { return Some(false) };
    match rustix::process::test_kill_process(pid) {
        Err(rustix::io::Errno::SRCH) => Some(false),
        Ok(()) | Err(rustix::io::Errno::PERM) => Some(true),
        Err(_) => None,
    }
}

#[cfg(not(unix))]
fn exists(_: u32) -> Option<bool> {
    None
}

/// The name of the user that this process runs as; see passwd(5).
#[cfg(unix)]
fn user() -> Option<String> {
    let id = rustix::process::geteuid().as_raw().to_string();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let user = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    };
    users.lines().find_map(user).or(Some(format!("user {id}")))
}

#[cfg(not(unix))]
fn user() -> Option<String> {
    None
}

fn host() -> String {
    let name = read("/proc/sys/kernel/hostname").or_else(|| std::env::var("HOSTNAME").ok());
    crate::text::quote::harmless(name.as_deref().unwrap_or("unknown"), 80)
}

fn boot() -> Option<String> {
    read("/proc/sys/kernel/random/boot_id")
}

fn space() -> Option<String> {
    fs::read_link("/proc/self/ns/pid").ok()?.into_os_string().into_string().ok()
}

/// When a process began; nothing if there is none, or it has ended and only its parent does not
/// know yet. See proc(5), the 22nd field of `stat`: the name before may itself hold spaces.
fn started(pid: u32) -> Option<u64> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn read(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_that_has_ended_is_dead() {
        let me = Operator::here("alice".to_owned());
        assert!(me.started.is_some_and(|started| started > 0), "{me:?}");
        assert!(!me.is_dead());
        let reused = Operator { started: me.started.map(|started| started + 1), ..me.clone() };
        assert!(reused.is_dead(), "another process with that number");
        let gone = Operator { pid: u32::MAX, ..me.clone() };
        assert!(gone.is_dead());
        let elsewhere = Operator { boot: Some("other".to_owned()), ..gone.clone() };
        assert!(!elsewhere.is_dead(), "what happens on another host is not known");
        let unseen = Operator { started: None, ..me.clone() };
        assert!(!unseen.is_dead(), "when it began was not to be seen");
        let in_a_container = Operator { space: Some("pid:[1]".to_owned()), ..gone };
        assert!(!in_a_container.is_dead());
    }
}
