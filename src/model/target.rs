//! Where outputs are published, and where backups are kept.

use super::domain::some_list;
use super::limits::DomainLimits;
use super::setting_name::SettingName;
use super::text::Text;
use super::text::{free_text, is_free_text, text_type};

text_type! {
    /// The URL of a target's live file. It contains no password: keys come from an agent, a file or the
    /// environment, never from the repository.
    TargetUrl, Box<str>, max 400,
    pattern URL_PATTERN,
    |text| split(text).is_some(),
    expected "where a file is: file:///srv/shaper/shaper.txt, sftp://user@host/path or s3://bucket/key, without a password"
}

text_type! {
    /// The URL of an S3 service. It contains no password and no query, which could carry one: keys come
    /// from the environment.
    Endpoint, Box<str>, max 200,
    pattern ENDPOINT_PATTERN,
    is_endpoint,
    expected "where an S3 service is: https://s3.ispcustomer.co.zw, without a password"
}

text_type! {
    /// A word of a command. It contains no URL with a password, which would show in the repository and
    /// in the list of processes.
    Word, Box<str>, max 200,
    pattern format!("^(?!.*://[^/@ ]*:[^/@ ]*@){}+$", free_text()),
    |text| is_free_text(text) && !has_password(text),
    expected "a word of a command on one line, at most 200 characters, without a password in a URL"
}

/// Accepts the same texts as [`is_endpoint`]; a test compares.
const ENDPOINT_PATTERN: &str = "^https?://\
    (?:[A-Za-z0-9][A-Za-z0-9.-]*|\\[[0-9A-Fa-f:.]+\\])(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?\
    (?:/[A-Za-z0-9._~-]+)*/?$";

fn is_endpoint(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (server, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = path.strip_suffix('/').unwrap_or(path);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    !server.contains('@')
        && is_server(server)
        && path.split('/').skip(1).all(|part| !part.is_empty() && part.bytes().all(plain))
}

/// Whether there is a URL with a user and a password in `text`.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let user = rest.find(['/', '@', ' ']).map(|end| rest.split_at(end));
        user.is_some_and(|(user, rest)| rest.starts_with('@') && user.contains(':'))
    })
}

/// Accepts the same texts as [`split`]; a test compares.
const URL_PATTERN: &str = "^(?:file://\
    |sftp://(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?:[A-Za-z0-9][A-Za-z0-9.-]*|\\[[0-9A-Fa-f:.]+\\])(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?\
    |s3://[a-z0-9][a-z0-9.-]*\
    )(?:/\\.?[A-Za-z0-9_@+=:,-][A-Za-z0-9_@+=:,.-]*)+$";

/// How a target is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// On this host, or mounted.
    File,
    /// On an SSH server.
    Sftp,
    /// In a bucket.
    S3,
}

/// Splits a URL into scheme, authority and path, the path with its leading `/`.
fn split(text: &str) -> Option<(Scheme, &str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    let scheme = match scheme {
        "file" if authority.is_empty() => Scheme::File,
        "sftp" if is_server(authority) => Scheme::Sftp,
        "s3" if is_bucket(authority) => Scheme::S3,
        _ => return None,
    };
    path.split('/').skip(1).all(is_segment).then_some((scheme, authority, path))
}

/// Neither empty nor `.` nor `..`: the URL shows where the file really is.
fn is_segment(text: &str) -> bool {
    let text = text.strip_prefix('.').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@+=:,-".contains(&byte);
    text.bytes().next().is_some_and(plain) && text.bytes().all(|byte| plain(byte) || byte == b'.')
}

/// `[user@]host[:port]`. Neither begins with a dash: both become arguments of `ssh`.
fn is_server(text: &str) -> bool {
    let (user, host) = text.split_once('@').map_or((None, text), |(user, host)| (Some(user), host));
    let user_is_plain = user.is_none_or(|user| {
        user.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    });
    let (host, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            let plain = |byte: u8| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.';
            if address.is_empty() || !address.bytes().all(plain) {
                return false;
            }
            ("host", port)
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let host_is_plain = host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let port_is_plain = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| {
            port.starts_with(|c: char| c.is_ascii_digit() && c != '0')
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse::<u16>().is_ok()
        });
    user_is_plain && host_is_plain && port_is_plain
}

fn is_bucket(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().next().is_some_and(letter) && text.bytes().all(|byte| letter(byte) || b".-".contains(&byte))
}

impl TargetUrl {
    /// How it is reached.
    pub(crate) fn scheme(&self) -> Scheme {
        split(self.as_str()).map_or(Scheme::File, |(scheme, ..)| scheme)
    }

    /// The server with user and port, or the bucket; empty for a file.
    pub(crate) fn authority(&self) -> &str {
        split(self.as_str()).map_or("", |(_, authority, _)| authority)
    }

    /// The path, from its first `/` on.
    pub(crate) fn path(&self) -> &str {
        split(self.as_str()).map_or("", |(_, _, path)| path)
    }

    /// The folder and the name of the file in it. The folder is `/` or has no `/` at its end.
    pub fn folder_and_file(&self) -> (&str, &str) {
        match self.path().rsplit_once('/') {
            Some(("", file)) => ("/", file),
            Some((folder, file)) => (folder, file),
            None => ("/", self.path()),
        }
    }
}

