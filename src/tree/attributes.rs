//! `.gitattributes`: the lines that make git check out other bytes than are committed.
//!
//! A file then differs between the work tree and the commit. The syntax is that of gitattributes(5). Where git's several implementations read a line
//! differently, it is read here in the way that reports more.

use std::ops::Range;

/// Attributes that change how git shows, merges or stores a file, or its line ends, and nothing else.
const HARMLESS: [&str; 11] = [
    "text",
    "eol",
    "crlf",
    "binary",
    "diff",
    "merge",
    "delta",
    "whitespace",
    "encoding",
    "conflict-marker-size",
    "lockable",
];

/// Prefixes of attributes that only forges read.
const FORGE_PREFIXES: [&str; 2] = ["linguist-", "gitlab-"];

/// Attributes that apply to folders as well: `git archive` leaves out a folder with all its files.
const FOLDER_ATTRIBUTES: [&str; 2] = ["export-ignore", "export-subst"];

/// How many are reported of one file.
const MAX_REPORTED: usize = 1000;

/// An attribute that may alter a data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlteringAttribute {
    /// As written, such as `ident` or `filter=lfs`.
    pub(crate) attribute: String,
    /// Where it is, in bytes of the text.
    pub(crate) range: Range<usize>,
}

/// The attributes in `text` that could alter a data file: the first [`MAX_REPORTED`]. Data lies below the names
/// `tops` in the folder of the attributes; without any, it may be anywhere.
pub(crate) fn altering(text: &str, tops: &[&str]) -> Vec<AlteringAttribute> {
    let text_start = text.as_ptr() as usize;
    let lines = || text.trim_start_matches('\u{feff}').split('\n');
    // A carriage return is a blank to git, and may end a line elsewhere: each line is read both ways.
    let mut found: Vec<AlteringAttribute> = lines()
        .chain(lines().filter(|line| line.trim_end().contains('\r')).flat_map(|line| line.split('\r')))
        .flat_map(|line| in_line(line, line.as_ptr() as usize - text_start, tops))
        .take(MAX_REPORTED)
        .collect();
    found.sort_unstable_by_key(|one| (one.range.start, one.range.end));
    found.dedup();
    found
}

/// The attributes that one line sets. `start` is its offset in the text.
fn in_line(line: &str, start: usize, tops: &[&str]) -> Vec<AlteringAttribute> {
    let mut words = words(line);
    let Some(pattern) = words.next().map(|range| &line[range]).filter(|pattern| !pattern.starts_with('#')) else {
        return Vec::new();
    };
    let alters = |range: &Range<usize>| {
        let attribute = &line[range.clone()];
        // `-ident` and `!ident` switch it off.
        !attribute.starts_with(['-', '!'])
            && !is_harmless(attribute)
            && may_match_data(pattern, is_of_folders(attribute), tops)
    };
    let altering = |range: Range<usize>| AlteringAttribute {
        attribute: line[range.clone()].to_owned(),
        range: start + range.start..start + range.end,
    };
    words.filter(alters).take(MAX_REPORTED).map(altering).collect()
}

/// The words of a line. A quoted pattern with blanks counts as several: its parts are then taken for
/// attributes, which reports too much rather than too little.
fn words(line: &str) -> impl Iterator<Item = Range<usize>> {
    let is_blank = |c: char| c.is_ascii_whitespace() || matches!(c, '\0' | '\u{b}');
    line.split(is_blank).filter(|word| !word.is_empty()).map(|word| {
        let start = word.as_ptr() as usize - line.as_ptr() as usize;
        start..start + word.len()
    })
}

fn name(attribute: &str) -> &str {
    attribute.split_once('=').map_or(attribute, |(name, _)| name)
}

