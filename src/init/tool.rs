//! Where the workflows of a data repository get the tool from.

use std::fmt;
use std::str::FromStr;

use crate::text::quote::quoted;

/// Upper bound for the text: it is part of a cache key, for which GitHub allows 512 characters.
const LONGEST: usize = 400;

/// A source of the tool.
///
/// Its text has one reading, which `files/install.yml` repeats: a test compares the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Built from a git repository, at a tag or a commit.
    Git {
        /// `https` or `ssh`.
        url: String,
        /// A tag or a commit.
        revision: String,
    },
    /// Downloaded from a release: the archive or the Debian package.
    Release {
        /// `https`, ending in `.tar.gz` or `.deb`.
        url: String,
        /// The checksum, 64 digits.
        sha256: String,
    },
    /// Copied from a container image: `HOST/PATH` with a tag, a digest or both.
    Image(String),
    /// Built from the registry of crates, in this version.
    Registry(String),
}

impl Tool {
    /// The source that this program was built from, if the build named it.
    pub fn of_this_program() -> Option<Tool> {
        Self::of_build(option_env!("SHAPELINE_TOOL"))
    }

    /// A build without a source may set the variable to nothing.
    fn of_build(named: Option<&str>) -> Option<Tool> {
        named?.parse().ok()
    }
}

impl FromStr for Tool {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err(format!("no source is named: name one of\n{FORMS}"));
        }
        if text.len() > LONGEST {
            return Err(format!("a source has at most {LONGEST} characters"));
        }
        if let Some(version) = text.strip_prefix("crates.io") {
            return registry(version);
        }
        if let Some(reference) = text.strip_prefix("docker://") {
            return image(reference);
        }
        if let Some(rest) = text.strip_prefix("git+") {
            return git(rest, text);
        }
        let is_release = |url: &str| url.ends_with(".tar.gz") || url.ends_with(".deb");
        if text.contains('#') || is_release(text) {
            return release(text);
        }
        if text.starts_with("https://") || text.starts_with("ssh://") {
            return git(text, text);
        }
        Err(format!("{} is not a source of Shapeline: name one of\n{FORMS}", quoted(text)))
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tool::Git { url, revision } if url.ends_with(".git") => write!(f, "{url}@{revision}"),
            Tool::Git { url, revision } => write!(f, "git+{url}@{revision}"),
            Tool::Release { url, sha256 } => write!(f, "{url}#sha256={sha256}"),
            Tool::Image(reference) => write!(f, "docker://{reference}"),
            Tool::Registry(version) => write!(f, "crates.io@{version}"),
        }
    }
}

/// The accepted texts.
pub(crate) const FORMS: &str = "  \
  https://HOST/PATH.git@COMMIT            built from git; ssh:// and a tag work, too
  https://HOST/PATH.tar.gz#sha256=DIGEST  from a release; or its .deb
  docker://HOST/PATH@sha256:DIGEST        from a container image; :TAG works, too
  crates.io@VERSION                       built from the registry";

fn git(source: &str, text: &str) -> Result<Tool, String> {
    let Some((url, revision)) = source.rsplit_once('@').filter(|(_, revision)| !revision.contains('/')) else {
        return Err(format!("{} names no revision: add @ and a commit or a tag", quoted(text)));
    };
    let place = url.strip_prefix("https://").or_else(|| {
        let place = url.strip_prefix("ssh://")?;
        match place.split_once('@') {
            None => Some(place),
            Some((user, place)) => starts_plain(user, "._-").then_some(place),
        }
    });
    if !place.is_some_and(is_place) {
        return Err(format!("{} is not a git URL such as https://HOST/PATH.git, without a password", quoted(url)));
    }
    // `/.git` is a folder and not a name that ends so.
    let is_plain = url.strip_suffix(".git").is_some_and(|stem| !stem.ends_with('/'));
    if !is_plain && source == text {
        return Err(format!("{} does not end in .git: if it is a git URL, write git+ before it", quoted(url)));
    }
    if !starts_plain(revision, "._+-") {
        return Err(format!("{} is not a commit or a tag", quoted(revision)));
    }
    Ok(Tool::Git { url: url.to_owned(), revision: revision.to_owned() })
}

fn release(text: &str) -> Result<Tool, String> {
    let Some((url, sha256)) = text.split_once("#sha256=") else {
        return Err(format!("{} has no checksum: add #sha256= and the 64 digits of SHA256SUMS", quoted(text)));
    };
    if !is_digest(sha256) {
        return Err(format!("{} is not a SHA-256 checksum: 64 digits, 0 to 9 and a to f", quoted(sha256)));
    }
    let stem = url.strip_suffix(".tar.gz").or_else(|| url.strip_suffix(".deb"));
    let place = stem.and_then(|stem| stem.strip_prefix("https://"));
    if !place.is_some_and(is_place) {
        let name = "shapeline-VERSION-TARGET.tar.gz or shapeline_VERSION_ARCH.deb";
        return Err(format!("{} is not the https URL of a release's {name}", quoted(url)));
    }
    Ok(Tool::Release { url: url.to_owned(), sha256: sha256.to_owned() })
}

