//! The command line: clap types, nothing else.

mod examples;
mod history;
mod import;
#[cfg(all(unix, feature = "serve"))]
mod serve;
mod subscriber;
mod targets;
#[cfg(all(unix, feature = "telemetry"))]
mod telemetry;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use crate::completion;
use crate::init::Tool;
use crate::model::Date;
use crate::report::CheckFormat;
use crate::text::quote::quoted;

pub(crate) use history::HistoryArgs;
pub(crate) use import::{ImportArgs, ImportFormat};
#[cfg(all(unix, feature = "serve"))]
pub(crate) use serve::{
    ServeArgs, ServeOnly, StateArgs, TokenAddArgs, TokenArgs, TokenCommand, TokenListArgs, UserAddArgs, UserArgs,
    UserCommand,
};
pub(crate) use subscriber::{
    AddArgs, EditArgs, ListArgs, SetArgs, ShowArgs, SubscriberArgs, SubscriberCommand, WhoListArgs,
};
pub(crate) use targets::{
    ActorArgs, BackupArgs, DiffArgs, DriftArgs, LogArgs, PeriodArgs, PublishArgs, RollbackArgs, SyncArgs, TargetArgs,
};
#[cfg(all(unix, feature = "telemetry"))]
pub(crate) use telemetry::{CollectArgs, ConformArgs, SimulateArgs};

/// Subscribers, plans and domains as YAML in git: checked, planned, rendered for the shaper.
#[derive(Debug, Parser)]
#[command(name = "shapeline", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    /// The data repository [default: SHAPELINE_DIR, else the nearest parent folder with one]
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true, help_heading = GLOBAL)]
    pub(crate) directory: Option<PathBuf>,

    /// When to use colour.
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto", global = true, help_heading = GLOBAL)]
    pub color: ColorWhen,

    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// With the data repository that `SHAPELINE_DIR` names, unless the arguments name one. `init` makes a new
    /// one and takes only its arguments.
    #[must_use]
    pub fn with_environment(mut self) -> Cli {
        if self.directory.is_none() && !matches!(self.command, Command::Init(_)) {
            let named = std::env::var_os("SHAPELINE_DIR").filter(|folder| !folder.is_empty());
            self.directory = named.map(PathBuf::from);
        }
        self
    }

    /// Whether the command reads the history of git and nothing else.
    #[must_use]
    pub fn reads_only_history(&self) -> bool {
        matches!(self.command, Command::History(_))
    }
}

/// The options of every command, below those of its own.
const GLOBAL: &str = "Global options";

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
pub(crate) enum Command {
    /// Create a data repository with workflows, schemas and an example.
    Init(InitArgs),
    /// Check schemas and business rules.
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Write the shaper file, or another output, from the data.
    Render(RenderArgs),
    /// Show what would change on the network.
    #[command(after_help = examples::PLAN)]
    Plan(PlanArgs),
    /// Publish the data to the shapers: checked, guarded, replaced atomically, recorded.
    #[command(after_help = examples::PUBLISH)]
    Publish(PublishArgs),
    /// Compare the live files with the data.
    Drift(DriftArgs),
    /// Compare two versions that a target keeps.
    #[command(after_help = examples::DIFF)]
    Diff(DiffArgs),
    /// Restore a past version.
    #[command(after_help = examples::ROLLBACK)]
    Rollback(RollbackArgs),
    /// List the actions on each target.
    Log(LogArgs),
    /// Count the actions on each target.
    Stat(LogArgs),
    /// Copy files and folders to the backup folder, list the copies, restore one.
    Backup(BackupArgs),
    /// Pull mode: fetch the branch repeatedly and publish it.
    Sync(SyncArgs),
    /// Send a test to the receiver of notifications, and print what it answers.
    TestNotification,
    /// Serve the portal, where subscribers are changed in a browser, and the lookup API.
    #[cfg(all(unix, feature = "serve"))]
    #[command(after_help = examples::SERVE)]
    Serve(ServeArgs),
    /// Make, list and revoke the tokens of the server's clients.
    #[cfg(all(unix, feature = "serve"))]
    Token(TokenArgs),
    /// Add, list and remove the accounts of the portal.
    #[cfg(all(unix, feature = "serve"))]
    User(UserArgs),
    /// Collect what interfaces, devices and subscribers use, into the store of samples.
    #[cfg(all(unix, feature = "telemetry"))]
    #[command(after_help = examples::COLLECT)]
    Collect(CollectArgs),
    /// Compare measured use with declared rates. Exits with 1 if a subscriber exceeds its plan, with 2 without samples.
    #[cfg(all(unix, feature = "telemetry"))]
    #[command(after_help = examples::CONFORM)]
    Conform(ConformArgs),
    /// Serve a pretend network of the subscribers over HTTP, for demonstrations and load tests.
    #[cfg(all(unix, feature = "telemetry"))]
    Simulate(SimulateArgs),
    /// Show from git who had what, since when, and who changed it.
    #[command(after_help = examples::HISTORY)]
    History(HistoryArgs),
    /// Import existing data: a portal's database, a shaper file, a CSV table, LibreQoS.
    Import(ImportArgs),
    /// List, show, add, change, suspend, resume and remove subscribers.
    Subscriber(SubscriberArgs),
    /// List what can be sold: plans with their rates and how many subscribers have them.
    #[command(mut_arg("name", |name| name.add(ArgValueCompleter::new(completion::plans))))]
    Plans(NamedArgs),
    /// List who sells: domains with their subscribers, used and free addresses, committed rates.
    #[command(mut_arg("name", |name| name.add(ArgValueCompleter::new(completion::domains))))]
    Domains(NamedArgs),
    /// Format the data files; comments survive.
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

/// A whole number of an option.
fn whole_number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let why = if digits { "is too large a number" } else { "is not a whole number in digits, such as 10" };
    text.parse().map_err(|_| format!("{} {why}", quoted(text)))
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder to fill; created if it does not exist.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,

