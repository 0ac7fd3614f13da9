//! The database. One interface to SQLite and PostgreSQL; the statements are the same for both.

use std::borrow::Cow;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, AnyPool, Connection as _};

use super::location::StateLocation;

/// How long to wait for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections at a time.
const CONNECTIONS: u32 = 4;

/// How often the tables are made, in all: another process may be making them, too.
const TRIES: u32 = 5;

/// The tables, in the order in which they were invented.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "tokens", include_str!("migrations/1_tokens.sql")),
    (2, "portal", include_str!("migrations/2_portal.sql")),
    (3, "operators", include_str!("migrations/3_operators.sql")),
    (4, "providers", include_str!("migrations/4_providers.sql")),
    (5, "pulls", include_str!("migrations/5_pulls.sql")),
    (6, "telemetry", include_str!("migrations/6_telemetry.sql")),
    (7, "sending", include_str!("migrations/7_sending.sql")),
    (8, "tenures", include_str!("migrations/8_tenures.sql")),
    (9, "sinks", include_str!("migrations/9_sinks.sql")),
];

/// Where SQLite keeps the rows of a table in the order of its key, which other databases have no word for.
const IN_ORDER: &str = "/* SQLite: WITHOUT ROWID */";

/// The state.
#[derive(Clone)]
pub(crate) struct StateStore {
    pub(crate) pool: AnyPool,
    shown: String,
    sqlite: bool,
    /// The file of SQLite as it was opened.
    file: Option<(PathBuf, Option<Identity>)>,
}

/// Device and inode.
type Identity = (u64, u64);

fn identity(file: &Path) -> Option<Identity> {
    file.metadata().ok().map(|found| (found.dev(), found.ino()))
}

impl StateStore {
    /// Opens the state, and makes its tables if it is new or of an older version.
    ///
    /// # Errors
    /// If it cannot be opened, or is of a later version.
    pub(crate) async fn open(location: &StateLocation) -> Result<StateStore> {
        sqlx::any::install_default_drivers();
        let shown = location.shown();
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        let url = location.url()?;
        let pool = match options.connect(&url).await {
            // The pool has tried again and again, and does not say why.
            Err(sqlx::Error::PoolTimedOut) => {
                let once = tokio::time::timeout(PATIENCE, AnyConnection::connect(&url)).await;
                let why = once.ok().and_then(Result::err).unwrap_or(sqlx::Error::PoolTimedOut);
                return Err(cannot(&shown, &why));
            }
            pool => pool.map_err(|error| cannot(&shown, &error))?,
        };
        let file = match location {
            StateLocation::Sqlite(path) => Some((path.clone(), identity(path))),
            StateLocation::Postgres(_) => None,
        };
        let store = StateStore { pool, shown, sqlite: file.is_some(), file };
        if store.sqlite {
            // Readers and a writer do not wait for each other.
            store.run(sqlx::query("PRAGMA journal_mode = WAL").execute(&store.pool).await)?;
        }
        store.migrate().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<()> {
        let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
            let sql = if self.sqlite { sql.replace(IN_ORDER, "WITHOUT ROWID") } else { (*sql).to_owned() };
            Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, Cow::Owned(sql), false)
        };
        let migrations = MIGRATIONS.iter().map(migration).collect();
        let migrator = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
        for tried in 1.. {
            match migrator.run(&self.pool).await {
                Ok(()) => return Ok(()),
                Err(MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_)) => {
                    bail!("the state {} is of another version of shapeline: use that one", self.shown)
                }
                Err(error) if tried == TRIES => return Err(cannot(&self.shown, &error)),
                Err(_) => tokio::time::sleep(Duration::from_millis(100) * tried).await,
            }
        }
        Ok(())
    }

    /// `rows` groups of placeholders for `columns` values each: `(?, ?), (?, ?)`. SQLite looks up a numbered one in a
    /// list, which is slow for many; PostgreSQL has only those.
    #[cfg(feature = "telemetry")]
    pub(crate) fn placeholders(&self, rows: usize, columns: usize) -> String {
        let one = |at: usize| if self.sqlite { "?".to_owned() } else { format!("${}", at + 1) };
        let row = |row: usize| {
            let values: Vec<String> = (0..columns).map(|column| one(row * columns + column)).collect();
            format!("({})", values.join(", "))
        };
        (0..rows).map(row).collect::<Vec<String>>().join(", ")
    }

    /// Finds out whether what is written still goes into the file of this name.
    ///
    /// # Errors
    /// If it was replaced or removed since it was opened.
    #[cfg(feature = "telemetry")]
    pub(crate) fn check_file(&self) -> Result<()> {
        match &self.file {
            Some((path, opened)) if identity(path) != *opened => {
                bail!("the state {} was replaced or removed while it was in use", self.shown)
            }
            _ => Ok(()),
        }
    }

    /// The result of a statement, or an error that names the state.
    ///
    /// # Errors
    /// If the statement failed.
    pub(crate) fn run<T>(&self, result: Result<T, sqlx::Error>) -> Result<T> {
        result.map_err(|error| cannot(&self.shown, &error))
    }
}

/// An error of the library: without the URL, which may have a password.
fn cannot(shown: &str, error: &dyn std::error::Error) -> anyhow::Error {
    anyhow!("{error}").context(format!("cannot use the state {shown}"))
}

/// Runs one piece of asynchronous work, for commands.
///
/// # Errors
/// If the system gives no threads, or the work fails.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start a thread")?.block_on(work)
}
