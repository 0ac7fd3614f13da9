//! What it means when a server does not do what it was asked.

use std::io::ErrorKind;

use openssh_sftp_client::Error;
use openssh_sftp_client::error::SftpErrorKind;

use crate::text::quote::harmless;

/// Why something was not done.
#[derive(Debug)]
pub enum Fault {
    /// There is no such file or folder.
    Absent,
    /// The server refused. Its reason, so far as it gives one.
    Refused(String),
    /// It gave no answer, or none that can be understood: there is no more talking to it. What is
    /// known of the reason.
    Lost(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Absent => f.write_str("there is no such file or folder"),
            Fault::Refused(why) | Fault::Lost(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        match error {
            Error::SftpError(SftpErrorKind::NoSuchFile, _) => Fault::Absent,
            Error::SftpError(SftpErrorKind::PermDenied, _) => {
                Fault::Refused("the server denies it: the user has no permission".to_owned())
            }
            Error::SftpError(_, said) => Fault::Refused(format!("the server says {:?}", harmless(said.get().0, 200))),
            Error::FormatError(_) => Fault::Lost(NOT_UNDERSTOOD.to_owned()),
            Error::SftpServerHelloMsgTooLong { .. } => Fault::Lost(NOT_THE_PROTOCOL.to_owned()),
            Error::IOError(error) if error.kind() == ErrorKind::InvalidData => Fault::Lost(NOT_THE_PROTOCOL.to_owned()),
            Error::InvalidResponse(why) => Fault::Lost(format!("its answer is against the protocol: {why}")),
            Error::RecursiveErrors(errors) => Fault::from(errors.original_error),
            // The end of the connection shows as any of several errors, none of which says more.
            Error::IOError(_) | Error::BackgroundTaskFailure(_) => Fault::Lost(String::new()),
            other => Fault::Lost(harmless(&other.to_string(), 200)),
        }
    }
}

const NOT_THE_PROTOCOL: &str =
    "what came is not the SFTP protocol: the account must print nothing when it is logged in to";

/// The library gives up the connection when it meets such a name.
const NOT_UNDERSTOOD: &str =
    "its answer cannot be understood: perhaps a file in the folder has a name that is not UTF-8; rename or remove it";

/// Whether the connection is gone, by `error`.
pub fn lost(error: &anyhow::Error) -> Option<&str> {
    error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(Fault::Lost(why)) => Some(why.as_str()),
        _ => None,
    })
}
