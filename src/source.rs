//! The texts that were read, and the one place where byte offsets become lines and columns.

use std::sync::{Arc, OnceLock};

use sha1::{Digest, Sha1};

/// The largest file that is read, in bytes. A list file of 100,000 subscribers has about 8 MB.
pub const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// A file of the data repository, by its place in [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

impl FileId {
    /// The file's index in [`Sources::iter`].
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A half-open range of bytes in one file's text, the byte-order mark included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from `start` up to, not including, `end`.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The span as a range usable on the text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether `other` lies within this span.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// A line and a column, both from 1; columns count Unicode code points.
///
/// A byte-order mark takes no column: editors do not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in code points.
    pub column: usize,
}

/// One file's path and text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    path: String,
    text: String,
    line_starts: OnceLock<Vec<u32>>,
    point_marks: OnceLock<Vec<u32>>,
    /// A digest of the whole file, if the text is only its beginning.
    unread: Option<u64>,
    /// Git's id of the content, if the file comes from there.
    blob: Option<git2::Oid>,
}

impl SourceFile {
    /// A file called `path` (relative to the data repository, with `/`).
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
            line_starts: OnceLock::new(),
            point_marks: OnceLock::new(),
            unread: None,
            blob: None,
        }
    }

    /// Notes that git has the content as `blob`.
    pub(crate) fn set_blob(&mut self, blob: Option<git2::Oid>) {
        self.blob = blob;
    }

    /// The id that git has, or would have, for the content; `None` if not all of it is known.
    ///
    /// Computed as in <https://git-scm.com/book/en/v2/Git-Internals-Git-Objects>. Without git's search for
    /// forged content, which takes three times as long: git could not hold two files with one id either.
    pub(crate) fn blob(&self) -> Option<git2::Oid> {
        if self.blob.is_some() || self.unread.is_some() {
            return self.blob;
        }
        let digest =
            Sha1::new().chain_update(format!("blob {}\0", self.text.len())).chain_update(&self.text).finalize();
        git2::Oid::from_bytes(&digest).ok()
    }

    /// A file of which only the beginning could be read; `all` is the whole of it.
    pub(crate) fn cut(path: impl Into<String>, text: impl Into<String>, all: &[u8]) -> Self {
        let mut hasher = std::hash::DefaultHasher::new();
        std::hash::Hash::hash(all, &mut hasher);
        Self { unread: Some(std::hash::Hasher::finish(&hasher)), ..Self::new(path, text) }
    }

    /// Whether both files have the same content, including what could not be read.
    pub(crate) fn has_content_of(&self, other: &Self) -> bool {
        self.text == other.text && self.unread == other.unread
    }

    /// The path, relative to the data repository, with `/` between its parts.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text as read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Byte offsets at which lines start. `\n`, `\r\n` and a lone `\r` end a line, as in YAML.
    pub(crate) fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let bytes = self.text.as_bytes();
            let mut starts = vec![0];
            for (at, byte) in bytes.iter().enumerate() {
                let ends = match byte {
                    b'\n' => true,
                    b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                    _ => false,
                };
                if ends {
                    starts.push(at as u32 + 1);
                }
            }
            starts
        })
    }

    /// The line and column of a byte offset.
    pub fn position(&self, byte: u32) -> Position {
        let starts = self.line_starts();
        let line = starts.partition_point(|&start| start <= byte).max(1);
        let start = starts.get(line - 1).copied().unwrap_or(0) as usize;
        let end = (byte as usize).min(self.text.len()).max(start);
        let mark = usize::from(line == 1 && end > 0 && self.text.starts_with('\u{feff}'));
        Position { line, column: self.points_before(end) - self.points_before(start) - mark + 1 }
    }

    /// How many code points start before a byte offset. A whole file may be one line of 16 MB with a
    /// hundred thousand findings in it: counting from the start of the line for each would take too
    /// long.
    fn points_before(&self, byte: usize) -> usize {
        let bytes = self.text.as_bytes();
        let marks = self.point_marks.get_or_init(|| {
            let mut before = 0;
            let chunks = bytes.chunks(POINT_MARK_EVERY);
            let counted = chunks.map(|chunk| {
                before += count_points(chunk) as u32;
                before
            });
            std::iter::once(0).chain(counted).collect()
        });
        let mark = byte / POINT_MARK_EVERY;
        let rest = bytes.get(mark * POINT_MARK_EVERY..byte).unwrap_or_default();
        marks.get(mark).copied().unwrap_or(0) as usize + count_points(rest)
    }
}

/// How many bytes apart the stored counts of code points are.
const POINT_MARK_EVERY: usize = 1024;

fn count_points(utf8: &[u8]) -> usize {
    utf8.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

/// Every file that was read, in path order; after them those that a change removes.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Arc<SourceFile>>,
    removed: usize,
}

impl Sources {
    /// Adds a file and returns its id.
    pub fn add(&mut self, file: impl Into<Arc<SourceFile>>) -> FileId {
        self.files.push(file.into());
        FileId(self.files.len() as u32 - 1)
    }

    /// Adds a file that the change under review removes, so that a finding can name it.
    pub(crate) fn add_removed(&mut self, path: &str) -> FileId {
        self.removed += 1;
        self.add(SourceFile::new(path, ""))
    }

    /// The file with this id.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The same, to be in other sources, too.
    pub(crate) fn shared(&self, id: FileId) -> Arc<SourceFile> {
        self.files[id.0 as usize].clone()
    }

    /// All files with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).map(FileId).zip(self.files.iter().map(AsRef::as_ref))
    }

    /// How many files were read.
    pub(crate) fn len(&self) -> usize {
        self.files.len() - self.removed
    }

    /// The file at `path`, if it was read.
    pub fn find(&self, path: &str) -> Option<FileId> {
        self.iter().take(self.len()).find(|(_, file)| file.path == path).map(|(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, byte: u32) -> (usize, usize) {
        let position = SourceFile::new("a.yaml", text).position(byte);
        (position.line, position.column)
    }

    #[test]
    fn counts_code_points_not_bytes() {
        assert_eq!(at("é: x", 2), (1, 2));
        assert_eq!(at("a\né: x", 6), (2, 4));
    }

    #[test]
    fn every_line_ending_counts_once() {
        assert_eq!(at("a\r\nb\rc\nd", 3), (2, 1));
        assert_eq!(at("a\r\nb\rc\nd", 5), (3, 1));
        assert_eq!(at("a\r\nb\rc\nd", 7), (4, 1));
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        assert_eq!(at("\u{feff}ip: x", 3), (1, 1));
        assert_eq!(at("\u{feff}ip: x", 7), (1, 5));
    }

    #[test]
    fn only_the_first_line_can_start_with_a_byte_order_mark() {
        assert_eq!(at("a\n\u{feff}ip", 5), (2, 2));
    }

    #[test]
    fn a_long_line_counts_the_same() {
        let text = format!("a\n{}", "é€x".repeat(2000));
        let file = SourceFile::new("a.yaml", text.as_str());
        for (count, (at, _)) in text[2..].char_indices().enumerate() {
            assert_eq!(file.position(at as u32 + 2), Position { line: 2, column: count + 1 });
        }
    }

    #[test]
    fn beyond_the_end_is_the_end() {
        assert_eq!(at("ab", 99), (1, 3));
        assert_eq!(at("", 0), (1, 1));
    }
}