    /// Without the example's plans, domain and subscribers.
    #[arg(long)]
    pub(crate) empty: bool,

    /// Where the workflows get Shapeline from: `https://HOST/PATH.git@COMMIT`, or a tag (a commit of 40 digits
    /// cannot be moved); a release's `https://HOST/PATH.tar.gz#sha256=DIGEST`, or its .deb; an image's
    /// `docker://HOST/PATH@sha256:DIGEST`, or `:TAG`; `crates.io@VERSION` [default: the source that this
    /// program was built from, if its build named it].
    #[arg(long, value_name = "SOURCE")]
    pub(crate) tool: Option<Tool>,
}

/// The data to read, and the day.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Read this git revision instead of the checked-out files.
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,

    /// Use this as today's date (UTC), for reproducible output.
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,
}

/// Arguments of `plans` and `domains`.
#[derive(Debug, Args)]
pub(crate) struct NamedArgs {
    /// Show everything about the one with this name [default: list all]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// How the list is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: ListFormat,

    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,

    /// How findings are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: CheckFormat,

    /// Compare with a git revision: enables the change rules, separates old findings from new ones.
    #[arg(long, value_name = "REV")]
    pub(crate) base: Option<String>,

    /// The proposer of the change: a login, or one of its teams. Can be repeated. Covers the data, not
    /// `.github/` or `schemas/`.
    #[arg(long = "actor", value_name = "LOGIN", requires = "base")]
    pub(crate) actors: Vec<String>,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// The output's name in shapeline.yaml [default: shaper]
    #[arg(value_name = "OUTPUT", add = ArgValueCompleter::new(completion::outputs))]
    pub(crate) output: Option<String>,

    #[command(flatten)]
    pub(crate) data: DataArgs,

    /// Write all outputs as files into this folder instead of one to standard output.
    #[arg(long, value_name = "DIR")]
    pub(crate) out_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,

    /// Compare with this git revision [default: the merge base with the default branch]
    #[arg(long, value_name = "REV", conflicts_with = "against")]
    pub(crate) base: Option<String>,

    /// Compare with a shaper file instead of a revision; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,

    /// Compare with the live file of a target; the plan's fingerprint binds `publish --plan`.
    #[arg(long, value_name = "TARGET", conflicts_with_all = ["base", "against", "output"], add = ArgValueCompleter::new(completion::targets))]
    pub(crate) live: Option<String>,

    /// The output to compare [default: shaper]
    #[arg(long, value_name = "OUTPUT", add = ArgValueCompleter::new(completion::outputs))]
    pub(crate) output: Option<String>,

    /// How the plan is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: PlanFormat,

    /// Exit with 3 if anything would change.
    #[arg(long)]
    pub(crate) exit_code: bool,

    /// Write the plan to a file instead of standard output.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// How a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people.
    Text,
    /// For a pull-request comment.
    Markdown,
    /// For programs; see docs/plan-json.md.
    Json,
}

/// How an outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// For people.
    Text,
    /// For programs; see docs/publish-json.md, for subscribers docs/subscriber.md, for `conform` docs/telemetry.md.
    Json,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people.
    Text,
    /// For programs; see docs/publish-json.md, for subscribers docs/subscriber.md, for copies docs/backup.md.
    Json,
    /// For spreadsheets.
    Csv,
}

/// How a history is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HistoryFormat {
    /// For people.
    Text,
    /// For programs; see docs/history.md.
    Json,
    /// For spreadsheets.
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct FmtArgs {
    /// Change nothing; exit with 1 if a file would change.
    #[arg(long)]
    pub(crate) check: bool,

    /// Only these files [default: all data files]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Change nothing; exit with 1 if a file would change.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The rule's id, or `setup` for the settings of the forge [default: a list of all rules]
    #[arg(value_name = "RULE", add = ArgValueCompleter::new(completion::rules))]
    pub(crate) rule: Option<String>,

    /// How rules are printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: ExplainFormat,
}

/// How rules are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// For people.
    Text,
    /// For docs/rules.md.
    Markdown,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write one page per command into this folder instead.
    #[arg(long, value_name = "DIR")]
    pub(crate) out_dir: Option<PathBuf>,
}
