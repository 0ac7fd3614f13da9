//! A folder on an SSH server, by SFTP over the system's own `ssh`.
//!
//! Of the server two extensions are required that OpenSSH's has: to rename over a file that is
//! there, and to make hard links. Without the first nothing can be replaced in one step, without
//! the second nothing can be created by exactly one of several writers.

mod fault;
mod link;
mod packets;
mod remote;
mod ssh;

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use openssh_sftp_client::file::File;
use openssh_sftp_client::metadata::{MetaData, Permissions};

use self::fault::Fault;
use self::link::Link;
pub use self::link::SshClient;
use self::remote::{Remote, is_file, is_folder, is_link, keep_owner_and_mode};
use self::ssh::Server;
use crate::model::Access;
use crate::store::contract::{
    ContentMark, Expect, Fence, Store, Stored, is_left_behind, is_temporary, temporary_name, writer_name,
};

/// A folder on an SSH server.
pub struct SftpStore {
    link: Link,
    /// What precedes a path in messages: `sftp://user@host:port`.
    server: String,
    folder: String,
    /// Names this writer in what it has not finished.
    writer: String,
    number: AtomicU64,
}

impl SftpStore {
    /// The folder on the server of `access`, and the name of `file` in it: where that is a
    /// symbolic link, those of what it leads to.
    ///
    /// # Errors
    /// If the server cannot be reached, is not known, takes no key, or cannot replace a file in one
    /// step; if there is no such folder, or the file is something else than a file.
    pub fn open(access: &Access<'_>, folder: &str, file: Option<&str>) -> Result<(SftpStore, String)> {
        Self::open_with(access, folder, file, &SshClient::default())
    }

    /// The same by another `ssh`, or with other limits.
    ///
    /// # Errors
    /// As [`SftpStore::open`].
    pub fn open_with(
        access: &Access<'_>,
        folder: &str,
        file: Option<&str>,
        client: &SshClient,
    ) -> Result<(SftpStore, String)> {
        let cannot = || format!("cannot open {}", access.url);
        let link = Link::connect(Server::new(access).with_context(cannot)?, client).with_context(cannot)?;
        let missing = link.ask(|sftp| match (sftp.support_posix_rename(), sftp.support_hardlink()) {
            (false, _) => Some("replace a file in one step (posix-rename@openssh.com)"),
            (_, false) => Some("make hard links (hardlink@openssh.com)"),
            _ => None,
        });
        if let Some(what) = missing.flatten() {
            bail!(
                "{}: the server cannot {what}, as OpenSSH can, so that nothing can be published there safely",
                cannot()
            );
        }
        let asked = (folder.to_owned(), file.map(ToOwned::to_owned));
        let (folder, name) = link.run(0, |remote| find(remote, asked.0, asked.1)).with_context(cannot)?;
        let server = format!("sftp://{}", access.url.authority());
        Ok((SftpStore { link, server, folder, writer: writer_name(), number: AtomicU64::new(0) }, name))
    }

    fn path(&self, name: &str) -> String {
        match name {
            "" => self.folder.clone(),
            name => join(&self.folder, name),
        }
    }

    fn read_at(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let asked = path.to_owned();
        let size = self.link.run(0, |mut remote| async move { remote.size(&asked).await })?;
        let Some(size) = size else { return Ok(None) };
        let path = path.to_owned();
        self.link.run(size, |mut remote| async move { remote.read(&path).await })
    }

