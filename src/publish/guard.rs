//! Whether what would be published may be: the plan's own verdict, and what only the target knows.

use std::sync::Arc;

use anyhow::Result;

use crate::git::Git;
use crate::model::{Safety, Settings, Target};
use crate::plan::{Before, ChangePlan, PlanBase, ServedList, Side, Verdict, parse_shaper_file, served_by};
use crate::publish::data::{Data, RenderedFile};
use crate::publish::site::Site;
use crate::records::ledger::Ledger;
use crate::records::manifest::{Manifest, StoredVersion};
use crate::render::{Output, Table};
use crate::store::{Stored, digest};
use crate::text::quote::short_id;

/// The limits of a target: its own, where it has any, in place of the general ones.
pub fn limits(general: Option<&Safety>, target: &Target) -> Safety {
    let general = general.cloned().unwrap_or_default();
    let Some(own) = target.safety else { return general };
    Safety {
        max_changed: own.max_changed.or(general.max_changed),
        max_removed: own.max_removed.or(general.max_removed),
        min_subscribers: own.min_subscribers.or(general.min_subscribers),
        domains: general.domains,
    }
}

/// The limits by which a change is judged: those of today, and those of the last publish, so that
/// data which raises them does not judge itself.
pub fn known(settings: &Settings, target: &Target, manifest: &Manifest) -> Before {
    let limits = limits(settings.safety.as_ref(), target);
    let published = manifest.live.as_ref().map(|live| live.version.digest.clone());
    Before { instead: Some(limits), limits: manifest.limits.clone().map(Some), published, ..Before::default() }
}

/// What would change on a target. What cannot be understood of the live file makes the plan
/// unsafe.
pub fn plan<'a>(
    site: &Site,
    table: &'a Arc<Table>,
    output: &'a Output,
    live: &'a [u8],
    bytes: &'a [u8],
    known: Before,
) -> ChangePlan<'a> {
    let base = PlanBase::Live { target: site.name.clone(), place: site.place() };
    let after = Side { served: served_by(table), bytes };
    let (before, mut known) = side(live, bytes, table, output, known);
    let published = known.published.take();
    let mut plan = ChangePlan::new(output, base, before, after, table, known);
    if !plan.verdict.is_safe() && !bytes.is_empty() && published.is_some_and(|published| published == digest(bytes)) {
        plan.verdict = Verdict::of_putting_back();
    }
    plan
}

/// Who was served by a file. What a template of the repository's own wrote cannot be read back:
/// such files are compared by their lines, see [`crate::plan`].
fn side<'a>(
    live: &'a [u8],
    bytes: &[u8],
    table: &'a Arc<Table>,
    output: &Output,
    mut known: Before,
) -> (Side<'a>, Before) {
    // The same bytes serve the same: nearly every time there is nothing to do.
    if !output.is_shaper_format() || live == bytes {
        return (Side { served: served_by(table), bytes: live }, known);
    }
    let Ok(text) = std::str::from_utf8(live) else {
        known.doubts.push("the live file is no text: is it a shaper file?".to_owned());
        return (Side { served: ServedList::default(), bytes: live }, known);
    };
    let (served, bad) = parse_shaper_file(text, table, std::str::from_utf8(bytes).unwrap_or_default());
    known.doubts.extend(bad.doubt("the live file"));
    (Side { served, bytes: live }, known)
}

/// Everything that speaks against publishing, as sentences; nothing if it may be done.
///
/// # Errors
/// If the history cannot be read.
pub fn reasons(
    site: &Site,
    manifest: &Manifest,
    data: &Data,
    plan: &ChangePlan<'_>,
    live: Option<&Stored>,
    file: &RenderedFile,
    known: &Before,
) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    let live_digest = live.map(Stored::digest);
    let published = manifest.live.as_ref().map(|live| &live.version);
    // What was published and changed by hand since may be put back, however much was changed; so
    // may what was rolled back to.
    let heals = published.is_some_and(|version| version.digest == file.digest);
    if !heals {
        reasons.extend(plan.verdict.reasons.iter().cloned());
        reasons.extend(fewer(published, data, plan.output, known));
        if let Some(version) = published.filter(|version| Some(version.digest.as_str()) != live_digest) {
            reasons.extend(since_published(site, version, data, plan.output, file.text.as_bytes(), known));
        }
    }
    if file.text.is_empty() {
        reasons.push("the file would be empty".to_owned());
    }
    reasons.extend(not_a_descendant(manifest, data)?);
    if let Some(held) = manifest.held.as_ref().filter(|_| !heals) {
        let what = if held.from == 0 { "it".to_owned() } else { format!("version {}", held.from) };
        reasons.push(format!(
            "{what} was rolled back at {} by {}: publishing goes on once the data gives what is live now, or this is acknowledged",
            held.since, held.by
        ));
    }
    reasons.dedup();
    Ok(reasons)
}

/// The live file was changed by hand: the limits count from what was published, too. Otherwise a
/// file that was emptied would make any change look small.
fn since_published(
    site: &Site,
    version: &StoredVersion,
    data: &Data,
    output: &Output,
    bytes: &[u8],
    known: &Before,
) -> Vec<String> {
    let old = match Ledger::of(site.store.as_ref(), &site.file).read_logged_version(version) {
        Ok(old) => old,
        Err(error) => {
            return vec![format!(
                "the live file is not what was published last, and that cannot be compared: {error:#}"
            )];
        }
    };
    let plan = self::plan(site, &data.table, output, &old, bytes, known.clone());
    let since = |reason: &String| format!("compared with version {}, which was published last: {reason}", version.id);
    plan.verdict.reasons.iter().map(since).collect()
}

/// What a template of the repository's own wrote is judged by its lines, and of one that writes few
/// that says nothing: then by how many are served.
fn fewer(published: Option<&StoredVersion>, data: &Data, output: &Output, known: &Before) -> Option<String> {
    let before = published?.subscribers.filter(|_| !output.is_shaper_format())?;
    let gone = before.saturating_sub(data.subscribers());
    let (before, gone) = (usize::try_from(before).ok()?, usize::try_from(gone).ok()?);
    let all = [known.instead.as_ref(), known.limits.as_ref().and_then(Option::as_ref)];
    let limit = all.into_iter().flatten().find(|limits| crate::plan::too_many_removed(limits, gone, before))?;
    let limit = limit.max_removed.map_or_else(|| "30%".to_owned(), |limit| limit.to_string());
    Some(format!("{gone} of {before} subscribers would no longer be served, more than {limit}"))
}

/// An older commit must not undo a newer one: a build job that is started again, a clone that is
/// behind.
fn not_a_descendant(manifest: &Manifest, data: &Data) -> Result<Option<String>> {
    let of_live = || manifest.live.as_ref().and_then(|live| live.version.commit.as_ref());
    let Some(published) = manifest.newest.as_ref().or_else(of_live) else { return Ok(None) };
    let (Some(git), Some(commit)) = (&data.git, data.commit) else {
        return Ok(Some("a commit is published, and these files belong to none: they may be older".to_owned()));
    };
    Ok(match git.follows(commit, published)? {
        Some(true) => None,
        Some(false) => Some(format!(
            "commit {} does not follow from {}, which is published: is this clone behind? `rollback` goes back on purpose",
            Git::short(commit),
            short_id(published)
        )),
        None => Some(format!(
            "commit {}, which is published, is not in this clone: fetch with full history (actions/checkout: fetch-depth: 0), or was the history rewritten?",
            short_id(published)
        )),
    })
}
