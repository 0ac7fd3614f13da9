//! Words that people write in the place of a field's name or of one of its choices.

use crate::text::suggest::nearest;

/// Words that people write, and the choice that they mean.
const MEANT: [(&str, &str); 34] = [
    ("paused", "suspended"),
    ("pause", "suspended"),
    ("inactive", "suspended"),
    ("disabled", "suspended"),
    ("blocked", "suspended"),
    ("stopped", "suspended"),
    ("locked", "suspended"),
    ("hold", "suspended"),
    ("on hold", "suspended"),
    ("off", "suspended"),
    ("no", "suspended"),
    ("false", "suspended"),
    ("enabled", "active"),
    ("on", "active"),
    ("yes", "active"),
    ("true", "active"),
    ("live", "active"),
    ("ok", "active"),
    ("active", "offered"),
    ("available", "offered"),
    ("yes", "offered"),
    ("on", "offered"),
    ("inactive", "retired"),
    ("old", "retired"),
    ("discontinued", "retired"),
    ("deprecated", "retired"),
    ("withdrawn", "retired"),
    ("no", "retired"),
    ("warn", "warning"),
    ("no", "off"),
    ("false", "off"),
    ("none", "off"),
    ("ignore", "off"),
    ("disabled", "off"),
];

/// The choice that a word probably means.
pub(super) fn likely_choice<'o>(word: &str, options: &[&'o str]) -> Option<&'o str> {
    let lower = word.to_lowercase();
    let meant = MEANT.iter().filter(|(other, _)| *other == lower);
    let meant = meant.flat_map(|(_, choice)| options.iter().copied().filter(move |option| option == choice)).next();
    meant.or_else(|| nearest(word, options.iter().copied()))
}

/// Other names that people give to a field.
const OTHER_NAMES: [(&str, &str); 24] = [
    ("upload", "up"),
    ("up_rate", "up"),
    ("upload_rate", "up"),
    ("download", "down"),
    ("down_rate", "down"),
    ("download_rate", "down"),
    ("address", "ip"),
    ("ip_address", "ip"),
    ("ipv4", "ip"),
    ("ipv6", "ip"),
    ("realm", "domain"),
    ("isp", "domain"),
    ("package", "plan"),
    ("product", "plan"),
    ("tariff", "plan"),
    ("customer", "name"),
    ("customer_id", "id"),
    ("state", "status"),
    ("start", "starts"),
    ("start_date", "starts"),
    ("end", "ends"),
    ("end_date", "ends"),
    ("expires", "ends"),
    ("blocks", "prefixes"),
];

/// The field that a name probably means.
pub(super) fn likely_field<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let others = OTHER_NAMES
        .iter()
        .filter_map(|(other, field)| known.iter().find(|known| *known == field).map(|known| (*other, *known)));
    let names: Vec<(&str, &'k str)> = others.chain(known.iter().map(|known| (*known, *known))).collect();
    // Of two letters, another one is nearly always near.
    let near = nearest(name, names.iter().map(|(other, _)| *other)).filter(|_| name.chars().count() > 2)?;
    names.iter().find(|(other, _)| *other == near).map(|(_, field)| *field)
}