    /// Writes `bytes` beside `path`, with the mode and owner that `path` is to have. Gives nothing
    /// if there is a file and none is `wanted`.
    fn stage(&self, path: &str, bytes: &[u8], none_wanted: bool) -> Result<Option<StagedUpload<'_>>> {
        let (folder, file) = split(path)?;
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let temporary = join(folder, &temporary_name(file, &self.writer, number));
        // Records are for this user only.
        let mode = if folder == self.folder { 0o644 } else { 0o640 };
        let plan = Staging { path: path.to_owned(), temporary: temporary.clone(), mode, none_wanted };
        let content = Bytes::copy_from_slice(bytes);
        let file = self.link.run(bytes.len(), |remote| stage(remote, plan, content))?;
        Ok(file.map(|file| StagedUpload { link: &self.link, path: temporary, file, placed: false }))
    }

    fn put_at(&self, path: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<bool> {
        let _turn = self.link.brief_for(bytes.len());
        let after_a_break = |known: &'static str| {
            move |error: anyhow::Error| if self.link.is_lost() { error.context(known) } else { error }
        };
        let not_yet = "it was not replaced";
        let staged = self.stage(path, bytes, expect == Expect::Nothing).map_err(after_a_break(not_yet))?;
        let Some(staged) = staged else { return Ok(false) };
        if let Expect::Content(mark) = expect {
            let now = self.read_at(path).map_err(after_a_break(not_yet))?;
            if now.is_none_or(|bytes| ContentMark::of(&bytes) != *mark) {
                return Ok(false);
            }
        }
        // Only now: a process that takes the lock from us removes what we staged before, so that from
        // here on either the fence stops us or the rename does.
        fence()?;
        let unknown = "it was replaced or not, which must be read again: the connection broke at that moment";
        staged.place(path, expect == Expect::Nothing).map_err(after_a_break(unknown))
    }
}

impl Store for SftpStore {
    fn read(&self, name: &str) -> Result<Option<Stored>> {
        let bytes = self.read_at(&self.path(name)).with_context(|| format!("cannot read {}", self.place(name)))?;
        Ok(bytes.map(Stored::of))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let path = self.path(folder);
        let names = self.link.run(0, |mut remote| async move { remote.names(&path).await });
        let mut names = names.with_context(|| format!("cannot list {}", self.place(folder)))?;
        names.retain(|name| !is_temporary(name));
        Ok(names)
    }

    fn put(&self, name: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<Option<ContentMark>> {
        let done = self
            .put_at(&self.path(name), bytes, expect, fence)
            .with_context(|| format!("cannot write {}", self.place(name)))?;
        Ok(done.then(|| ContentMark::of(bytes)))
    }

    fn remove(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        let removed = self.link.run(0, |mut remote| async move { Ok(remote.remove(&path).await?) });
        removed.with_context(|| format!("cannot remove {}", self.place(name)))
    }

    fn sweep(&self, folder: &str, only: Option<&str>) -> Result<()> {
        let (path, writer, only) = (self.path(folder), self.writer.clone(), only.map(ToOwned::to_owned));
        let swept = self.link.run(0, |mut remote| async move {
            for name in remote.names(&path).await? {
                if is_left_behind(&name, &writer, only.as_deref()) {
                    remote.remove(&join(&path, &name)).await.with_context(|| format!("cannot remove {name}"))?;
                }
            }
            Ok(())
        });
        swept.with_context(|| format!("cannot clear up {}", self.place(folder)))
    }

    fn place(&self, name: &str) -> String {
        format!("{}{}", self.server, self.path(name))
    }

    fn notes(&self) -> Vec<String> {
        let kept = self.link.ask(|sftp| sftp.support_fsync()).unwrap_or(true);
        let note = "the server cannot be made to put a file on its disk (fsync@openssh.com): \
                    if it loses power, what was published last may be lost";
        if kept { Vec::new() } else { vec![format!("{}: {note}", self.place(""))] }
    }
}

/// What was written and has not taken its place. Removed when dropped; where that fails, the next
/// holder of the lock sweeps it away.
struct StagedUpload<'a> {
    link: &'a Link,
    path: String,
    file: File,
    placed: bool,
}

