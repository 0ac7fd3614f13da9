//! What is asked of a server, one question a function. Large files move in pieces, several of
//! which are on their way at a time.

use std::io::SeekFrom;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use bytes::{Bytes, BytesMut};
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, TryStreamExt};
use openssh_sftp_client::file::{File, OpenOptions};
use openssh_sftp_client::fs::Fs;
use openssh_sftp_client::metadata::{MetaData, MetaDataBuilder, Permissions};
use openssh_sftp_client::{Error, Sftp};
use tokio::io::AsyncSeekExt;

use super::fault::Fault;
use crate::store::contract::{MAX_BYTES, NameList};

/// Every server takes as much in one piece.
const PIECE: usize = 32 << 10;

/// So many pieces are on their way at a time: fast enough on a long line, and on a slow one a
/// heartbeat need not wait long behind them.
const PIECES: usize = 16;

/// The far side, for one step.
pub struct Remote {
    fs: Fs,
    options: OpenOptions,
    fsync: bool,
    brief: Arc<AtomicUsize>,
    /// Bytes of files that have come or were taken.
    moved: Arc<AtomicU64>,
}

impl Remote {
    /// By `sftp`, standing back while there is anything `brief` to do; counts what it has `moved`.
    pub fn new(sftp: &Sftp, brief: Arc<AtomicUsize>, moved: Arc<AtomicU64>) -> Remote {
        Remote { fs: sftp.fs(), options: sftp.options(), fsync: sftp.support_fsync(), brief, moved }
    }

    /// What `path` leads to.
    pub async fn stat(&mut self, path: &str) -> Result<Option<MetaData>, Fault> {
        some(self.fs.metadata(path).await)
    }

    /// What `path` is itself.
    pub async fn lstat(&mut self, path: &str) -> Result<Option<MetaData>, Fault> {
        some(self.fs.symlink_metadata(path).await)
    }

    /// The path without links.
    pub async fn real(&mut self, path: &str) -> Result<String> {
        let path = self.fs.canonicalize(path).await.map_err(Fault::from)?;
        path.to_str().map(ToOwned::to_owned).context("its path is not UTF-8")
    }

    /// Removes a file; that there is none is fine.
    pub async fn remove(&mut self, path: &str) -> Result<(), Fault> {
        some(self.fs.remove_file(path).await).map(|_| ())
    }

    /// Gives `from` the name `to` in one step, whatever was there.
    pub async fn rename(&mut self, from: &str, to: &str) -> Result<(), Fault> {
        Ok(self.fs.rename(from, to).await?)
    }