fn image(reference: &str) -> Result<Tool, String> {
    let bad = |why: &str| Err(format!("{}: {why}", quoted(&format!("docker://{reference}"))));
    let (named, digest) = match reference.split_once("@sha256:") {
        Some((named, digest)) => (named, Some(digest)),
        None => (reference, None),
    };
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return bad("a digest has 64 digits, 0 to 9 and a to f");
    }
    let (place, tag) = match named.rsplit_once(':') {
        Some((place, tag)) if !tag.contains('/') => (place, Some(tag)),
        _ => (named, None),
    };
    let is_tag = |tag: &str| tag.len() <= 128 && starts_plain(tag, "._-");
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return bad("the tag is not one");
    }
    if tag.is_none() && digest.is_none() {
        return bad("name a tag or a digest: :TAG or @sha256:DIGEST");
    }
    let is_lower = !place.split_once('/').is_some_and(|(_, path)| path.bytes().any(|b| b.is_ascii_uppercase()));
    let is_segment = |segment: &str| starts_plain(segment, "._-");
    if !is_place(place) || !is_lower || !place.split('/').skip(1).all(is_segment) {
        return bad("name it as HOST/PATH, the path in small letters");
    }
    Ok(Tool::Image(reference.to_owned()))
}

fn registry(version: &str) -> Result<Tool, String> {
    if version.is_empty() {
        return Ok(Tool::Registry(env!("CARGO_PKG_VERSION").to_owned()));
    }
    let is_number = |number: &str| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let is_version = |version: &str| {
        let (numbers, pre) = version.split_once('-').unwrap_or((version, "x"));
        let is_pre = !pre.is_empty() && pre.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
        is_pre && numbers.split('.').count() == 3 && numbers.split('.').all(is_number)
    };
    match version.strip_prefix('@') {
        Some(version) if is_version(version) => Ok(Tool::Registry(version.to_owned())),
        _ => Err(format!("{} is not a version: write crates.io@1.2.3", quoted(&format!("crates.io{version}")))),
    }
}

/// Whether this is `HOST/PATH` or `HOST:PORT/PATH`, with nothing that a program takes for an option.
fn is_place(text: &str) -> bool {
    let Some((host, path)) = text.split_once('/') else { return false };
    let (host, port) = host.split_once(':').unwrap_or((host, "0"));
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let is_segment = |segment: &str| {
        !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~%+-".contains(&b))
    };
    is_port && starts_plain(host, ".-") && path.split('/').all(is_segment)
}

/// Whether it begins with a letter or digit, and is made of these and `others`.
fn starts_plain(text: &str, others: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_may_name_its_source_or_none() {
        let source = "https://git.ispcustomer.co.zw/isp/shapeline.git@v1.2.3";
        assert_eq!(Tool::of_build(Some(source)).unwrap().to_string(), source);
        assert_eq!((Tool::of_build(None), Tool::of_build(Some(""))), (None, None));
    }

    #[test]
    fn the_registry_without_a_version_is_the_version_of_this_program() {
        let tool: Tool = "crates.io".parse().unwrap();
        assert_eq!(tool.to_string(), concat!("crates.io@", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn a_refusal_says_what_is_missing() {
        for (text, says) in [
            ("https://git.ispcustomer.co.zw/shapeline.git", "names no revision"),
            ("ssh://git@git.ispcustomer.co.zw/shapeline.git", "names no revision"),
            ("https://git.ispcustomer.co.zw/shapeline@v1", "write git+ before it"),
            ("https://user:secret@git.ispcustomer.co.zw/shapeline.git@v1", "without a password"),
            ("https://ispcustomer.co.zw/x.tar.gz", "has no checksum"),
            ("https://ispcustomer.co.zw/x.tar.gz#sha256=12", "64 digits"),
            ("", "no source is named: name one of\n  https://"),
            ("docker://ghcr.io/isp/shapeline", "name a tag or a digest"),
            ("docker://ghcr.io/ISP/shapeline:1", "small letters"),
            ("crates.io@latest", "crates.io@1.2.3"),
            ("http://ispcustomer.co.zw/shapeline.git@v1", "not a source of Shapeline"),
        ] {
            let refusal = text.parse::<Tool>().unwrap_err();
            assert!(refusal.contains(says), "{text}: {refusal}");
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }
}
