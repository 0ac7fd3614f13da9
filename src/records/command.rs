//! What became of a target's check or reload command.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::quote::harmless;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandRecord {
    /// The command and its arguments, as in the settings.
    pub command: Vec<String>,
    /// How it ended: `exit 0`, `exit 3`, `signal 9`, `no answer in 60 s`.
    pub ended: String,
    /// Whether that was as it should be.
    pub ok: bool,
    /// What it said, cut when long, without anything that steers a terminal and without secrets.
    pub output: String,
}

impl CommandRecord {
    /// In a sentence, for people.
    pub fn sentence(&self) -> String {
        let command = harmless(&self.command.join(" "), 120);
        let said = self.output.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        match said {
            "" => format!("'{command}' ended with {}", self.ended),
            said => format!("'{command}' ended with {}: {}", self.ended, harmless(said.trim(), 300)),
        }
    }
}