/// Where an output is published.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Target {
    /// The target's name, for commands and the log.
    #[schemars(title = "Name")]
    pub(crate) name: SettingName,
    /// Where the live file is: file:///srv/shaper/shaper.txt, sftp://user@host/path or s3://bucket/key.
    #[schemars(title = "URL")]
    pub(crate) url: TargetUrl,
    /// The output to publish. Default: shaper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Output")]
    pub(crate) output: Option<SettingName>,
    /// A command that must accept the new file before it goes live; {file} is its path.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "command")]
    #[schemars(title = "Check command", with = "Vec<Word>", length(min = 1, max = 100), extend("x-expected" = "a command and its arguments as a list"))]
    pub(crate) check: Option<Vec<Word>>,
    /// A command that makes the shaper read the new file.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "command")]
    #[schemars(title = "Reload command", with = "Vec<Word>", length(min = 1, max = 100), extend("x-expected" = "a command and its arguments as a list"))]
    pub(crate) reload: Option<Vec<Word>>,
    /// Time limit for each of the two commands, in seconds. Default: 60.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "timeout")]
    #[schemars(title = "Seconds for a command", with = "u32", range(min = 1, max = 3600), extend("x-expected" = "a whole number of seconds from 1 to 3600"))]
    pub(crate) timeout: Option<u32>,
    /// How many past versions to keep. Default: 100.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "keep")]
    #[schemars(title = "Versions kept", with = "u32", range(min = 1, max = 100_000), extend("x-expected" = "a whole number from 1 to 100000"))]
    pub(crate) keep: Option<u32>,
    /// Limits of this target, in place of the general ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Safety limits")]
    pub(crate) safety: Option<DomainLimits>,
    /// The private key file for sftp. Default: the agent and ~/.ssh/config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Key file")]
    pub(crate) identity: Option<Text>,
    /// The file of the servers' public keys for sftp. Default: as set in ~/.ssh/config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Known hosts")]
    pub(crate) known_hosts: Option<Text>,
    /// The URL of the S3 service, such as `https://s3.ispcustomer.co.zw`. Default: AWS_ENDPOINT_URL, or AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Endpoint")]
    pub(crate) endpoint: Option<Endpoint>,
    /// The region of the S3 service. Default: AWS_REGION, or us-east-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Region")]
    pub(crate) region: Option<Text>,
}

/// Where `backup` keeps its copies, and how many.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Backup {
    /// The folder: file:///srv/backups, sftp://user@host/folder or s3://bucket/folder.
    #[schemars(title = "URL")]
    pub(crate) url: TargetUrl,
    /// How many copies of each path to keep. Default: 100.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "keep")]
    #[schemars(title = "Copies kept", with = "u32", range(min = 1, max = 100_000), extend("x-expected" = "a whole number from 1 to 100000"))]
    pub(crate) keep: Option<u32>,
    /// The private key file for sftp. Default: the agent and ~/.ssh/config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Key file")]
    pub(crate) identity: Option<Text>,
    /// The file of the servers' public keys for sftp. Default: as set in ~/.ssh/config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Known hosts")]
    pub(crate) known_hosts: Option<Text>,
    /// The URL of the S3 service, such as `https://s3.ispcustomer.co.zw`. Default: AWS_ENDPOINT_URL, or AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Endpoint")]
    pub(crate) endpoint: Option<Endpoint>,
    /// The region of the S3 service. Default: AWS_REGION, or us-east-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Region")]
    pub(crate) region: Option<Text>,
}

fn command<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Word>>, D::Error> {
    some_list(deserializer, 100).map(Some)
}

fn keep<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole_number(deserializer, 100_000, "expected a whole number from 1 to 100000")
}

fn timeout<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole_number(deserializer, 3600, "expected a whole number of seconds from 1 to 3600")
}

fn whole_number<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
    most: u32,
    expected: &str,
) -> Result<Option<u32>, D::Error> {
    let number: u32 = serde::Deserialize::deserialize(deserializer)?;
    if (1..=most).contains(&number) { Ok(Some(number)) } else { Err(serde::de::Error::custom(expected)) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_and_the_function_agree() {
        let pattern = regex(URL_PATTERN);
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
            assert_eq!(TargetUrl::is_valid(text), valid, "{text}");
            assert_eq!(pattern(text), valid, "{text} by the pattern");
        }
    }

    #[test]
    fn endpoints_and_commands_contain_no_password() {
        let pattern = regex(ENDPOINT_PATTERN);
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
        let schema = schemars::schema_for!(Word).to_value();
        let pattern = regex(schema["pattern"].as_str().unwrap());
        for (text, valid) in [
            ("--url=https://ispcustomer.co.zw:8443/reload", true),
            ("sftp://shaper@192.0.2.1:22/x", true),
            ("https://192.0.2.1:80/@x:y@", true),
            ("a:b@c", true),
            ("https://a b:c@d", true),
            ("https://noc:hunter2@ispcustomer.co.zw/reload", false),
            ("--url=ftp://x/ http://:hunter2@192.0.2.1", false),
            ("two\nlines", false),
        ] {
            assert_eq!(Word::is_valid(text), valid, "{text}");
            assert_eq!(pattern(text), valid, "{text} by the pattern");
        }
    }

    /// A pattern as JSON Schema's validator reads it.
    fn regex(pattern: &str) -> impl Fn(&str) -> bool {
        let schema = serde_json::json!({"type": "string", "pattern": pattern});
        let validator = jsonschema::validator_for(&schema).unwrap();
        move |text| validator.is_valid(&serde_json::json!(text))
    }

    #[test]
    fn a_url_is_split_into_its_parts() {
        let url: TargetUrl = "sftp://shaper@192.0.2.1:2222/srv/shaper/shaper.txt".parse().unwrap();
        assert_eq!((url.scheme(), url.authority()), (Scheme::Sftp, "shaper@192.0.2.1:2222"));
        assert_eq!(url.folder_and_file(), ("/srv/shaper", "shaper.txt"));
        let url: TargetUrl = "s3://bucket/key".parse().unwrap();
        assert_eq!(url.folder_and_file(), ("/", "key"));
    }
}