impl StagedUpload<'_> {
    /// Gives it its place at `path`: whatever is there, or if there is nothing, as `none_wanted`
    /// says. Whether it was so.
    fn place(mut self, path: &str, none_wanted: bool) -> Result<bool> {
        let (from, to, mut file) = (self.path.clone(), path.to_owned(), self.file.clone());
        self.placed = self.link.run(0, |mut remote| async move {
            let placed = match none_wanted {
                true => remote.link(&from, &to).await,
                false => remote.rename(&from, &to).await.map(|()| true),
            };
            match placed {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(Fault::Absent) => bail!("another writer took over, and removed what this one had written"),
                Err(fault) => return Err(fault.into()),
            }
            // Once more, for the name: SFTP cannot sync a folder to the disk, but file
            // systems keep a file's names with the file.
            remote.sync(&mut file).await.context("it was replaced, but is not on the disk for good")?;
            if none_wanted {
                // It is there; what is left of the other name, a sweep removes.
                let _ = remote.remove(&from).await;
            }
            Ok(true)
        })?;
        Ok(self.placed)
    }
}

impl Drop for StagedUpload<'_> {
    fn drop(&mut self) {
        if !self.placed {
            let path = std::mem::take(&mut self.path);
            let _ = self.link.run(0, |mut remote| async move { Ok(remote.remove(&path).await?) });
        }
    }
}

/// What is written beside which file.
struct Staging {
    path: String,
    temporary: String,
    /// If there is no file yet.
    mode: u16,
    none_wanted: bool,
}

async fn stage(mut remote: Remote, plan: Staging, bytes: Bytes) -> Result<Option<File>> {
    let (folder, _) = split(&plan.path)?;
    remote.make_folders(folder).await?;
    let old = remote.lstat(&plan.path).await?;
    match &old {
        Some(_) if plan.none_wanted => return Ok(None),
        Some(old) if !is_file(old) => bail!("it is no ordinary file, and is not replaced"),
        _ => {}
    }
    let mut file = remote.create(&plan.temporary).await?;
    let Err(error) = fill(&mut remote, &mut file, bytes, old, plan.mode).await else { return Ok(Some(file)) };
    let full = remote.is_full(folder).await;
    let _ = remote.remove(&plan.temporary).await;
    Err(if full { error.context("the disk is full") } else { error })
}

async fn fill(remote: &mut Remote, file: &mut File, bytes: Bytes, old: Option<MetaData>, mode: u16) -> Result<()> {
    // As the server makes files, which is 0666 less its umask.
    let made =
        file.metadata().await.map_err(Fault::from)?.permissions().context("the server does not report its mode")?;
    let mode = Permissions::from_raw(Permissions::from(mode).as_raw() & made.as_raw());
    // No other user can read it before it has its final mode.
    file.set_permissions(Permissions::from(0o600)).await.map_err(Fault::from)?;
    remote.write(file, bytes).await?;
    match old {
        Some(old) => keep_owner_and_mode(file, &old).await?,
        None => file.set_permissions(mode).await.map_err(Fault::from)?,
    }
    Ok(remote.sync(file).await?)
}

/// The folder and the name of the file, without links.
async fn find(mut remote: Remote, folder: String, file: Option<String>) -> Result<(String, String)> {
    match remote.stat(&folder).await? {
        Some(it) if is_folder(&it) => {}
        Some(_) => bail!("{folder} is not a folder on the server"),
        None => bail!("there is no folder {folder} on the server: make it, or correct the url in shapeline.yaml"),
    }
    let folder = remote.real(&folder).await?;
    let Some(file) = file else { return Ok((folder, String::new())) };
    let path = join(&folder, &file);
    match remote.lstat(&path).await? {
        Some(it) if is_link(&it) => {}
        Some(it) if !is_file(&it) => bail!("{path} is no ordinary file, and is not replaced"),
        _ => return Ok((folder, file)),
    }
    match remote.stat(&path).await? {
        Some(it) if is_file(&it) => {}
        Some(_) => bail!("{path} leads to no ordinary file, and is not replaced"),
        None => bail!("{path} is a link that leads nowhere"),
    }
    let real = remote.real(&path).await?;
    let (folder, file) = split(&real)?;
    Ok((folder.to_owned(), file.to_owned()))
}

/// The folder is `/`, or has no `/` at its end.
fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

/// The folder and the name.
fn split(path: &str) -> Result<(&str, &str)> {
    match path.rsplit_once('/') {
        Some(("", file)) => Ok(("/", file)),
        Some(parts) => Ok(parts),
        None => bail!("it is not a file's path"),
    }
}