fn is_harmless(attribute: &str) -> bool {
    let name = name(attribute);
    HARMLESS.contains(&name) || FORGE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn is_of_folders(attribute: &str) -> bool {
    FOLDER_ATTRIBUTES.contains(&name(attribute))
}

/// Whether a pattern may match a data file, or with `folders` a folder on the way to one. Only patterns
/// that clearly name other files do not: `*.png`, `/docs/**`.
fn may_match_data(pattern: &str, folders: bool, tops: &[&str]) -> bool {
    let is_literal = |part: &str| !part.contains(['*', '?', '[', ']', '\\', '"', '\u{fffd}']);
    let path = pattern.strip_prefix('/').unwrap_or(pattern);
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let is_anchored = pattern.starts_with('/') || !rest.is_empty();
    let leads_to_data = tops.iter().any(|name| name.eq_ignore_ascii_case(first));
    if is_anchored && !tops.is_empty() && is_literal(first) && !leads_to_data {
        return false;
    }
    let last = path.rsplit('/').next().unwrap_or(path);
    let ending = last.rsplit('.').next().unwrap_or(last);
    let is_of_data = ["yaml", "yml", "j2", ""].iter().any(|data| data.eq_ignore_ascii_case(ending));
    // `[attr]name` defines a macro, which applies wherever the name is used.
    folders || !is_literal(ending) || is_of_data || pattern.starts_with("[attr]")
}

#[cfg(test)]
mod tests {
    use super::super::layout::TOPS;
    use super::*;

    fn found(text: &str) -> Vec<String> {
        altering(text, &TOPS).into_iter().map(|one| one.attribute).collect()
    }

    #[test]
    fn harmless_lines_are_accepted() {
        for text in [
            "",
            "# *.yaml ident\n",
            "  # *.yaml ident\n",
            "* text=auto eol=lf\n",
            "*.yaml text eol=crlf -diff merge=union\n*.yml !text binary\n",
            "schemas/** linguist-generated=true -text\n",
            "*.png filter=lfs diff=lfs merge=lfs -text\n",
            "/docs/** ident\n/.github export-ignore\n",
            "*.yaml\n",
            "* -ident !filter\n",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text:?}");
        }
    }

    #[test]
    fn lines_that_alter_data_are_found() {
        for (text, attribute) in [
            ("* ident", "ident"),
            ("*.yaml working-tree-encoding=UTF-16LE-BOM", "working-tree-encoding=UTF-16LE-BOM"),
            ("\u{feff}shapeline.yaml text working-tree-encoding=ISO646-GB", "working-tree-encoding=ISO646-GB"),
            ("zz.YAML\tfilter=x", "filter=x"),
            ("subscribers/** ident", "ident"),
            ("SUBSCRIBERS/x.yaml ident", "ident"),
            ("**/x.yaml ident", "ident"),
            ("[attr]mine ident", "ident"),
            // By the name alone its use would do no harm.
            ("[attr]linguist-a.b filter=x", "filter=x"),
            ("* mine", "mine"),
            ("*.y[a]ml ident", "ident"),
            ("\"*.yaml\" ident", "ident"),
            ("# comment\r* ident", "ident"),
            ("* \rident", "ident"),
            ("/subscribers export-ignore", "export-ignore"),
            ("ispcustomer.co.zw export-ignore", "export-ignore"),
            ("templates/x.j2 export-subst", "export-subst"),
            ("x.\\yaml ident", "ident"),
            ("*\0ident", "ident"),
        ] {
            assert_eq!(found(text), [attribute], "{text:?}");
        }
        assert_eq!(altering("/web/*.yaml ident", &[]).len(), 1);
        assert_eq!(altering("*.png filter=lfs", &[]), []);
        // In the folder above a data repository called `net`.
        assert_eq!(altering("/web/*.yaml ident\n/plans/** ident", &["net"]), []);
        assert_eq!(altering("/net/** ident\nnet/docs export-ignore", &["net"]).len(), 2);
    }

    #[test]
    fn the_place_is_the_attribute() {
        let text = "\u{feff}# ü\n*.yaml text  ident\n";
        let [found] = &altering(text, &TOPS)[..] else { panic!() };
        assert_eq!(&text[found.range.clone()], "ident");
    }
}
