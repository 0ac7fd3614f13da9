//! A folder in a bucket of an S3 service.
//!
//! A bucket replaces files whole and honours conditions by itself, so nothing is staged: a process that
//! writes says what must be there, and the service refuses the write if it is not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow, bail};
use object_store::aws::AmazonS3;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{
    Attribute, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use tokio::time::timeout;

use self::connect::{NO_CREDENTIALS, S3Service};
use self::explain::{S3Failure, explained};
use crate::model::Access;
use crate::store::contract::{
    ContentMark, Expect, Fence, MAX_BYTES, NameList, Store, Stored, is_temporary, temporary_name, writer_name,
};
use crate::store::runtime::runtime;

mod connect;
mod explain;
mod http;

pub use self::connect::Surroundings;
pub use self::http::HttpPatience;
pub(crate) use self::http::install_cryptography;

/// A folder in a bucket.
pub struct S3Store {
    bucket: AmazonS3,
    service: S3Service,
    /// What every key begins with; empty, or without a `/` at its end.
    prefix: String,
    patience: HttpPatience,
    /// Names this writer and its writes.
    writer: String,
    number: AtomicU64,
    /// Whether the service is known to honour conditions.
    probed: Mutex<bool>,
}

/// The metadata in which a file says which write put it there.
const WRITE: &str = "shapeline-write";

/// How often a write is tried that the service could not decide upon.
const TRIES: u32 = 4;

/// How many pages a list may have, of a thousand keys each from every known service.
const MOST_PAGES: usize = 2_000;

/// What became of a conditional write that failed.
enum PutOutcome {
    /// It was done, and only the answer got lost.
    Done(ContentMark),
    /// What is there is not as expected.
    Refused,
    /// The service could not decide, and what is there is still as expected.
    Undecided,
}

impl S3Store {
    /// The folder `folder` in the bucket that `access` names.
    ///
    /// # Errors
    /// If settings or environment are wrong. The service is not asked yet.
    pub fn open(access: &Access<'_>, folder: &str) -> Result<S3Store> {
        Self::open_in(access, folder, &Surroundings::of_process())
    }

    /// The same with another environment than the process's.
    ///
    /// # Errors
    /// As [`S3Store::open`].
    pub fn open_in(access: &Access<'_>, folder: &str, around: &Surroundings) -> Result<S3Store> {
        let cannot = || format!("{} cannot be reached", access.url);
        let service = S3Service::new(access, around).with_context(cannot)?;
        let bucket = connect::connect(&service, around).with_context(cannot)?;
        Ok(S3Store {
            bucket,
            // AWS has honoured them since 2024; of others it is found out.
            probed: Mutex::new(service.endpoint.is_none()),
            service,
            prefix: folder.trim_matches('/').to_owned(),
            patience: around.patience,
            writer: writer_name(),
            number: AtomicU64::new(0),
        })
    }

    /// The key of `name`, or of the folder itself for none.
    fn key(&self, name: &str) -> Result<Path> {
        let between = if self.prefix.is_empty() || name.is_empty() { "" } else { "/" };
        Path::parse(format!("{}{between}{name}", self.prefix))
            .map_err(|error| anyhow!("{}", self.service.shown(&error.to_string())))
    }

    /// Does `work`, which moves about so many bytes, within the time that it may take.
    fn run<T>(&self, bytes: usize, work: impl Future<Output = Result<T>>) -> Result<T> {
        let limit = self.patience.tries(bytes);
        let runtime = runtime()?;
        let work = async {
            self.ready().await?;
            timeout(limit, work).await.unwrap_or_else(|_| {
                Err(anyhow!("{} took longer than {limit:?}: try again, and look at the network", self.service.name()))
            })
        };
        // The library panics over some answers.
        let done = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work)));
        done.unwrap_or_else(|_| Err(anyhow!("the answer of {} cannot be understood", self.service.name())))
    }

    /// Sees that there are credentials, before anything else is said about a request without.
    async fn ready(&self) -> Result<()> {
        let credentials = self.bucket.credentials().clone();
        // On its own: the library panics over some answers of those that hand out credentials.
        let asked = tokio::spawn(async move { credentials.get_credential().await });
        let credential = match timeout(self.patience.stall, asked).await {
            Ok(Ok(Ok(credential))) => credential,
            Ok(Ok(Err(error))) => bail!("{NO_CREDENTIALS} ({})", self.service.shown(&error.to_string())),
            Ok(Err(_)) => bail!("{NO_CREDENTIALS} (what gives them out answers with nonsense)"),
            Err(_) => bail!("{NO_CREDENTIALS} (what gives them out does not answer)"),
        };
        connect::check_sendable(&credential)
    }

    async fn get(&self, key: &Path) -> Result<Option<Stored>> {
        let found = match self.bucket.get(key).await {
            Ok(found) => found,
            Err(error) => {
                let failure = S3Failure::new(&error);
                return if failure.is_absence(&error) { Ok(None) } else { Err(failure.explain(&self.service)) };
            }
        };
        let mark = ContentMark(found.meta.e_tag.clone().context("the service gives no ETag")?);
        // It has come already: see `http`.
        let bytes = found.bytes().await;
        Ok(Some(Stored::with_mark(explained(bytes, &self.service)?.into(), mark)))
    }

    /// The mark of what is there, and which write put it there.
    async fn head(&self, key: &Path) -> object_store::Result<Option<(ContentMark, Option<String>)>> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        let found = match self.bucket.get_opts(key, options).await {
            Err(error) if S3Failure::new(&error).is_absence(&error) => return Ok(None),
            found => found?,
        };
        let write = found.attributes.get(&Attribute::Metadata(WRITE.into())).map(|write| write.to_string());
        Ok(Some((ContentMark(found.meta.e_tag.unwrap_or_default()), write)))
    }

    async fn send(
        &self,
        key: &Path,
        bytes: PutPayload,
        mode: PutMode,
        write: &str,
    ) -> object_store::Result<ContentMark> {
        let mut options = PutOptions { mode, ..PutOptions::default() };
        options.attributes.insert(Attribute::Metadata(WRITE.into()), write.to_owned().into());
        let done = self.bucket.put_opts(key, bytes, options).await?;
        Ok(ContentMark(done.e_tag.unwrap_or_default()))
    }

    async fn delete(&self, key: &Path) -> Result<()> {
        match self.bucket.delete(key).await {
            Err(error) if S3Failure::new(&error).is_absence(&error) => Ok(()),
            done => explained(done, &self.service),
        }
    }

    fn next_write(&self) -> (u64, String) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        (number, format!("{}-{number}", self.writer))
    }

    fn put_at(&self, name: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<Option<ContentMark>> {
        let key = self.key(name)?;
        let mode = match expect {
            Expect::Anything => PutMode::Overwrite,
            Expect::Nothing => PutMode::Create,
            Expect::Content(mark) => PutMode::Update(UpdateVersion { e_tag: Some(mark.0.clone()), version: None }),
        };
        if expect != Expect::Anything {
            self.probe()?;
        }
        let payload = PutPayload::from(bytes.to_vec());
        let (_, write) = self.next_write();
        for attempt in 1..=TRIES {
            fence()?;
            let sent =
                self.run(bytes.len(), async { Ok(self.send(&key, payload.clone(), mode.clone(), &write).await) })?;
            let error = match sent {
                Ok(mark) => return Ok(Some(mark)),
                Err(error) => error,
            };
            match self.run(0, self.after(&key, &error, expect, &write))? {
                PutOutcome::Done(mark) => return Ok(Some(mark)),
                PutOutcome::Refused => return Ok(None),
                PutOutcome::Undecided => std::thread::sleep(self.patience.retry / 300 * attempt),
            }
        }
        bail!("{} could not decide between several writers: try again", self.service.name())
    }

    /// What became of a write that failed. A try whose answer got lost is refused when it is
    /// repeated, because of what it did itself: therefore each write leaves its name.
    async fn after(
        &self,
        key: &Path,
        error: &object_store::Error,
        expect: Expect<'_>,
        write: &str,
    ) -> Result<PutOutcome> {
        let failure = S3Failure::new(error);
        let refused = failure.is_refusal(error);
        if expect == Expect::Anything || !refused && !failure.is_open() {
            return Err(failure.explain(&self.service));
        }
        let now = match self.head(key).await {
            Ok(now) => now,
            Err(error) if refused => return Err(S3Failure::new(&error).explain(&self.service)),
            Err(_) => return Err(failure.explain(&self.service)),
        };
        let is_as_expected = match (expect, &now) {
            (_, Some((mark, Some(by)))) if by == write => return Ok(PutOutcome::Done(mark.clone())),
            (Expect::Content(expected), Some((mark, _))) => mark == expected,
            (Expect::Nothing, None) => true,
            _ => false,
        };
        match failure.status {
            _ if !refused => Err(failure.explain(&self.service)),
            // "Conflict": several writers at once, and none of them need have won.
            Some(409) if is_as_expected => Ok(PutOutcome::Undecided),
            _ => Ok(PutOutcome::Refused),
        }
    }

    /// Finds out, once, whether the service honours conditions. There are those that take no notice
    /// of them, and then two publishers overwrite each other unseen.
    fn probe(&self) -> Result<()> {
        let mut probed = self.probed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *probed {
            return Ok(());
        }
        let (number, write) = self.next_write();
        let key = self.key(&temporary_name("probe", &self.writer, number))?;
        self.run(0, async {
            let create = || self.send(&key, PutPayload::new(), PutMode::Create, &write);
            let other = UpdateVersion { e_tag: Some(format!("\"{:032x}\"", 0)), version: None };
            if let Err(error) = create().await {
                let failure = S3Failure::new(&error);
                if !failure.is_refusal(&error) {
                    return Err(failure.explain(&self.service));
                }
            }
            let answers = [
                ("If-None-Match", create().await),
                ("If-Match", self.send(&key, PutPayload::new(), PutMode::Update(other), &write).await),
            ];
            self.delete(&key).await?;
            for (condition, answer) in answers {
                let Err(error) = answer else {
                    bail!(
                        "{} takes no notice of {condition}, so that two publishers could overwrite each other unseen: use an S3 service that honours conditional writes, or a target of another kind",
                        self.service.name()
                    );
                };
                let failure = S3Failure::new(&error);
                if !failure.is_refusal(&error) {
                    return Err(failure.explain(&self.service));
                }
            }
            Ok(())
        })?;
        *probed = true;
        Ok(())
    }

    async fn names(&self, folder: &Path) -> Result<Vec<String>> {
        let root = folder.as_ref().is_empty();
        let prefix = (!root).then(|| format!("{folder}/"));
        let name = |key: &Path| {
            let name = key.as_ref().strip_prefix(prefix.as_deref().unwrap_or_default())?;
            // A folder that was made as an empty file counts as a folder.
            (!name.is_empty() && !name.contains('/') && !is_temporary(name)).then(|| name.to_owned())
        };
        let mut names = NameList::default();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let asked: Option<String> = token;
            let options = PaginatedListOptions {
                delimiter: Some("/".into()),
                page_token: asked.clone(),
                ..PaginatedListOptions::default()
            };
            let page = explained(self.bucket.list_paginated(prefix.as_deref(), options).await, &self.service)?;
            page.result.objects.iter().filter_map(|object| name(&object.location)).try_for_each(|it| names.add(it))?;
            token = page.page_token;
            match &token {
                None => return Ok(names.sorted()),
                Some(_) if token == asked => bail!("{} gives the same page of the list again", self.service.name()),
                Some(_) => {}
            }
        }
        bail!("{} gives a list that does not end after {MOST_PAGES} pages", self.service.name())
    }
}

