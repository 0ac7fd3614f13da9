//! Where outputs are published, and where backups are kept.

use super::domain::some_list;
use super::limits::DomainLimits;
use super::setting_name::SettingName;
use super::target_kind::any_of;
use super::target_url::{Endpoint, TargetUrl};
use super::text::Text;
use super::text::{free_text, is_free_text, text_type};

text_type! {
    /// A word of a command. It contains no URL with a password, which would show in the repository and
    /// in the list of processes.
    Word, Box<str>, max 200,
    pattern format!("^(?!.*://[^/@ ]*:[^/@ ]*@){}+$", free_text()),
    |text| is_free_text(text) && !has_password(text),
    expected "a word of a command on one line, at most 200 characters, without a password in a URL"
}

/// Whether there is a URL with a user and a password in `text`.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let user = rest.find(['/', '@', ' ']).map(|end| rest.split_at(end));
        user.is_some_and(|(user, rest)| rest.starts_with('@') && user.contains(':'))
    })
}

/// A place as the settings name it: its URL, and the settings that say how its server is reached.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// The URL of a file or a folder.
    pub url: &'a TargetUrl,
    /// The key file for SSH.
    pub identity: Option<&'a Text>,
    /// The file of known servers for SSH.
    pub known_hosts: Option<&'a Text>,
    /// The S3 service.
    pub endpoint: Option<&'a Endpoint>,
    /// Its region.
    pub region: Option<&'a Text>,
}

impl<'a> Access<'a> {
    /// A place for which nothing but the URL is set.
    pub fn of(url: &'a TargetUrl) -> Access<'a> {
        Access { url, identity: None, known_hosts: None, endpoint: None, region: None }
    }

    /// The keys that are set of those that only some kinds of targets use.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> {
        let Access { url: _, identity, known_hosts, endpoint, region } = self;
        let keys = [
            ("identity", identity.is_some()),
            ("known_hosts", known_hosts.is_some()),
            ("endpoint", endpoint.is_some()),
            ("region", region.is_some()),
        ];
        keys.into_iter().filter_map(|(key, is_set)| is_set.then_some(key))
    }
}

/// Declares a struct of settings that names a place: its own fields, and those of every such struct. (serde
/// cannot flatten a struct into one that refuses unknown fields.)
macro_rules! place {
    ($(#[$doc:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[schemars(inline)]
        pub struct $name {
            $($own)*
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

        impl $name {
            /// How it is reached.
            pub(crate) fn access(&self) -> Access<'_> {
                Access {
                    url: &self.url,
                    identity: self.identity.as_ref(),
                    known_hosts: self.known_hosts.as_ref(),
                    endpoint: self.endpoint.as_ref(),
                    region: self.region.as_ref(),
                }
            }
        }
    };
}

place! {
    /// Where an output is published.
    pub struct Target {
        /// The target's name, for commands and the log.
        #[schemars(title = "Name")]
        pub(crate) name: SettingName,
        /// Where the live file is.
        #[schemars(title = "URL", description = format!("Where the live file is: {}.", any_of(|kind| kind.example)))]
        pub(crate) url: TargetUrl,
        /// The output to publish. Default: shaper.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(title = "Output")]
        pub(crate) output: Option<SettingName>,
        /// A command that must accept the new file before it goes live; {file} is its path.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "command")]
        #[schemars(title = "Check command", with = "Vec<Word>", length(min = 1, max = 100), extend("x-expected" = "a command and its arguments as a list, such as [systemctl, reload, shaper]"))]
        pub(crate) check: Option<Vec<Word>>,
        /// A command that makes the shaper read the new file.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "command")]
        #[schemars(title = "Reload command", with = "Vec<Word>", length(min = 1, max = 100), extend("x-expected" = "a command and its arguments as a list, such as [systemctl, reload, shaper]"))]
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
    }
}

place! {
    /// Where `backup` keeps its copies, and how many.
    pub struct Backup {
        /// The folder of the copies.
        #[schemars(title = "URL", description = format!("The folder: {}.", any_of(|kind| kind.folder_example)))]
        pub(crate) url: TargetUrl,
        /// How many copies of each path to keep. Default: 100.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "keep")]
        #[schemars(title = "Copies kept", with = "u32", range(min = 1, max = 100_000), extend("x-expected" = "a whole number from 1 to 100000"))]
        pub(crate) keep: Option<u32>,
    }
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
    use super::super::target_kind::TARGET_KINDS;
    use super::super::text::is_match;
    use super::*;

    #[test]
    fn a_command_has_no_password() {
        let schema = schemars::schema_for!(Word).to_value();
        let pattern = is_match(schema["pattern"].as_str().unwrap());
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

    #[test]
    fn every_key_belongs_to_a_kind_and_the_other_way_round() {
        let url = "file:///x".parse().unwrap();
        let (text, endpoint) = ("x".parse().unwrap(), "https://x".parse().unwrap());
        let (some, endpoint) = (Some(&text), Some(&endpoint));
        let all = Access { url: &url, identity: some, known_hosts: some, endpoint, region: some };
        let mut known: Vec<&str> = TARGET_KINDS.iter().flat_map(|kind| kind.settings).copied().collect();
        known.sort_unstable();
        known.dedup();
        let mut keys: Vec<&str> = all.keys().collect();
        keys.sort_unstable();
        assert_eq!(keys, known);
        assert_eq!(Access::of(&url).keys().count(), 0);
    }
}