    /// Gives `from` the further name `to`, unless there is something: then says no.
    pub async fn link(&mut self, from: &str, to: &str) -> Result<bool, Fault> {
        match self.fs.hard_link(from, to).await.map_err(Fault::from) {
            Ok(()) => Ok(true),
            // There is no answer that means just this.
            Err(Fault::Refused(_)) if self.lstat(to).await?.is_some() => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Makes `folder` and those above it.
    pub async fn make_folders(&mut self, folder: &str) -> Result<()> {
        let mut missing = Vec::new();
        let mut at = folder;
        while self.stat(at).await?.is_none() {
            missing.push(at);
            at = at.rsplit_once('/').map(|(above, _)| above).filter(|above| !above.is_empty()).unwrap_or("/");
            if at == "/" {
                break;
            }
        }
        while let Some(folder) = missing.pop() {
            let made = self.fs.dir_builder().permissions(Permissions::from(0o750)).create(folder).await;
            if let Err(error) = made {
                let fault = Fault::from(error);
                // Another process may have been faster.
                let there =
                    !matches!(fault, Fault::Lost(_)) && self.stat(folder).await?.is_some_and(|it| is_folder(&it));
                if !there {
                    return Err(fault).with_context(|| format!("cannot make the folder {folder}"));
                }
            }
        }
        Ok(())
    }

    /// The names of the files in `folder`, in order.
    pub async fn names(&mut self, folder: &str) -> Result<Vec<String>> {
        let dir = match self.fs.open_dir(folder).await.map_err(Fault::from) {
            Ok(dir) => dir,
            Err(Fault::Absent) => return Ok(Vec::new()),
            Err(fault) => return Err(fault.into()),
        };
        let mut entries = std::pin::pin!(dir.read_dir());
        let mut names = NameList::default();
        while let Some(entry) = entries.try_next().await.map_err(Fault::from)? {
            let kind = entry.file_type().context("the server does not report which are files and which are folders")?;
            if kind.is_file() {
                entry.filename().to_str().map(|name| names.add(name.to_owned())).transpose()?;
            }
        }
        Ok(names.sorted())
    }

    /// How large the ordinary file at `path` is, if there is one.
    pub async fn size(&mut self, path: &str) -> Result<Option<usize>> {
        // Asked first: to open a pipe would keep the server waiting for its other end.
        let Some(it) = self.stat(path).await? else { return Ok(None) };
        if !is_file(&it) {
            bail!("it is no ordinary file");
        }
        let size = it.len().context("the server does not report its size")?;
        let size = usize::try_from(size).ok().filter(|size| *size <= MAX_BYTES);
        Ok(Some(size.with_context(|| format!("it is larger than {} MiB", MAX_BYTES >> 20))?))
    }

    /// All of the file at `path`, or nothing if there is none.
    pub async fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>> {
        let mut file = match self.options.clone().read(true).open(path).await.map_err(Fault::from) {
            Ok(file) => file,
            Err(Fault::Absent) => return Ok(None),
            Err(fault) => return Err(fault.into()),
        };
        let size = file.metadata().await.map_err(Fault::from)?.len().and_then(|size| usize::try_from(size).ok());
        let size = size.filter(|size| *size <= MAX_BYTES).context("its size cannot be")?;
        // Grows with what comes: the size is only the server's word.
        let mut bytes = Vec::new();
        let mut pieces = FuturesUnordered::new();
        let mut asked = 0;
        loop {
            while asked < size && pieces.len() < self.pieces() {
                let length = PIECE.min(size - asked);
                pieces.push(read_piece(file.clone(), asked, length, &self.moved));
                asked += length;
            }
            let Some(piece) = pieces.next().await else { break };
            let (at, piece) = piece?;
            // A replacement of the whole file does not disturb us: we read the one that we opened.
            if piece.len() != PIECE.min(size - at) {
                bail!("it was changed while it was read");
            }
            if bytes.len() < at + piece.len() {
                bytes.resize(at + piece.len(), 0);
            }
            bytes[at..at + piece.len()].copy_from_slice(&piece);
        }
        if !read_piece(file, size, 1, &self.moved).await?.1.is_empty() {
            bail!("it was changed while it was read");
        }
        Ok(Some(bytes))
    }

    /// A new file at `path`, empty.
    pub async fn create(&mut self, path: &str) -> Result<File, Fault> {
        Ok(self.options.clone().read(true).write(true).create_new(true).open(path).await?)
    }

    /// Writes all of `bytes`.
    pub async fn write(&mut self, file: &File, mut bytes: Bytes) -> Result<(), Fault> {
        let mut pieces = FuturesUnordered::new();
        let mut at = 0;
        let mut fault = None;
        loop {
            while fault.is_none() && !bytes.is_empty() && pieces.len() < self.pieces() {
                let piece = bytes.split_to(PIECE.min(bytes.len()));
                let length = piece.len() as u64;
                pieces.push(write_piece(file.clone(), at, piece, &self.moved));
                at += length;
            }
            match pieces.next().await {
                Some(Ok(())) => {}
                // The others are waited for: the library wants every answer heard.
                Some(Err(error)) => fault = fault.or(Some(Fault::from(error))),
                None => return fault.map_or(Ok(()), Err),
            }
        }
    }

    /// Has the server put `file` on its disk for good, if it can.
    pub async fn sync(&mut self, file: &mut File) -> Result<(), Fault> {
        if self.fsync { Ok(file.sync_all().await?) } else { Ok(()) }
    }

    /// Whether the disk of `folder` has no room left, so far as the server reports it.
    pub async fn is_full(&mut self, folder: &str) -> bool {
        self.fs.statvfs(folder).await.is_ok_and(|disk| disk.bavail == 0)
    }

    /// How many pieces of a large file may be on their way now.
    fn pieces(&self) -> usize {
        if self.brief.load(Ordering::Acquire) == 0 { PIECES } else { 1 }
    }
}

/// Gives `file` the mode, and the owner of `old`, whose place it is to take.
pub async fn keep_owner_and_mode(file: &mut File, old: &MetaData) -> Result<()> {
    let new = file.metadata().await.map_err(Fault::from)?;
    let ids = |of: &MetaData| of.uid().zip(of.gid()).context("the server does not report whose file it is");
    let ((uid, gid), mine) = (ids(old)?, ids(&new)?);
    if (uid, gid) != mine {
        let kept = file.set_metadata(MetaDataBuilder::new().id((uid, gid)).create()).await.map_err(Fault::from);
        kept.with_context(|| {
            format!(
                "its owner ({uid}:{gid}) cannot be kept by user {}; log in as that user or as root, or let it belong to this user",
                mine.0
            )
        })?;
    }
    let mode = old.permissions().context("the server does not report its mode")?;
    Ok(file.set_permissions(mode).await.map_err(Fault::from)?)
}

/// Whether it is an ordinary file.
pub fn is_file(it: &MetaData) -> bool {
    it.file_type().is_some_and(|kind| kind.is_file())
}

/// Whether it is a folder.
pub fn is_folder(it: &MetaData) -> bool {
    it.file_type().is_some_and(|kind| kind.is_dir())
}

/// Whether it is a symbolic link.
pub fn is_link(it: &MetaData) -> bool {
    it.file_type().is_some_and(|kind| kind.is_symlink())
}

fn some<T>(answer: Result<T, Error>) -> Result<Option<T>, Fault> {
    match answer.map_err(Fault::from) {
        Ok(it) => Ok(Some(it)),
        Err(Fault::Absent) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Up to `length` bytes from `at` on: less only where the file ends.
async fn read_piece(mut file: File, at: usize, length: usize, moved: &AtomicU64) -> Result<(usize, BytesMut)> {
    let mut piece = BytesMut::with_capacity(length);
    while piece.len() < length {
        // The library moves on by what it asked for, not by what it got.
        file.seek(SeekFrom::Start((at + piece.len()) as u64)).await?;
        let wanted = length - piece.len();
        match file.read(wanted as u32, BytesMut::with_capacity(wanted)).await.map_err(Fault::from)? {
            Some(more) if more.len() > wanted => bail!(Fault::Lost("it sent more than was asked for".to_owned())),
            Some(more) if !more.is_empty() => {
                moved.fetch_add(more.len() as u64, Ordering::AcqRel);
                piece.extend_from_slice(&more);
            }
            _ => break,
        }
    }
    Ok((at, piece))
}

async fn write_piece(mut file: File, at: u64, piece: Bytes, moved: &AtomicU64) -> Result<(), Error> {
    let length = piece.len() as u64;
    file.seek(SeekFrom::Start(at)).await?;
    file.write_all_zero_copy(&mut [piece]).await?;
    moved.fetch_add(length, Ordering::AcqRel);
    Ok(())
}
