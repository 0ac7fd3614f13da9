//! Where the state is: an SQLite file, or a PostgreSQL database.

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::text::quote::quoted;
use crate::text::redact::without_logins;

/// The variable that names the place.
pub(crate) const VARIABLE: &str = "SHAPELINE_STATE";
/// How each SQLite database that is not empty begins: <https://www.sqlite.org/fileformat.html>, section 1.3.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the state is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StateLocation {
    /// A file.
    Sqlite(PathBuf),
    /// A URL.
    Postgres(String),
}

impl StateLocation {
    /// The place that is named, by the command line, the environment or the settings, in this order; else a
    /// file in the user's folder for such.
    ///
    /// # Errors
    /// If it is none, or there is no such folder.
    pub(crate) fn choose(argument: Option<&str>, setting: Option<&str>) -> Result<StateLocation> {
        let named = match std::env::var(VARIABLE) {
            Ok(named) => Some(named).filter(|named| !named.is_empty()),
            Err(std::env::VarError::NotPresent) => None,
            Err(std::env::VarError::NotUnicode(_)) => bail!("{VARIABLE} is not UTF-8"),
        };
        match argument.or(named.as_deref()).or(setting) {
            Some(named) => StateLocation::named(named),
            None => default(),
        }
    }

    /// The place that a text names.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn named(text: &str) -> Result<StateLocation> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(StateLocation::Postgres(text.to_owned())),
            Some(("sqlite", path)) => Ok(StateLocation::Sqlite(path.into())),
            Some(_) => bail!(
                "{} is no place for the state: name a file, or a database as postgres://USER@HOST/NAME",
                quoted(&without_logins(text))
            ),
            None if ["postgres:", "postgresql:", "sqlite:"].iter().any(|scheme| text.starts_with(scheme)) => {
                bail!("the place of the state needs `//` after the colon: postgres://USER@HOST/NAME")
            }
            None => Ok(StateLocation::Sqlite(text.into())),
        }
    }

    /// The file, with links followed as far as they lead somewhere.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        let StateLocation::Sqlite(path) = self else { return None };
        let mut real = PathBuf::new();
        for part in std::path::absolute(path).ok()?.components() {
            match part {
                Component::ParentDir => drop(real.pop()),
                part => real.push(part),
            }
            real = real.canonicalize().unwrap_or(real);
        }
        Some(real)
    }

    /// The place for people: without a password.
    pub(crate) fn shown(&self) -> String {
        match self {
            StateLocation::Sqlite(path) => path.display().to_string(),
            StateLocation::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                let rest = rest.split_once('?').map_or(rest, |(place, _)| place);
                // To the last one: a password may have an `@` that should have been encoded.
                let (login, place) = rest.rsplit_once('@').map_or(("", rest), |(_, place)| ("***@", place));
                format!("{scheme}://{login}{place}")
            }
        }
    }

    /// The URL for the library. A file and its folder are made, for their owner alone.
    ///
    /// # Errors
    /// If they cannot be made.
    pub(crate) fn url(&self) -> Result<String> {
        match self {
            StateLocation::Postgres(url) => Ok(url.clone()),
            StateLocation::Sqlite(path) => {
                make(path).with_context(|| format!("cannot make the database {}", path.display()))?;
                let path = std::path::absolute(path)?;
                let path = path.to_str().with_context(|| format!("the name {} is not UTF-8", path.display()))?;
                Ok(format!("sqlite://{}", encoded(path)))
            }
        }
    }
}

/// Whether a URL has a password in it.
pub(crate) fn has_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let login = place.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'));
    login || query.split('&').any(|pair| pair.split('=').next().is_some_and(|name| name.ends_with("password")))
}

fn default() -> Result<StateLocation> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    let state = state.with_context(|| format!("there is no folder for the state: name a file with {VARIABLE}"))?;
    Ok(StateLocation::Sqlite(state.join("shapeline/server.sqlite")))
}

/// Makes the file, or takes one that is a database or empty. Anything else is as it was.
fn make(path: &Path) -> Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // Before it is opened, which waits for the other end of a pipe and starts some devices.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        bail!("it is not a regular file; name another one");
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start)?;
    if !start.is_empty() && start != MAGIC {
        bail!("it is not an SQLite database; name another file, or move this one away");
    }
    // One that was made by something else: who can read it sees the clients and their domains.
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// A path in a URL.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let one = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.bytes().map(one).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_or_a_database() {
        assert_eq!(StateLocation::named("a/b.sqlite").unwrap(), StateLocation::Sqlite("a/b.sqlite".into()));
        assert_eq!(StateLocation::named("sqlite:///a").unwrap(), StateLocation::Sqlite("/a".into()));
        let url = "postgres://shapeline:secret@db.ispcustomer.co.zw/state";
        let place = StateLocation::named(url).unwrap();
        assert_eq!((place.url().unwrap().as_str(), place.shown().contains("secret")), (url, false));
        for (url, shown) in [
            ("postgres://127.0.0.1/db?user=u&password=secret", "postgres://127.0.0.1/db"),
            ("postgres://u:secret@se/cret@127.0.0.1/db", "postgres://***@127.0.0.1/db"),
        ] {
            assert_eq!(StateLocation::named(url).unwrap().shown(), shown);
            assert!(has_password(url), "{url}");
        }
        assert!(!has_password("postgres://u@127.0.0.1/db?sslmode=require"));
        assert!(StateLocation::named("postgres:u:secret@127.0.0.1/db").is_err());
        let why = StateLocation::named("mysql://a:secret@b/c").unwrap_err().to_string();
        assert!(why.contains("mysql://***@b/c") && !why.contains("secret"), "{why}");
    }

    #[test]
    fn a_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new folder/50% #?.sqlite");
        let url = StateLocation::Sqlite(path.clone()).url().unwrap();
        assert!(url.ends_with("/new%20folder/50%25%20%23%3F.sqlite"), "{url}");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        StateLocation::Sqlite(path.clone()).url().unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn what_is_no_database_is_left_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path, why: &str| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
            let error = format!("{:#}", StateLocation::Sqlite(path.to_owned()).url().unwrap_err());
            assert!(error.contains(why) && error.contains(&path.display().to_string()), "{error}");
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o644);
        };
        let text = folder.path().join("hosts");
        std::fs::write(&text, "10.10.10.25 router\n").unwrap();
        refused(&text, "it is not an SQLite database");
        // Opening it for writing would wait for a reader.
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        refused(&pipe, "it is not a regular file");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&text, &link).unwrap();
        refused(&link, "it is not an SQLite database");
    }
}