impl Store for S3Store {
    fn read(&self, name: &str) -> Result<Option<Stored>> {
        let read = self.key(name).and_then(|key| self.run(MAX_BYTES, self.get(&key)));
        read.with_context(|| format!("cannot read {}", self.place(name)))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let listed = self.key(folder).and_then(|key| self.run(LISTED, self.names(&key)));
        listed.with_context(|| format!("cannot list {}", self.place(folder)))
    }

    fn put(&self, name: &str, bytes: &[u8], expect: Expect<'_>, fence: Fence<'_>) -> Result<Option<ContentMark>> {
        self.put_at(name, bytes, expect, fence).with_context(|| format!("cannot write {}", self.place(name)))
    }

    fn remove(&self, name: &str) -> Result<()> {
        let removed = self.key(name).and_then(|key| self.run(0, self.delete(&key)));
        removed.with_context(|| format!("cannot remove {}", self.place(name)))
    }

    /// Nothing is staged. A paused writer's request still carries its condition.
    fn sweep(&self, _: &str, _: Option<&str>) -> Result<()> {
        Ok(())
    }

    fn place(&self, name: &str) -> String {
        let path = [self.prefix.as_str(), name].into_iter().filter(|part| !part.is_empty());
        format!("s3://{}/{}", self.service.bucket, path.collect::<Vec<_>>().join("/"))
    }
}

/// About what a list of the longest folder weighs.
const LISTED: usize = 1 << 25;
