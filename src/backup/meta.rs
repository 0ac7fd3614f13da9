//! What a copy keeps of a file besides its content: mode, owner and when it was changed.

use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Gid, Mode, Stat, Timespec, Timestamps, Uid, chownat, fchmod, fchown, futimens};
use rustix::fs::{UTIME_OMIT, utimensat};

/// The bits of a mode that `chmod` can set.
const MODE: u32 = 0o7777;

/// Runs as another user or group than the one that starts it.
const SET_USER: u32 = 0o4000;
const SET_GROUP: u32 = 0o2000;

/// What is known of a file besides its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Whether it may be read, written, run.
    pub mode: u32,
    /// Whose it is.
    pub user: u32,
    /// Whose group's it is.
    pub group: u32,
    /// When it was changed, in seconds since 1970.
    pub seconds: i64,
    /// And the billionths beyond.
    pub nanos: u32,
}

/// A file as it was at one moment. If two are the same, nothing was written in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileState {
    /// File, folder, link or else.
    pub kind: FileType,
    /// What a copy keeps.
    pub meta: Meta,
    /// How many bytes.
    pub size: u64,
    /// Which device and which file on it.
    pub identity: (u64, u64),
    /// When anything about it was changed: this time cannot be set back.
    changed: (i64, u32),
}

impl From<Stat> for FileState {
    // The types of these fields differ between systems.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    fn from(stat: Stat) -> FileState {
        let nanos = |nanos: u64| u32::try_from(nanos).unwrap_or_default();
        FileState {
            kind: FileType::from_raw_mode(stat.st_mode),
            meta: Meta {
                mode: stat.st_mode as u32 & MODE,
                user: stat.st_uid,
                group: stat.st_gid,
                seconds: stat.st_mtime as i64,
                nanos: nanos(stat.st_mtime_nsec as u64),
            },
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            identity: (stat.st_dev as u64, stat.st_ino as u64),
            changed: (stat.st_ctime as i64, nanos(stat.st_ctime_nsec as u64)),
        }
    }
}

impl Meta {
    /// When it was changed, as POSIX writes it in an archive: `1763709795.5`.
    pub fn time(&self) -> String {
        let all = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos);
        let sign = if all < 0 { "-" } else { "" };
        let (seconds, nanos) = (all.unsigned_abs() / 1_000_000_000, all.unsigned_abs() % 1_000_000_000);
        format!("{sign}{seconds}.{nanos:09}")
    }

    /// The same with the time that [`Meta::time`] wrote. Nothing if it is none.
    pub fn with_time(self, text: &str) -> Option<Meta> {
        let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
        if seconds.is_empty() || !digits(seconds) || !digits(fraction) {
            return None;
        }
        let nanos: i128 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        let all = sign * (seconds.parse::<i128>().ok()? * 1_000_000_000 + nanos);
        let (seconds, nanos) = (all.div_euclid(1_000_000_000), all.rem_euclid(1_000_000_000));
        Some(Meta { seconds: i64::try_from(seconds).ok()?, nanos: u32::try_from(nanos).ok()?, ..self })
    }

    fn timestamps(&self) -> Timestamps {
        Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: self.seconds, tv_nsec: self.nanos.into() },
        }
    }

    /// Only root may give files away.
    fn owner(&self) -> Option<(Uid, Gid)> {
        let valid = self.user != u32::MAX && self.group != u32::MAX;
        (valid && rustix::process::geteuid().is_root()).then(|| (Uid::from_raw(self.user), Gid::from_raw(self.group)))
    }

    /// Gives an open file or folder this mode, time and, if we may, owner.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn apply(&self, file: BorrowedFd<'_>) -> rustix::io::Result<()> {
        if let Some((user, group)) = self.owner() {
            fchown(file, Some(user), Some(group))?;
        }
        let now = FileState::from(rustix::fs::fstat(file)?).meta;
        let mut mode = self.mode & MODE;
        // A program must not run as an arbitrary user.
        if now.user != self.user {
            mode &= !SET_USER;
        }
        if now.group != self.group {
            mode &= !SET_GROUP;
        }
        fchmod(file, Mode::from_raw_mode(mode))?;
        futimens(file, &self.timestamps())
    }

    /// The same for a link, which has no mode of its own.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn apply_to_link(&self, folder: BorrowedFd<'_>, link: &Path) -> rustix::io::Result<()> {
        if let Some((user, group)) = self.owner() {
            chownat(folder, link, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
        }
        utimensat(folder, link, &self.timestamps(), AtFlags::SYMLINK_NOFOLLOW)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanos: u32) -> Meta {
        Meta { mode: 0o644, user: 0, group: 0, seconds, nanos }
    }

    #[test]
    fn a_time_is_written_and_read() {
        for meta in
            [at(0, 0), at(1_763_709_795, 5), at(-1, 0), at(-1, 500_000_000), at(-7, 1), at(1 << 40, 999_999_999)]
        {
            assert_eq!(at(1, 2).with_time(&meta.time()), Some(meta), "{}", meta.time());
        }
        assert_eq!(at(-1, 500_000_000).time(), "-0.500000000");
        assert_eq!(at(0, 0).with_time("7"), Some(at(7, 0)));
        assert_eq!(at(0, 0).with_time("7.25"), Some(at(7, 250_000_000)));
        for text in ["", ".", "x", "1.x", "--1", "1.-5", "99999999999999999999", "1 2"] {
            assert_eq!(at(0, 0).with_time(text), None, "{text}");
        }
    }
}
