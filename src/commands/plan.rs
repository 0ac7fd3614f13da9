//! `plan`: what would change on the network.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use super::targets::{default_rev, load_data, note_left_on_disk};
use super::{Outcome, refuse};
use crate::cli::{PlanArgs, PlanFormat};
use crate::disk::write::write_atomic;
use crate::finding::Finding;
use crate::git::{Git, NoBase};
use crate::model::Date;
use crate::plan::{BaseData, ChangePlan, PlanBase, Side, json, markdown, served_by, side_of_file, text};
use crate::publish::choice::find_target;
use crate::publish::data::{DataRequest, LoadedData};
use crate::publish::freeze::Frozen;
use crate::publish::guard;
use crate::publish::site::Site;
use crate::render::{self, Table};
use crate::repo::Repo;
use crate::rules::sound_table;
use crate::text::style;

pub(super) fn run(root: &Path, args: &PlanArgs) -> Result<Outcome> {
    // Once: a plan that is made around midnight must not compare two days.
    let today = super::today(&args.data);
    let (table, frozen) = match declared(root, args, today)? {
        Ok(declared) => declared,
        Err((repo, findings)) => return refuse(&repo, findings),
    };
    let repo = table.repo();
    let target = args.live.as_ref().map(|name| find_target(&repo.settings, name)).transpose()?;
    let of_target = target.and_then(|target| target.output.as_ref().map(ToString::to_string));
    let output = render::output(&repo.settings, args.output.clone().or(of_target).as_deref())?;
    let bytes = match render::render(&table, &output) {
        Ok(rendered) => rendered.into_text(),
        Err(finding) => return refuse(repo, vec![*finding]),
    };
    if let Some(target) = target {
        let site = Site::open(target).with_context(|| format!("target {}", target.name))?;
        let live = site.live()?.map(|live| live.bytes).unwrap_or_default();
        let known = guard::known(&repo.settings, target, &site.ledger().manifest_or_new(&site.name)?);
        let mut plan = guard::plan(&site, &table, &output, &live, bytes.as_bytes(), known).looking_ahead(None, &table);
        plan.notes.extend(frozen.iter().map(Frozen::sentence));
        let outcome = finish(args, &plan)?;
        // As `publish` ends: a part of the data was refused.
        return Ok(if frozen.is_empty() { outcome } else { Outcome::Refused });
    }
    let after = Side { served: served_by(&table), bytes: bytes.as_bytes() };
    match &args.against {
        Some(path) => {
            let live = super::read_file(path, MAX_LIVE)?;
            if !output.is_shaper_format() {
                bail!(
                    "--against reads the shaper file's format, and the output {} has a template of its own; compare \
                     with --base REV",
                    output.name
                );
            }
            let (before, known) = side_of_file(&live, path, &output, &table, &bytes)?;
            let base = PlanBase::File { path: path.display().to_string() };
            finish(args, &ChangePlan::new(&output, base, before, after, &table, known).looking_ahead(None, &table))
        }
        None => {
            let git = Git::discover(root)?;
            let (commit, name) = match &args.base {
                Some(rev) => (git.commit(rev)?, rev.clone()),
                None => git.default_base().map_err(no_base)?,
            };
            let read = |tree: &_| BaseData::read(tree, &Git::short(commit), &table, &output, &bytes);
            let old = super::load_with(&git.tree_of(commit), read)?;
            let base = PlanBase::Revision { name, commit: commit.to_string() };
            let before = Side { served: served_by(&old.table), bytes: old.bytes.as_bytes() };
            let plan = ChangePlan::new(&output, base, before, after, &table, old.known);
            finish(args, &plan.looking_ahead(Some(&old.table), &table))
        }
    }
}

type Declared = (Arc<Table>, Vec<Frozen>);
type Unsound = (Arc<Repo>, Vec<Finding>);

/// The served subscribers and the frozen domains; or what is wrong with the data. For a target they are
/// those that `publish` would take: of the commit, without the domains that have errors.
fn declared(root: &Path, args: &PlanArgs, today: Date) -> Result<Result<Declared, Unsound>> {
    if args.live.is_none() || Git::around(root)?.is_none() {
        let repo = Arc::new(super::load(root, &args.data)?);
        return Ok(match sound_table(&repo, today) {
            Ok(table) => Ok((table, Vec::new())),
            Err(findings) => Err((repo, findings)),
        });
    }
    let rev = match &args.data.rev {
        None => default_rev(root)?,
        rev => rev.clone(),
    };
    Ok(match load_data(root, &DataRequest { rev, today, allow_dirty: false })? {
        LoadedData::Ready(data) => {
            note_left_on_disk(&data)?;
            Ok((data.table, data.frozen))
        }
        LoadedData::Unsound(repo, findings, _) => Err((repo, findings)),
    })
}

fn no_base(error: anyhow::Error) -> anyhow::Error {
    let Some(why) = error.downcast_ref::<NoBase>() else { return error };
    let words = match why {
        NoBase::NoCommit => format!("{why}; name what to compare with: --against FILE"),
        NoBase::NoBranch => format!("{why}; name one with --base REV"),
        NoBase::Unrelated(_) => format!("{why}; name a revision with --base REV"),
    };
    super::reworded(&error, words)
}

fn finish(args: &PlanArgs, plan: &ChangePlan<'_>) -> Result<Outcome> {
    let printed = match args.format {
        PlanFormat::Text => text::text(plan),
        PlanFormat::Markdown => markdown::markdown(plan),
        PlanFormat::Json => json::json(plan)?,
    };
    match &args.out {
        Some(path) => write_atomic(path, printed.as_bytes())?,
        None if args.format == PlanFormat::Text => {
            let mut out = crate::console::out();
            out.write_all(style::plan(&printed).as_bytes())?;
            out.flush()?;
        }
        None => {
            let mut out = crate::console::plain_out();
            out.write_all(printed.as_bytes())?;
            out.flush()?;
        }
    }
    Ok(if args.exit_code && plan.differs() { Outcome::Differs } else { Outcome::Fine })
}

/// The largest live file that is read: some 15 million lines.
const MAX_LIVE: u64 = 1 << 30;
