//! `plan`: what would change on the network.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use super::targets::{default_rev, note_left_on_disk};
use super::{Outcome, refuse};
use crate::cli::{PlanArgs, PlanFormat};
use crate::disk::write::write_atomic;
use crate::finding::{Finding, Severity};
use crate::git::Git;
use crate::inventory::Context;
use crate::model::Date;
use crate::plan::{Before, ChangePlan, PlanBase, Side, json, markdown, parse_shaper_file, served_by, text};
use crate::publish::choice::find_target;
use crate::publish::data::{Data, DataRequest, LoadedData};
use crate::publish::freeze::Frozen;
use crate::publish::guard;
use crate::publish::site::Site;
use crate::render::{self, Output, Table};
use crate::repo::Repo;
use crate::rules::sound_table;
use crate::rules::{self};

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
        let site = Site::open(target)?;
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
            let (before, known) = live_side(&live, path, &output, &table)?;
            let base = PlanBase::File { path: path.display().to_string() };
            finish(args, &ChangePlan::new(&output, base, before, after, &table, known).looking_ahead(None, &table))
        }
        None => {
            let old = OldData::load(root, args, &output, today)?;
            let before = Side { served: served_by(&old.table), bytes: old.bytes.as_bytes() };
            let plan = ChangePlan::new(&output, old.base.clone(), before, after, &table, old.known.clone());
            finish(args, &plan.looking_ahead(Some(&old.table), &table))
        }
    }
}

type Declared = (Arc<Table>, Vec<Frozen>);
type Unsound = (Arc<Repo>, Vec<Finding>);

/// Who is to be served, and which domains are frozen; or what is wrong with the data. For a target it is
/// what `publish` would take: the commit, and of data with errors whatever is sound.
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
    Ok(match Data::load(root, &DataRequest { rev, today, allow_dirty: false })? {
        LoadedData::Ready(data) => {
            note_left_on_disk(&data)?;
            Ok((data.table, data.frozen))
        }
        LoadedData::Unsound(repo, findings, _) => Err((repo, findings)),
    })
}

fn finish(args: &PlanArgs, plan: &ChangePlan<'_>) -> Result<Outcome> {
    let printed = match args.format {
        PlanFormat::Text => text::text(plan),
        PlanFormat::Markdown => markdown::markdown(plan),
        PlanFormat::Json => json::json(plan)?,
    };
    match &args.out {
        Some(path) => write_atomic(path, printed.as_bytes())?,
        None => {
            let mut out = crate::console::plain_out();
            out.write_all(printed.as_bytes())?;
            out.flush()?;
        }
    }
    Ok(if args.exit_code && plan.differs() { Outcome::Differs } else { Outcome::Fine })
}

/// The data as it was in the base revision, rendered.
struct OldData {
    table: Arc<Table>,
    bytes: String,
    base: PlanBase,
    known: Before,
}

impl OldData {
    fn load(root: &Path, args: &PlanArgs, output: &Output, today: Date) -> Result<OldData> {
        let git = Git::discover(root)?;
        let (commit, name) = match &args.base {
            Some(rev) => (git.commit(rev)?, rev.clone()),
            None => git.default_base()?,
        };
        let repo = Arc::new(super::load_tree(&git.tree_of(commit))?);
        let context = Context::new(&repo, today, None);
        let mut known = Before { limits: Some(repo.settings.safety.clone()), ..Before::default() };
        let errors =
            rules::check(&context, Vec::new()).iter().filter(|finding| finding.severity == Severity::Error).count();
        let short = Git::short(commit);
        if !repo.findings.is_empty() {
            let places = repo.findings.len();
            known
                .doubts
                .push(format!("{short} could not be read in {places} places: who was served there is not fully known"));
        } else if errors > 0 {
            known.notes.push(format!("{short} does not pass the check itself ({errors} errors)"));
        }
        let table = Arc::new(Table::new(&repo, &context));
        drop(context);
        let base = PlanBase::Revision { name, commit: commit.to_string() };
        let bytes = match render::output(&repo.settings, Some(&output.name)) {
            Err(_) => {
                known.notes.push("the output did not exist there: it is compared with an empty file".to_owned());
                String::new()
            }
            Ok(old) => match render::render(&table, &old) {
                Ok(rendered) => rendered.into_text(),
                Err(finding) => {
                    known.doubts.push(format!(
                        "the template failed in {short}, so what it wrote is not known: {}",
                        finding.message
                    ));
                    String::new()
                }
            },
        };
        Ok(OldData { table, bytes, base, known })
    }
}

/// The largest live file that is read: some 15 million lines.
const MAX_LIVE: u64 = 1 << 30;

fn live_side<'a>(live: &'a [u8], path: &Path, output: &Output, table: &Table) -> Result<(Side<'a>, Before)> {
    if !output.is_shaper_format() {
        bail!(
            "--against reads the shaper file's format, and the output {} has a template of its own; compare with --base REV",
            output.name
        );
    }
    let text =
        std::str::from_utf8(live).with_context(|| format!("{} is not UTF-8: is it a shaper file?", path.display()))?;
    let (served, bad) = parse_shaper_file(text, table);
    let known = Before { doubts: bad.doubt("the file").into_iter().collect(), ..Before::default() };
    Ok((Side { served, bytes: live }, known))
}
