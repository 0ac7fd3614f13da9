//! The connection: every step has its time, and once it is lost everything fails at once.

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use openssh_sftp_client::{Sftp, SftpOptions};
use tokio::runtime::Runtime;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout, timeout_at};

use super::fault::{Fault, lost};
use super::packets::Packets;
use super::remote::Remote;
use super::ssh::{Server, Ssh};
use crate::store::runtime::runtime;

/// Up to this size a transfer goes before those that are larger.
const BRIEF: usize = 256 << 10;

/// The slowest transfer that is waited for, in bytes a second.
const SLOWEST: u64 = 50_000;

/// How a server is spoken to, and how long it is waited for.
#[derive(Clone, Debug)]
pub struct SshClient {
    /// The `ssh` that is run.
    pub program: PathBuf,
    /// How long it may take until the server talks.
    pub connect: Duration,
    /// How long a step may take, and how far a transfer may fall behind 50 kB/s.
    pub stall: Duration,
}

impl Default for SshClient {
    fn default() -> SshClient {
        SshClient { program: PathBuf::from("ssh"), connect: Duration::from_secs(20), stall: Duration::from_secs(60) }
    }
}

/// A connection to a server.
pub struct Link {
    server: Server,
    stall: Duration,
    runtime: &'static Runtime,
    state: Mutex<LinkState>,
    /// How many brief steps are being taken or wait.
    brief: Arc<AtomicUsize>,
}

enum LinkState {
    Up(Box<(Sftp, Ssh)>),
    /// Why.
    Lost(String),
}

impl Link {
    /// Connects to `server`.
    ///
    /// # Errors
    /// If that fails, with what `ssh` says, and what to do about it.
    pub fn connect(server: Server, client: &SshClient) -> Result<Link> {
        let runtime = runtime()?;
        let up = runtime
            .block_on(connect(&server, client))
            .with_context(|| format!("cannot connect to {} by SFTP", server.host()))?;
        let state = Mutex::new(LinkState::Up(Box::new(up)));
        Ok(Link { server, stall: client.stall, runtime, state, brief: Arc::default() })
    }

    fn state(&self) -> MutexGuard<'_, LinkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that is asked of `Sftp` itself, or nothing once the connection is lost.
    pub fn ask<T>(&self, question: impl FnOnce(&Sftp) -> T) -> Option<T> {
        match &*self.state() {
            LinkState::Up(up) => Some(question(&up.0)),
            LinkState::Lost(_) => None,
        }
    }

    /// Takes a step that moves `bytes`, and waits until it is done.
    ///
    /// # Errors
    /// Those of the step; and if the connection is lost, is lost already, or the step's time is up.
    /// The last loses the connection: what was asked might still be done.
    pub fn run<T, F>(&self, bytes: usize, step: impl FnOnce(Remote) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let _turn = self.brief_for(bytes);
        let moved = Arc::new(AtomicU64::new(0));
        let remote = match &*self.state() {
            LinkState::Up(up) => Remote::new(&up.0, Arc::clone(&self.brief), Arc::clone(&moved)),
            LinkState::Lost(why) => return Err(anyhow!("{why}")),
        };
        // A task of its own: if the library panics over what a server sends, we do not.
        let mut task = self.runtime.spawn(step(remote));
        match self.runtime.block_on(patiently(&mut task, self.stall, &moved)) {
            Ok(Ok(Ok(done))) => Ok(done),
            Ok(Ok(Err(error))) => match lost(&error) {
                Some(why) => Err(self.lose(why, Duration::from_secs(2))),
                None => Err(error),
            },
            Ok(Err(_)) => Err(self.lose("its answer cannot be understood", Duration::ZERO)),
            Err(why) => {
                task.abort();
                Err(self.lose(&why, Duration::ZERO))
            }
        }
    }

