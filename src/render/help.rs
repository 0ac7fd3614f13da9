//! What to write in place of a mistake in a template.

use minijinja::ErrorKind;

use super::values::{DOMAIN_FIELDS, LINE_FIELDS, PLAN_FIELDS, SUBSCRIBER_FIELDS};
use crate::text::quote::quoted;
use crate::text::suggest::nearest;

/// The variables of a template.
pub(super) const VARIABLES: [&str; 6] = ["lines", "subscribers", "plans", "domains", "date", "output"];

const STATEMENTS: [&str; 12] =
    ["for", "endfor", "if", "elif", "else", "endif", "set", "with", "include", "import", "macro", "filter"];

/// The filters that are most useful here; the template language has more.
const FILTERS: [&str; 18] = [
    "bps",
    "kbps",
    "mbps",
    "gbps",
    "network",
    "broadcast",
    "netmask",
    "prefixlen",
    "cidr",
    "csv",
    "json",
    "xml",
    "text",
    "default",
    "join",
    "length",
    "upper",
    "lower",
];

/// The way out of an error, if it is a known one; `templates` are those of the repository.
pub(super) fn help<'t>(kind: ErrorKind, detail: &str, templates: impl Iterator<Item = &'t str>) -> Option<String> {
    let named = || detail.split(['`', '\'', '"']).nth(1);
    match kind {
        ErrorKind::UndefinedError => undefined(named()?),
        ErrorKind::UnknownFilter => {
            let name = detail.strip_prefix("filter ")?.strip_suffix(" is unknown")?;
            Some(one_of(name, &FILTERS, "useful filters are"))
        }
        ErrorKind::TemplateNotFound | ErrorKind::BadInclude => {
            let name = named()?;
            let near = nearest(name, templates).map(ToOwned::to_owned);
            let near = near.unwrap_or_else(|| format!("templates/{name}"));
            Some(format!("write the path from the top of the repository, such as {}, and add that file", quoted(&near)))
        }
        ErrorKind::SyntaxError => syntax(detail),
        _ => None,
    }
}

/// The likely name, or else all that are known.
fn one_of(name: &str, known: &[&str], are: &str) -> String {
    // Of two letters, another one is nearly always near.
    match nearest(name, known.iter().copied()).filter(|_| name.chars().count() > 2) {
        Some(near) => format!("did you mean {}?", quoted(near)),
        None => format!("{are}: {}", known.join(", ")),
    }
}

/// A name such as `line.adress` that stands for nothing.
fn undefined(name: &str) -> Option<String> {
    let Some((around, field)) = name.rsplit_once('.') else {
        let are = "{% for NAME in lines %} gives a name to each line in turn; the variables are";
        return Some(one_of(name, &VARIABLES, are));
    };
    let around = around.rsplit('.').next().unwrap_or(around);
    let (what, fields): (&str, &[&str]) = match around {
        "labels" => return Some("not every subscriber has this label: add | default('-')".to_owned()),
        "plans" | "domains" => {
            return Some(format!("name one that is there, or go through them: {{% for name in {around} %}}"));
        }
        _ if around.contains("line") => ("line", &LINE_FIELDS),
        _ if around.contains("sub") => ("subscriber", &SUBSCRIBER_FIELDS),
        _ if around.contains("plan") => ("plan", &PLAN_FIELDS),
        _ if around.contains("domain") => ("domain", &DOMAIN_FIELDS),
        _ => {
            let all = [&LINE_FIELDS[..], &SUBSCRIBER_FIELDS, &PLAN_FIELDS, &DOMAIN_FIELDS].concat();
            return nearest(field, all).map(|near| format!("did you mean {}?", quoted(near)));
        }
    };
    Some(one_of(field, fields, &format!("the fields of a {what} are")))
}

fn syntax(detail: &str) -> Option<String> {
    if let Some(name) = detail.strip_prefix("unknown statement ") {
        if STATEMENTS.contains(&name) {
            return Some(format!("{{% {name} %}} belongs to a statement before it, and none is open: remove it"));
        }
        return Some(one_of(name, &STATEMENTS, "the statements are"));
    }
    if detail.contains("end of input") && !detail.contains("variable block") {
        return Some("every {% for %} needs an {% endfor %}, every {% if %} an {% endif %}".to_owned());
    }
    let ends = "a value is written {{ value }}, a statement {% statement %}";
    (detail.contains("variable block") || detail.contains("end of block")).then(|| ends.to_owned())
}
