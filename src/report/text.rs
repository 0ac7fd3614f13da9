//! For people: each finding with the lines it is about, and every place involved marked.

use std::io::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use anyhow::Result;

use super::entry::{LocatedFinding, LocatedLabel};
use super::excerpt::{Excerpt, excerpts};
use super::{CheckReport, escape};
use crate::finding::Severity;
use crate::text::count::counted;

/// How many findings are shown: more are not read, and in a terminal they push away the first.
const MOST_FINDINGS: usize = 200;

/// How many places of one finding are shown.
const MOST_PLACES: usize = 12;

/// Writes the report, with colours.
pub(super) fn write(report: &CheckReport<'_>, out: &mut dyn Write) -> Result<()> {
    let entries = report.entries();
    let shown = most_urgent(&entries);
    let renderer = Renderer::styled();
    let mut outside = false;
    for entry in &shown {
        if entry.outside_change() && !outside {
            outside = true;
            writeln!(out, "{}\n", outside_heading(report))?;
        }
        writeln!(out, "{}\n", without_counted_places(&renderer.render(&[group(entry)])))?;
    }
    if shown.len() < entries.len() {
        let more = counted(entries.len() - shown.len(), "more finding", "more findings");
        writeln!(out, "{more} not shown; `shapeline check --format json` lists all of them\n")?;
    }
    Ok(())
}

/// The findings to show, in order. Warnings are dropped before errors.
fn most_urgent<'e, 'a>(entries: &'e [LocatedFinding<'a>]) -> Vec<&'e LocatedFinding<'a>> {
    let mut all: Vec<(usize, &LocatedFinding<'a>)> = entries.iter().enumerate().collect();
    if all.len() > MOST_FINDINGS {
        all.sort_by_key(|(at, entry)| (entry.urgency(), *at));
        all.truncate(MOST_FINDINGS);
        all.sort_by_key(|(at, _)| *at);
    }
    all.into_iter().map(|(_, entry)| entry).collect()
}

fn outside_heading(report: &CheckReport<'_>) -> String {
    let counts = report.counts;
    let (errors, warnings) = (counts.errors_outside_change, counts.warnings_outside_change);
    format!(
        "Outside the change, there before it: {}, {}",
        counted(errors, "error", "errors"),
        counted(warnings, "warning", "warnings")
    )
}

fn group<'e>(entry: &'e LocatedFinding<'_>) -> Group<'e> {
    let finding = entry.finding;
    let level = if finding.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
    let title = level.primary_title(escape::plain(&finding.message)).id(finding.rule);
    let mut group = Group::with_title(title);
    for places in by_file(entry) {
        group = add_file(group, &places);
    }
    let hidden = entry.related.len().saturating_sub(MOST_PLACES - 1);
    if hidden > 0 {
        group =
            group.element(Level::NOTE.message(format!("{} not shown", counted(hidden, "more place", "more places"))));
    }
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(escape::plain(help))),
        None => group,
    }
}

/// The places of a finding, those in one file together, the offence's file first.
fn by_file<'e, 'a>(entry: &'e LocatedFinding<'a>) -> Vec<Vec<(&'e LocatedLabel<'a>, bool)>> {
    let related = entry.related.iter().take(MOST_PLACES - 1).map(|place| (place, false));
    let mut files: Vec<Vec<(&LocatedLabel<'a>, bool)>> = Vec::new();
    for place in std::iter::once((&entry.primary, true)).chain(related) {
        match files.iter_mut().find(|file| file.first().is_some_and(|(first, _)| first.path() == place.0.path())) {
            Some(file) => file.push(place),
            None => files.push(vec![place]),
        }
    }
    files
}

fn add_file<'e>(mut group: Group<'e>, places: &[(&'e LocatedLabel<'_>, bool)]) -> Group<'e> {
    let (whole, parts): (Vec<_>, Vec<_>) = places.iter().copied().partition(|(place, _)| place.whole_file);
    for (place, _) in whole {
        group = group.element(Origin::path(escape::plain(place.path())));
        if !place.label.is_empty() {
            group = group.element(Level::NOTE.message(escape::plain(place.label)));
        }
    }
    let Some((first, _)) = parts.first() else { return group };
    let path = first.path();
    for excerpt in excerpts(&parts) {
        group = add_excerpt(group, path, excerpt);
    }
    group
}

fn add_excerpt<'e>(group: Group<'e>, path: &str, excerpt: Excerpt<'e>) -> Group<'e> {
    let at = excerpt.at;
    let place = format!("{}:{}:{}{PLACE_ENDS}", escape::plain(path), at.line, at.column);
    let mut snippet = Snippet::source(excerpt.source).line_start(excerpt.first_line).path(place);
    for mark in excerpt.marks {
        let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let label = Some(mark.label).filter(|label| !label.is_empty());
        snippet = snippet.annotation(kind.span(mark.range).label(label.map(escape::plain)));
    }
    group.element(snippet)
}

/// Ends a place that is passed to the renderer as a path. No other text in a report contains it.
const PLACE_ENDS: char = '\0';

/// The renderer counts lines and columns in the excerpt, which may be cut: removes what it writes after
/// a place.
fn without_counted_places(rendered: &str) -> String {
    let mut pieces = rendered.split(PLACE_ENDS);
    let first = pieces.next().unwrap_or_default();
    let rest = pieces.map(|piece| piece.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit()));
    std::iter::once(first).chain(rest).collect()
}
