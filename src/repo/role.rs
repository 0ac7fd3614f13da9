//! What a path says about the file there: which kind of data it holds, or why it is not read.

use crate::schema::FileKind;
use crate::tree::{ATTRIBUTES, SETTINGS, steers_git};

/// What a path says about the file there.
pub(super) enum Role {
    Data(FileKind),
    Template,
    /// Steers git for the data: `.gitattributes` at the top or above, `.gitmodules`.
    Git,
    /// `.gitattributes` within the data folders, where it has no business.
    MisplacedAttributes,
    /// Looks as if it were meant to be read, but is not: a sentence that says so.
    Mistaken(&'static str),
    Ignored,
}

pub(super) fn is_yaml_name(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

pub(super) fn role(path: &str) -> Role {
    if path == SETTINGS {
        return Role::Data(FileKind::Settings);
    }
    if steers_git(path) {
        return Role::Git;
    }
    let (folder, name) = (path.split('/').next().unwrap_or_default(), path.rsplit('/').next().unwrap_or_default());
    // On disks that ignore case, git opens it by any spelling.
    if name.eq_ignore_ascii_case(ATTRIBUTES) {
        return Role::MisplacedAttributes;
    }
    if folder == "templates" {
        return if name.ends_with(".j2") { Role::Template } else { Role::Ignored };
    }
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    let yaml = is_yaml_name(name);
    let lower = name.to_ascii_lowercase();
    if hidden {
        // `.#x.yaml` is an editor's lock.
        let meant = yaml && !name.starts_with(".#");
        return if meant { Role::Mistaken("hidden files and folders are not read") } else { Role::Ignored };
    }
    if !yaml {
        let known = ["readme", "license", "codeowners"].iter().any(|known| lower.starts_with(known));
        let note = known || lower.ends_with(".md") || lower.ends_with('~');
        return if note { Role::Ignored } else { Role::Mistaken("only files that end in .yaml or .yml are read") };
    }
    match folder {
        "plans" => Role::Data(FileKind::Plan),
        "domains" => Role::Data(FileKind::Domain),
        _ => Role::Data(FileKind::Subscriber),
    }
}

/// Which kind of data the file at `path` holds; `None` if it is not read as data.
pub fn data_kind(path: &str) -> Option<FileKind> {
    match role(path) {
        Role::Data(kind) => Some(kind),
        _ => None,
    }
}

/// A path's last part, without its ending.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name)
}