    /// Until this is dropped, large transfers give way to what moves `bytes`, if that is little.
    pub fn brief_for(&self, bytes: usize) -> Option<Brief> {
        (bytes <= BRIEF).then(|| {
            self.brief.fetch_add(1, Ordering::AcqRel);
            Brief(Arc::clone(&self.brief))
        })
    }

    /// Whether the connection is lost.
    pub fn is_lost(&self) -> bool {
        matches!(&*self.state(), LinkState::Lost(_))
    }

    /// Gives the connection up, for the reason `why`, and says so.
    fn lose(&self, why: &str, patience: Duration) -> anyhow::Error {
        let mut state = self.state();
        let host = self.server.host();
        match std::mem::replace(&mut *state, LinkState::Lost(format!("the connection to {host} is lost"))) {
            // Another thread was first.
            LinkState::Lost(why) => *state = LinkState::Lost(why),
            LinkState::Up(up) => {
                let why = self.runtime.block_on(end(*up, why, patience));
                let colon = if why.is_empty() { "" } else { ": " };
                *state = LinkState::Lost(format!("the connection to {host} is lost{colon}{why}"));
            }
        }
        match &*state {
            LinkState::Lost(why) => anyhow!("{why}"),
            LinkState::Up(_) => anyhow!("the connection to {host} is lost"),
        }
    }
}

/// A brief step is being taken.
pub struct Brief(Arc<AtomicUsize>);

impl Drop for Brief {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Waits for `task` while what it has `moved` does not fall behind [`SLOWEST`] by more than `stall`;
/// then says why it is waited for no longer.
async fn patiently<T>(task: &mut JoinHandle<T>, stall: Duration, moved: &AtomicU64) -> Result<Joined<T>, String> {
    let began = Instant::now();
    loop {
        let bytes = moved.load(Ordering::Acquire);
        let limit = stall + Duration::from_secs(bytes / SLOWEST);
        if let Ok(done) = timeout_at(began + limit, &mut *task).await {
            return Ok(done);
        }
        match moved.load(Ordering::Acquire) {
            now if now / SLOWEST > bytes / SLOWEST => {}
            0 => return Err(format!("no answer for {} seconds", limit.as_secs())),
            now => return Err(format!("it moved only {now} bytes in {} seconds", limit.as_secs())),
        }
    }
}

type Joined<T> = std::result::Result<T, JoinError>;

async fn connect(server: &Server, client: &SshClient) -> Result<(Sftp, Ssh)> {
    let (ssh, stdin, stdout) = server.start(&client.program)?;
    // What is asked leaves at once: we wait for the answer.
    let options = SftpOptions::new().flush_interval(Duration::ZERO);
    let greeting = tokio::spawn(async move { Sftp::new(stdin, Packets::new(stdout), options).await });
    let (why, patience) = match timeout(client.connect, greeting).await {
        Ok(Ok(Ok(sftp))) => return Ok((sftp, ssh)),
        Ok(Ok(Err(error))) => (Fault::from(error).to_string(), Duration::from_secs(2)),
        Ok(Err(_)) => ("its answer cannot be understood".to_owned(), Duration::ZERO),
        Err(_) => (format!("no answer for {} seconds", client.connect.as_secs()), Duration::ZERO),
    };
    let said = ssh.end(patience).await;
    let advice = server.advice(&format!("{said} {why}")).unwrap_or_default();
    let parts = [said, why, advice];
    let known: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    Err(anyhow!("{}", if known.is_empty() { "ssh ended without a word".to_owned() } else { known.join(": ") }))
}

/// Why a connection came to its end.
async fn end((sftp, ssh): (Sftp, Ssh), why: &str, patience: Duration) -> String {
    let said = ssh.end(patience).await;
    // Its own reason, which it prints only at the end.
    let reason = match timeout(Duration::from_secs(1), sftp.close()).await {
        Ok(Err(error)) if why.is_empty() => Fault::from(error).to_string(),
        _ => why.to_owned(),
    };
    [said, reason].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}
