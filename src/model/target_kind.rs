//! The kinds of targets: everything that is the same for all targets of a kind.

/// How a target is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scheme {
    /// On this host, or mounted.
    File,
    /// On an SSH server.
    Sftp,
    /// In a bucket.
    S3,
}

/// What the part of a URL between `://` and the path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthorityKind {
    /// Nothing: the path is on this host.
    ThisHost,
    /// `[user@]host[:port]`.
    Server,
    /// The name of a bucket.
    Bucket,
}

/// A kind of target. The check of URLs, the schema, messages, the rule `unused-setting` and a test of the
/// documents use this table; [`crate::store::open`] has an arm for each scheme.
#[derive(Debug)]
pub struct TargetKind {
    /// How targets of this kind are reached.
    pub(crate) scheme: Scheme,
    /// What a URL begins with, before `://`.
    pub name: &'static str,
    pub(super) authority: AuthorityKind,
    /// The settings that only some kinds use, and this one does.
    pub settings: &'static [&'static str],
    /// A URL of a file.
    pub(super) example: &'static str,
    /// A URL of a folder.
    pub(super) folder_example: &'static str,
}

/// All kinds of targets.
pub const TARGET_KINDS: [TargetKind; 3] = [
    TargetKind {
        scheme: Scheme::File,
        name: "file",
        authority: AuthorityKind::ThisHost,
        settings: &[],
        example: "file:///srv/shaper/shaper.txt",
        folder_example: "file:///srv/backups",
    },
    TargetKind {
        scheme: Scheme::Sftp,
        name: "sftp",
        authority: AuthorityKind::Server,
        settings: &["identity", "known_hosts"],
        example: "sftp://user@host/path",
        folder_example: "sftp://user@host/folder",
    },
    TargetKind {
        scheme: Scheme::S3,
        name: "s3",
        authority: AuthorityKind::Bucket,
        settings: &["endpoint", "region"],
        example: "s3://bucket/key",
        folder_example: "s3://bucket/folder",
    },
];

/// `what` of every kind as an enumeration: `a, b or c`.
pub(super) fn any_of(what: impl Fn(&TargetKind) -> &'static str) -> String {
    let [first @ .., last] = &TARGET_KINDS;
    let first: Vec<&str> = first.iter().map(&what).collect();
    format!("{} or {}", first.join(", "), what(last))
}
