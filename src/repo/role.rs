//! The role of a file by its path: which kind of data it has, or why it is not read.

use crate::schema::FileKind;
use crate::tree::{ATTRIBUTES, SETTINGS, configures_git};

/// The role of a file by its path.
pub(super) enum Role {
    Data(FileKind),
    Template,
    /// Configures git for the data: `.gitattributes` at the top or above, `.gitmodules`.
    Git,
    /// `.gitattributes` within the data folders, where it is not allowed.
    MisplacedAttributes,
    /// Looks like data, but is not read: the reason, a sentence.
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
    if configures_git(path) {
        return Role::Git;
    }
    let (folder, name) = (path.split('/').next().unwrap_or_default(), path.rsplit('/').next().unwrap_or_default());
    // On disks that ignore case, git opens it in any spelling.
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
        let like_data = yaml && !name.starts_with(".#");
        return if like_data { Role::Mistaken("hidden files and folders are not read") } else { Role::Ignored };
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

/// The kind of data in the file at `path`; `None` if it is not read as data.
pub fn data_kind(path: &str) -> Option<FileKind> {
    match role(path) {
        Role::Data(kind) => Some(kind),
        _ => None,
    }
}

/// The last part of a path, without its extension.
pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name)
}
