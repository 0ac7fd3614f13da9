//! Arguments of `subscriber`.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use super::{DataArgs, ListFormat, TextOrJson, examples, whole_number};
use crate::completion;
use crate::model::Date;
use crate::query::{SortField, StatusFilter};

#[derive(Debug, Args)]
pub(crate) struct SubscriberArgs {
    #[command(subcommand)]
    pub(crate) command: SubscriberCommand,
}

/// What can be done to subscribers.
#[derive(Debug, Subcommand)]
pub(crate) enum SubscriberCommand {
    /// List subscribers, filtered and sorted.
    #[command(after_help = examples::LIST)]
    List(ListArgs),
    /// Show one subscriber: its record and where it is, its rates, its lines in the shaper file.
    Show(ShowArgs),
    /// Add a subscriber.
    #[command(after_help = examples::ADD)]
    Add(AddArgs),
    /// Change fields of a subscriber.
    #[command(after_help = examples::SET)]
    Set(SetArgs),
    /// Suspend subscribers: they leave the shaper file, or get the plan for suspended subscribers.
    Suspend(WhoListArgs),
    /// End the suspension of subscribers.
    Resume(WhoListArgs),
    /// Remove subscribers.
    Remove(WhoListArgs),
}

fn page(text: &str) -> Result<u32, String> {
    match whole_number(text)? {
        0 => Err("pages count from 1".to_owned()),
        page => Ok(page),
    }
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only subscribers with this text in their id, name, addresses, domain, plan or labels. For an
    /// address, also those whose prefix contains it; for a prefix, also those within it.
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,

    /// Only subscribers of this domain.
    #[arg(long, value_name = "DOMAIN", add = ArgValueCompleter::new(completion::domains))]
    pub(crate) domain: Option<String>,

    /// Only subscribers with this plan.
    #[arg(long, value_name = "PLAN", add = ArgValueCompleter::new(completion::plans))]
    pub(crate) plan: Option<String>,

    /// Only subscribers with this status.
    #[arg(long, value_name = "STATUS", value_enum)]
    pub(crate) status: Option<StatusFilter>,

    /// Sort by this field.
    #[arg(long, value_name = "FIELD", value_enum, default_value = "address")]
    pub(crate) sort: SortField,

    /// Reverse the order.
    #[arg(long)]
    pub(crate) reverse: bool,

    /// At most this many; 0 means no limit.
    #[arg(long, value_name = "NUMBER", value_parser = whole_number::<usize>)]
    pub(crate) limit: Option<usize>,

    /// Skip this many.
    #[arg(long, value_name = "NUMBER", conflicts_with = "page", value_parser = whole_number::<usize>)]
    pub(crate) offset: Option<usize>,

    /// Show this page, from 1, of --limit subscribers each [default for --limit: 50]
    #[arg(long, value_name = "NUMBER", value_parser = page)]
    pub(crate) page: Option<u32>,

    /// How the list is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: ListFormat,

    #[command(flatten)]
    pub(crate) data: DataArgs,
}

/// Arguments of `subscriber show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// An id, an address, address@domain or a name; a part of these if only one subscriber has it.
    #[arg(value_name = "WHO", add = ArgValueCompleter::new(completion::subscribers))]
    pub(crate) who: String,

    /// The output format.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,

    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct AddArgs {
    /// The address or prefix; several for one subscriber with several.
    #[arg(value_name = "ADDRESS")]
    pub(crate) addresses: Vec<String>,

    /// Use the next free address of the domain, or of this block of it.
    #[arg(long, value_name = "PREFIX", num_args = 0..=1, default_missing_value = "", conflicts_with = "addresses")]
    pub(crate) next_free: Option<String>,

    /// With --next-free: take a prefix of this length, such as 56, instead of a single address. More than 32
    /// is IPv6; up to 32 is IPv4, unless an IPv6 block is given.
    #[arg(long, value_name = "LENGTH", requires = "next_free", conflicts_with = "addresses", value_parser = prefix_length)]
    pub(crate) length: Option<u8>,

    /// The domain [default: the one whose block contains the address]
    #[arg(long, value_name = "DOMAIN", add = ArgValueCompleter::new(completion::domains))]
    pub(crate) domain: Option<String>,

    /// The plan.
    #[arg(long, value_name = "PLAN", add = ArgValueCompleter::new(completion::plans))]
    pub(crate) plan: Option<String>,

    /// A unique id that stays the same when the address changes.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,

    /// A name for people.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// The first day of service.
    #[arg(long, value_name = "DATE")]
    pub(crate) starts: Option<Date>,

    /// The first day without service.
    #[arg(long, value_name = "DATE")]
    pub(crate) ends: Option<Date>,

    /// A label, such as ticket=4711. Can be repeated.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    pub(crate) labels: Vec<String>,

    #[command(flatten)]
    pub(crate) edit: EditArgs,
}

/// A prefix's length, with or without the slash.
fn prefix_length(text: &str) -> Result<u8, String> {
    let length = text.strip_prefix('/').unwrap_or(text).parse().ok().filter(|length| (1..=128).contains(length));
    length.ok_or_else(|| "the length of a prefix is a number from 1 to 128".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// An id, an address, address@domain or a name. On a terminal, a part of these if only one subscriber
    /// has it.
    #[arg(value_name = "WHO", add = ArgValueCompleter::new(completion::subscribers))]
    pub(crate) who: String,

    /// A field and its new value: ip, domain, plan, id, name, status, starts, ends or labels.NAME. An
    /// empty value removes the field. Separate several addresses by commas.
    #[arg(value_name = "FIELD=VALUE", required = true, add = ArgValueCompleter::new(completion::fields))]
    pub(crate) fields: Vec<String>,

    #[command(flatten)]
    pub(crate) edit: EditArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WhoListArgs {
    /// An id, an address, address@domain or a name. On a terminal, a part of these if only one subscriber
    /// has it.
    #[arg(value_name = "WHO", required = true, add = ArgValueCompleter::new(completion::subscribers))]
    pub(crate) who: Vec<String>,

    #[command(flatten)]
    pub(crate) edit: EditArgs,
}

/// How an edit is made.
#[derive(Clone, Debug, Args)]
pub(crate) struct EditArgs {
    /// Change nothing; show what would change in the files.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Commit to a branch instead of writing files. The checked-out files and branch stay as they are.
    #[arg(long)]
    pub(crate) commit: bool,

    /// The branch for --commit, created if it does not exist [default: named after the edit]. Implies
    /// --commit.
    #[arg(long, value_name = "BRANCH")]
    pub(crate) branch: Option<String>,

    /// Push the branch to `origin` afterwards. Fetches first: a new branch builds on what `origin` has, not on
    /// what is checked out. Implies --commit.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) push: bool,

    /// The commit message [default: a description of the edit]. Implies --commit.
    #[arg(short = 'm', long, value_name = "MESSAGE")]
    pub(crate) message: Option<String>,

    /// Do not ask for confirmation on a terminal.
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,

    /// Use this as today's date (UTC).
    #[arg(long, value_name = "DATE")]
    pub(crate) on: Option<Date>,
}

impl EditArgs {
    /// Whether the edit is committed to a branch: by --commit, or by an option that implies it.
    pub(crate) fn commits(&self) -> bool {
        self.commit || self.push || self.branch.is_some() || self.message.is_some()
    }
}
