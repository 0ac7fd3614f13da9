//! A path on this host: its absolute form, and how it is written down.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The longest name of a path that becomes part of a copy's name.
const LONGEST_LABEL: usize = 64;

/// The path as text. What is not UTF-8, and what would start a new line or worse, is written as
/// `\xNN`, and a backslash as two, so that [`from_text`] gives back the very path.
pub fn to_text(path: &Path) -> String {
    let mut text = String::new();
    let escape = |text: &mut String, byte: u8| text.push_str(&format!("\\x{byte:02x}"));
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                c if c.is_control() => {
                    c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| escape(&mut text, byte));
                }
                c => text.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| escape(&mut text, *byte));
    }
    text
}

/// The path that [`to_text`] wrote. Nothing if it is none, or not plainly absolute: with `..` or a
/// byte that no path has.
pub fn from_text(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'\\' => b'\\',
                b'x' => digit(rest.next()?)? * 16 + digit(rest.next()?)?,
                _ => return None,
            },
            byte => byte,
        });
    }
    let plain = |part: &[u8]| !part.is_empty() && part != b"." && part != b".." && !part.contains(&0);
    let absolute =
        bytes.strip_prefix(b"/").is_some_and(|rest| rest.is_empty() || rest.split(|b| *b == b'/').all(plain));
    absolute.then(|| PathBuf::from(OsString::from_vec(bytes)))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Where `path` is, whatever links lead there. That it is itself a link stays so, unless it ends
/// in `/`: then it means what the link leads to, as everywhere.
///
/// # Errors
/// If the folder it is in is not there.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    let cannot = || format!("cannot find {}", path.display());
    let bytes = path.as_os_str().as_bytes();
    match path.file_name() {
        Some(name) if !bytes.ends_with(b"/") && !bytes.ends_with(b"/.") => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Ok(fs::canonicalize(folder).with_context(cannot)?.join(name))
        }
        _ => fs::canonicalize(path).with_context(cannot),
    }
}

/// What a copy of `path` is called after: its last name, with `_` for what not every store takes.
pub fn label(path: &Path) -> String {
    let Some(name) = path.file_name() else { return "root".to_owned() };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    name.to_string_lossy().chars().map(plain).take(LONGEST_LABEL).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_in_a_text() {
        for bytes in [&b"/srv/shaper"[..], b"/a b", b"/\xff\xfe/x", "/é/名".as_bytes(), b"/a\nb\\x41\x1b", b"/\x7f"] {
            let path = Path::new(std::ffi::OsStr::from_bytes(bytes));
            let text = to_text(path);
            assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
            assert_eq!(from_text(&text).unwrap(), path, "{text}");
        }
        assert_eq!(to_text(Path::new("/srv/shaper")), "/srv/shaper");
    }

    #[test]
    fn what_is_no_plain_path_is_none() {
        for text in
            ["", "srv", "/srv/../etc", "/srv/./x", "//srv", "/srv/", "/a\\", "/a\\q", "/a\\x0", "/a\\x00", "/\\x2e."]
        {
            assert_eq!(from_text(text), None, "{text}");
        }
        assert_eq!(from_text("/"), Some(PathBuf::from("/")));
    }

    #[test]
    fn a_label_is_plain() {
        assert_eq!(label(Path::new("/srv/shaper.txt")), "shaper.txt");
        assert_eq!(label(Path::new("/srv/a b\n/é\u{202e}")), "__");
        assert_eq!(label(Path::new("/")), "root");
        assert_eq!(label(Path::new(&"x".repeat(300))).len(), LONGEST_LABEL);
    }
}
