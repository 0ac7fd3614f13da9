//! URLs of targets and of S3 services: parsed once, when they are read.

use std::path::Path;
use std::str::FromStr;
use std::sync::LazyLock;

use super::misspelling::{Misspelling, Misspelt};
use super::target_kind::{AuthorityKind, Scheme, TARGET_KINDS, any_of};
use super::text::{is_longer, text_traits, text_type};
use crate::text::quote::quoted;

/// The URL of a target's live file. It contains no password: keys come from an agent, a file or the
/// environment, never from the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetUrl {
    text: Box<str>,
    scheme: Scheme,
    authority: Box<str>,
    server: Option<ServerName>,
    path: Box<str>,
    folder: Box<str>,
    file: Box<str>,
}

/// An SSH server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ServerName {
    pub(crate) user: Option<Box<str>>,
    /// A name, or an address without brackets.
    pub(crate) host: Box<str>,
    pub(crate) port: Option<u16>,
}

impl TargetUrl {
    /// The URL as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Why a text is no such URL.
    pub(crate) fn explain(text: &str) -> Misspelling {
        let shown = quoted(text);
        let kinds = any_of(|kind| kind.example);
        let Some((scheme, rest)) = text.split_once("://") else {
            let meant = format!("file://{text}");
            let message = format!("{shown} is not a URL");
            return match meant.parse::<TargetUrl>() {
                Ok(_) => Misspelling::of(message, meant),
                Err(_) => Misspelling::with_help(message, format!("write a URL such as {kinds}")),
            };
        };
        if !TARGET_KINDS.iter().any(|kind| kind.name == scheme) {
            let message = format!("{shown} is of no kind that can be published to: {}", any_of(|kind| kind.name));
            return Misspelling::with_help(message, format!("write a URL such as {kinds}"));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let why = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => {
                let help = "remove the password: the key comes from `identity`, from the SSH agent or from ~/.ssh";
                return Misspelling::with_help(format!("{shown} contains a password"), help);
            }
            _ if path.is_empty() || path == "/" => "names no file after the host or bucket",
            _ if path.ends_with('/') => "ends with a slash, and so names a folder",
            _ if path.split('/').any(|part| part == "." || part == "..") => "contains `.` or `..` as a folder",
            _ if path.contains(' ') => "contains a space",
            _ if scheme == "file"
                && !authority.is_empty()
                && format!("file:///{rest}").parse::<TargetUrl>().is_ok() =>
            {
                let meant = format!("file:///{rest}");
                let message = format!("{shown} names the host {}, and a file is on this host", quoted(authority));
                return Misspelling::of(message, meant);
            }
            _ if path.split('/').skip(1).all(is_segment) => "names a host, a port or a bucket that cannot exist",
            _ => "contains a character that is not allowed in a path",
        };
        Misspelling::with_help(format!("{shown} {why}"), format!("write a URL such as {kinds}"))
    }

    /// How it is reached.
    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The server with user and port, or the bucket; empty for a file.
    #[cfg(any(feature = "sftp", feature = "s3"))]
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The server, if the authority names one.
    #[cfg(feature = "sftp")]
    pub(crate) fn server(&self) -> Option<&ServerName> {
        self.server.as_ref()
    }

    /// The path, from its first `/` on.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path, if it is on this host.
    pub(crate) fn local_path(&self) -> Option<&Path> {
        (self.scheme == Scheme::File).then(|| Path::new(&*self.path))
    }

    /// The folder and the name of the file in it. The folder is `/` or has no `/` at its end.
    pub fn folder_and_file(&self) -> (&str, &str) {
        (&self.folder, &self.file)
    }
}

const MAX_LENGTH: usize = 400;

static EXPECTED: LazyLock<String> =
    LazyLock::new(|| format!("a URL: {}, without a password", any_of(|kind| kind.example)));

text_traits! { TargetUrl, max MAX_LENGTH, pattern url_pattern(), expected EXPECTED.as_str() }

impl FromStr for TargetUrl {
    type Err = Misspelt;

