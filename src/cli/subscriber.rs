//! Arguments of `subscriber`.

use clap::{Args, Subcommand};

use super::{DataArgs, ListFormat, TextOrJson};
use crate::model::Date;
use crate::query::{SortField, StatusFilter};

/// Arguments of `subscriber`.
#[derive(Debug, Args)]
pub struct SubscriberArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SubscriberCommand,
}

/// What can be done to subscribers.
#[derive(Debug, Subcommand)]
pub enum SubscriberCommand {
    /// List subscribers: all, or those that fit.
    List(ListArgs),
    /// Show one subscriber: its record, where it stands, its rates, its lines in the shaper file.
    Show(ShowArgs),
    /// Add a subscriber.
    Add(AddArgs),
    /// Change fields of a subscriber.
    Set(SetArgs),
    /// Suspend subscribers: they leave the shaper file, or get the plan for the suspended.
    Suspend(WhoListArgs),
    /// End the suspension of subscribers.
    Resume(WhoListArgs),
    /// Remove subscribers.
    Remove(WhoListArgs),
}

/// Arguments of `subscriber list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only subscribers in whose id, name, addresses, domain, plan or labels this stands. For an
    /// address also those whose prefix holds it.
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,

    /// Only subscribers of this domain.
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,

    /// Only subscribers with this plan.
    #[arg(long, value_name = "PLAN")]
    pub plan: Option<String>,

    /// Only subscribers with this status.
    #[arg(long, value_name = "STATUS", value_enum)]
    pub status: Option<StatusFilter>,

    /// What they are sorted by.
    #[arg(long, value_name = "FIELD", value_enum, default_value = "address")]
    pub sort: SortField,

    /// The other way round.
    #[arg(long)]
    pub reverse: bool,

    /// At most so many; 0 is no limit.
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<usize>,

    /// Without the first so many.
    #[arg(long, value_name = "NUMBER", conflicts_with = "page")]
    pub offset: Option<usize>,

    /// This page, from 1, of --limit subscribers each; without --limit, of 50.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub page: Option<u32>,

    /// How the list is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: ListFormat,

    /// The data.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Arguments of `subscriber show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// An id, an address, or address@domain.
    #[arg(value_name = "WHO")]
    pub who: String,

    /// How it is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: TextOrJson,

    /// The data.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Arguments of `subscriber add`.
#[derive(Clone, Debug, Args)]
pub struct AddArgs {
    /// The address, or a prefix; several for one subscriber with several.
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,

    /// Take the next free address of the domain, or of this block of it.
    #[arg(long, value_name = "PREFIX", num_args = 0..=1, default_missing_value = "", conflicts_with = "addresses")]
    pub next_free: Option<String>,

    /// The domain. Without it, the one whose block holds the address.
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,

    /// The plan.
    #[arg(long, value_name = "PLAN")]
    pub plan: Option<String>,

    /// A name that stays when the address changes, unique.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,

    /// Who this is, for people.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// The first day of service.
    #[arg(long, value_name = "DATE")]
    pub starts: Option<Date>,

    /// The first day without service.
    #[arg(long, value_name = "DATE")]
    pub ends: Option<Date>,

    /// A label, such as ticket=4711. May be given several times.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    pub labels: Vec<String>,

    /// How the edit is made.
    #[command(flatten)]
    pub edit: EditArgs,
}

/// Arguments of `subscriber set`.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// An id, an address, or address@domain.
    #[arg(value_name = "WHO")]
    pub who: String,

    /// A field and its new value: ip, domain, plan, id, name, status, starts, ends or labels.NAME.
    /// Nothing behind the `=` takes the field out. Several addresses have commas between them.
    #[arg(value_name = "FIELD=VALUE", required = true)]
    pub fields: Vec<String>,

    /// How the edit is made.
    #[command(flatten)]
    pub edit: EditArgs,
}

/// Arguments of `subscriber suspend`, `resume` and `remove`.
#[derive(Debug, Args)]
pub struct WhoListArgs {
    /// An id, an address, or address@domain.
    #[arg(value_name = "WHO", required = true)]
    pub who: Vec<String>,

    /// How the edit is made.
    #[command(flatten)]
    pub edit: EditArgs,
}

/// How an edit is made.
#[derive(Clone, Debug, Args)]
pub struct EditArgs {
    /// Change nothing; show what would change in the files.
    #[arg(long)]
    pub dry_run: bool,

    /// Commit to a branch instead of writing files. Files and branch that are checked out stay.
    #[arg(long)]
    pub commit: bool,

    /// The branch that --commit commits to; it is made, or continued if it is there. Without it,
    /// one named after the edit. Means --commit.
    #[arg(long, value_name = "BRANCH")]
    pub branch: Option<String>,

    /// Push the branch to `origin` afterwards. Means --commit.
    #[arg(long, conflicts_with = "dry_run")]
    pub push: bool,

    /// The commit's message. Without it, one that says what was done. Means --commit.
    #[arg(short = 'm', long, value_name = "MESSAGE")]
    pub message: Option<String>,

    /// Take this as today's date (UTC).
    #[arg(long, value_name = "DATE")]
    pub on: Option<Date>,
}

impl EditArgs {
    /// Whether the edit is committed to a branch: that is said, or something that has no other sense.
    pub fn commits(&self) -> bool {
        self.commit || self.push || self.branch.is_some() || self.message.is_some()
    }
}
