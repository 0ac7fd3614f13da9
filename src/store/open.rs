//! From the settings to a folder.

use anyhow::Result;

use super::contract::Store;
use crate::model::{Access, Scheme};

/// The folder in which the file of `access` lies, and the file's name. A file that is a symbolic
/// link is resolved.
///
/// # Errors
/// If the folder cannot be reached, or cannot give what [`Store`] promises.
pub fn open_file(access: &Access<'_>) -> Result<(Box<dyn Store>, String)> {
    let (folder, file) = access.url.folder_and_file();
    open(access, folder, Some(file))
}

/// The folder that `access` names.
///
/// # Errors
/// As [`open_file`].
pub fn open_folder(access: &Access<'_>) -> Result<Box<dyn Store>> {
    Ok(open(access, access.url.path(), None)?.0)
}

fn open(access: &Access<'_>, folder: &str, file: Option<&str>) -> Result<(Box<dyn Store>, String)> {
    match access.url.scheme() {
        #[cfg(unix)]
        Scheme::File => {
            let (store, file) = super::file::FileStore::open(folder, file)?;
            Ok((Box::new(store), file))
        }
        #[cfg(feature = "sftp")]
        Scheme::Sftp => {
            let (store, file) = super::sftp::SftpStore::open(access, folder, file)?;
            Ok((Box::new(store), file))
        }
        #[cfg(feature = "s3")]
        Scheme::S3 => {
            let store = super::s3::S3Store::open(access, folder)?;
            Ok((Box::new(store), file.unwrap_or_default().to_owned()))
        }
        #[cfg(not(all(unix, feature = "sftp", feature = "s3")))]
        _ => anyhow::bail!("{} cannot be reached: this program was built without targets of its kind", access.url),
    }
}
