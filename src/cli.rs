//! The command line: clap types, nothing else.

mod history;
mod import;
mod subscriber;
mod targets;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::Date;
use crate::report::CheckFormat;

pub use history::HistoryArgs;
pub use import::{ImportArgs, ImportFormat};
pub use subscriber::{AddArgs, EditArgs, ListArgs, SetArgs, ShowArgs, SubscriberArgs, SubscriberCommand, WhoListArgs};
pub use targets::{
    BackupArgs, DriftArgs, LogArgs, PeriodArgs, PublishArgs, RollbackArgs, SyncArgs, TargetArgs, WhoArgs,
};

/// Subscribers, plans and domains as YAML in git: checked, planned, rendered for the shaper.
#[derive(Debug, Parser)]
#[command(name = "shapeline", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// The data repository. Without it, the nearest folder upwards that holds one.
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,

    /// Colour in the output.
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto", global = true)]
    pub color: ColorWhen,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 fine; 1 the data or the change is refused; 2 usage, I/O or internal failure;
3 differences exist, where asked for.";

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a fresh data repository, with workflows, schemas and an example.
    Init(InitArgs),
    /// Check schemas and business rules.
    Check(CheckArgs),
    /// Write the shaper file, or another output, from the data.
    Render(RenderArgs),
    /// Show what would change on the network.
    Plan(PlanArgs),
    /// Put the data on the shapers: checked, guarded, replaced in one step, recorded.
    Publish(PublishArgs),
    /// Show what is live and should not be, or should be and is not.
    Drift(DriftArgs),
    /// Put a version of the past in place.
    Rollback(RollbackArgs),
    /// Show what was done to a target.
    Log(LogArgs),
    /// Count what was done to a target.
    Stat(LogArgs),
    /// Copy files and folders to the backup folder, list the copies, put one back.
    Backup(BackupArgs),
    /// Fetch the branch again and again, and publish what it says: pull mode.
    Sync(SyncArgs),
    /// Show who had what, since when, and who changed it: from git alone.
    History(HistoryArgs),
    /// Take over what exists: a portal's database, a shaper file, a table, LibreQoS.
    Import(ImportArgs),
    /// List, show, add, change, suspend, resume and remove subscribers.
    Subscriber(SubscriberArgs),
    /// Give the data files one style; comments survive.
    Fmt(FmtArgs),
    /// Write the JSON Schemas that editors use.
    Schema(SchemaArgs),
    /// Explain a rule, or list them all.
    Explain(ExplainArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
    /// Print the manual page.
    Man(ManArgs),
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder to fill; it is made if need be.
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

/// Which data is read, and as of which day.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// Take this git revision, in place of what is checked out.
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,

    /// Take this as today's date (UTC), for reproducible output.
    #[arg(long, value_name = "DATE")]
    pub on: Option<Date>,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,

    /// How findings are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: CheckFormat,

    /// Compare with a git revision: turns on the change rules, tells old findings from new ones.
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,

    /// Who proposes the change: a login, or a team it is in. May be given several times.
    #[arg(long = "actor", value_name = "LOGIN", requires = "base")]
    pub actors: Vec<String>,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The output's name in shapeline.yaml. Without it, `shaper`.
    #[arg(value_name = "OUTPUT")]
    pub output: Option<String>,

    /// The data.
    #[command(flatten)]
    pub data: DataArgs,

    /// Write all outputs as files into this folder instead of one to standard output.
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,

    /// Compare with this git revision. Without it, the merge base with the default branch.
    #[arg(long, value_name = "REV", conflicts_with = "against")]
    pub base: Option<String>,

    /// Compare with a shaper file instead of a revision; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,

    /// Compare with what is live on a target: its fingerprint binds `publish --plan`.
    #[arg(long, value_name = "TARGET", conflicts_with_all = ["base", "against", "output"])]
    pub live: Option<String>,

    /// The output that is compared. Without it, `shaper`.
    #[arg(long, value_name = "OUTPUT")]
    pub output: Option<String>,

    /// How the plan is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: PlanFormat,

    /// Exit with 3 if anything would change.
    #[arg(long)]
    pub exit_code: bool,

    /// Write the plan to a file instead of standard output.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    Text,
    /// For a pull-request comment.
    Markdown,
    /// For programs; see docs/plan-json.md.
    Json,
}

/// How an outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For people.
    Text,
    /// For programs; see docs/publish-json.md.
    Json,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people.
    Text,
    /// For programs; see docs/publish-json.md.
    Json,
    /// For spreadsheets.
    Csv,
}

/// How a history is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// For people.
    Text,
    /// For programs; see docs/history.md.
    Json,
    /// For spreadsheets.
    Csv,
}

/// Arguments of `fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Change nothing; exit with 1 if a file would change.
    #[arg(long)]
    pub check: bool,

    /// Only these files. Without any, all data files.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Change nothing; exit with 1 if a file would change.
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The rule's id; `setup` for what to switch on at the forge. Without it, all rules in a list.
    #[arg(value_name = "RULE")]
    pub rule: Option<String>,

    /// How rules are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: ExplainFormat,
}

/// How rules are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// For people.
    Text,
    /// For docs/rules.md.
    Markdown,
    /// For programs.
    Json,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for every command into this folder instead.
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
}