    fn from_str(text: &str) -> Result<Self, Misspelt> {
        let url = if is_longer(text, MAX_LENGTH) { None } else { parse(text) };
        url.ok_or_else(|| Misspelt::new(text, TargetUrl::explain))
    }
}

impl serde::Serialize for TargetUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

text_type! {
    /// The URL of an S3 service. It contains no password and no query, which could carry one: keys come
    /// from the environment.
    Endpoint, Box<str>, max 200,
    pattern format!("^https?://{SERVER_PATTERN}(?:/[A-Za-z0-9._~-]+)*/?$"),
    is_endpoint,
    expected "the URL of an S3 service: https://s3.ispcustomer.co.zw, without a password"
}

fn is_endpoint(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (server, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = path.strip_suffix('/').unwrap_or(path);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    parse_server(server).is_some_and(|server| server.user.is_none())
        && path.split('/').skip(1).all(|part| !part.is_empty() && part.bytes().all(plain))
}

/// A host and perhaps a port, as [`parse_server`] reads them.
const SERVER_PATTERN: &str = "(?:[A-Za-z0-9][A-Za-z0-9.-]*|\\[[0-9A-Fa-f:.]+\\])\
    (?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?";

/// Says the same as [`parse`].
fn url_pattern() -> String {
    let kinds: Vec<String> = TARGET_KINDS
        .iter()
        .map(|kind| match kind.authority {
            AuthorityKind::ThisHost => format!("{}://", kind.name),
            AuthorityKind::Server => format!("{}://(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?{SERVER_PATTERN}", kind.name),
            AuthorityKind::Bucket => format!("{}://[a-z0-9][a-z0-9.-]*", kind.name),
        })
        .collect();
    format!("^(?:{})(?:/\\.?[A-Za-z0-9_@+=:,-][A-Za-z0-9_@+=:,.-]*)+$", kinds.join("|"))
}

fn parse(text: &str) -> Option<TargetUrl> {
    let (scheme, rest) = text.split_once("://")?;
    let kind = TARGET_KINDS.iter().find(|kind| kind.name == scheme)?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    let (fits, server) = match kind.authority {
        AuthorityKind::ThisHost => (authority.is_empty(), None),
        AuthorityKind::Server => (true, Some(parse_server(authority)?)),
        AuthorityKind::Bucket => (is_bucket(authority), None),
    };
    if !fits || !path.split('/').skip(1).all(is_segment) {
        return None;
    }
    let (folder, file) = path.rsplit_once('/')?;
    Some(TargetUrl {
        text: text.into(),
        scheme: kind.scheme,
        authority: authority.into(),
        server,
        path: path.into(),
        folder: if folder.is_empty() { "/" } else { folder }.into(),
        file: file.into(),
    })
}

/// Neither empty nor `.` nor `..`: a reader must see from the URL where the file is.
fn is_segment(text: &str) -> bool {
    let text = text.strip_prefix('.').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@+=:,-".contains(&byte);
    text.bytes().next().is_some_and(plain) && text.bytes().all(|byte| plain(byte) || byte == b'.')
}

/// `[user@]host[:port]`. Neither user nor host begins with a dash: both become arguments of `ssh`.
fn parse_server(text: &str) -> Option<ServerName> {
    let (user, host) = text.split_once('@').map_or((None, text), |(user, host)| (Some(user), host));
    let (host, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            let plain = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
            (!address.is_empty() && address.bytes().all(plain)).then_some((address, port))?
        }
        None => {
            let (host, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
            let is_plain = host.starts_with(|c: char| c.is_ascii_alphanumeric()) && host.bytes().all(plain);
            is_plain.then_some((host, port))?
        }
    };
    let user_is_plain = user.is_none_or(|user| {
        user.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    });
    let port = if port.is_empty() { None } else { Some(parse_port(port.strip_prefix(':')?)?) };
    user_is_plain.then(|| ServerName { user: user.map(Into::into), host: host.into(), port })
}

fn parse_port(text: &str) -> Option<u16> {
    let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

fn is_bucket(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().next().is_some_and(letter) && text.bytes().all(|byte| letter(byte) || b".-".contains(&byte))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::text::is_match;

    #[test]
    fn the_pattern_and_the_function_agree() {
        let pattern = is_match(&url_pattern());
        for (text, valid) in [
            ("file:///srv/shaper/shaper.txt", true),
            ("file:///a", true),
            ("file:///srv/.hidden/x", true),
            ("file://srv/x", false),
            ("file:///", false),
            ("file:///srv//x", false),
            ("file:///srv/../x", false),
            ("file:///srv/./x", false),
            ("file:///srv/x/", false),
            ("file:///srv/a b", false),
            ("sftp://shaper@192.0.2.1/srv/x", true),
            ("sftp://shaper@192.0.2.1:2222/srv/x", true),
            ("sftp://hre-1.ispcustomer.co.zw/x", true),
            ("sftp://a@[2001:db8::1]:22/x", true),
            ("sftp://a@[2001:db8::1/x", false),
            ("sftp://a:secret@192.0.2.1/x", false),
            ("sftp://-oProxyCommand=x/x", false),
            ("sftp://-a@192.0.2.1/x", false),
            ("sftp://a@192.0.2.1:0/x", false),
            ("sftp://a@192.0.2.1:/x", false),
            ("sftp://a@192.0.2.1:65535/x", true),
            ("sftp://a@192.0.2.1:65536/x", false),
            ("sftp://a@192.0.2.1:99999/x", false),
            ("sftp://a@192.0.2.1:100000/x", false),
            ("sftp://a@192.0.2.1", false),
            ("s3://bucket/key", true),
            ("s3://bucket/a/b.txt", true),
            ("s3://Bucket/key", false),
            ("s3://bucket", false),
            ("ftp://a/b", false),
            ("linux://eth0/x", false),
            ("/srv/x", false),
        ] {
            assert_eq!(text.parse::<TargetUrl>().is_ok(), valid, "{text}");
            assert_eq!(pattern(text), valid, "{text} by the pattern");
        }
    }

    #[test]
    fn an_endpoint_has_no_secret() {
        let pattern = {
            let schema = schemars::schema_for!(Endpoint).to_value();
            is_match(schema["pattern"].as_str().unwrap())
        };
        for (text, valid) in [
            ("https://s3.ispcustomer.co.zw", true),
            ("http://127.0.0.1:5000/", true),
            ("https://[2001:db8::1]:9000/s3/a", true),
            ("https://user:hunter2@s3.ispcustomer.co.zw", false),
            ("https://hunter2@s3.ispcustomer.co.zw", false),
            ("https://s3.ispcustomer.co.zw/?X-Amz-Signature=1", false),
            ("https://s3.ispcustomer.co.zw/#x", false),
            ("https://s3.ispcustomer.co.zw//x", false),
            ("https://s3.ispcustomer.co.zw:0", false),
            ("https:///x", false),
            ("ftp://s3.ispcustomer.co.zw", false),
            ("s3.ispcustomer.co.zw", false),
        ] {
            assert_eq!(Endpoint::is_valid(text), valid, "{text}");
            assert_eq!(pattern(text), valid, "{text} by the pattern");
        }
    }

    #[test]
    fn a_url_has_parts() {
        let url: TargetUrl = "sftp://shaper@192.0.2.1:2222/srv/shaper/shaper.txt".parse().unwrap();
        assert_eq!((url.scheme(), url.authority()), (Scheme::Sftp, "shaper@192.0.2.1:2222"));
        assert_eq!(url.folder_and_file(), ("/srv/shaper", "shaper.txt"));
        let url: TargetUrl = "s3://bucket/key".parse().unwrap();
        assert_eq!(url.folder_and_file(), ("/", "key"));
        let url: TargetUrl = "sftp://a@[2001:db8::1]:22/x".parse().unwrap();
        let server = ServerName { user: Some("a".into()), host: "2001:db8::1".into(), port: Some(22) };
        assert_eq!(url.server(), Some(&server));
    }

    #[test]
    fn the_examples_are_valid() {
        for kind in &TARGET_KINDS {
            for example in [kind.example, kind.folder_example] {
                assert_eq!(example.parse::<TargetUrl>().unwrap().scheme(), kind.scheme, "{example}");
            }
        }
    }
}
