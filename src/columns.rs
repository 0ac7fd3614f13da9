//! Tables, for terminals and for spreadsheets.

use std::fmt::Write;

/// Columns as wide as their widest value, two spaces apart, without spaces at the end.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, value) in widths.iter_mut().zip(row) {
            *width = (*width).max(value.chars().count());
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (width, value) in widths.iter().zip(row) {
            let pad = if *width == 0 { 0 } else { width + 2 - value.chars().count() };
            line.push_str(value);
            line.extend(std::iter::repeat_n(' ', pad));
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// One field of a CSV line (RFC 4180), quoted where needed. A leading `=`, `+`, `-` or `@` would
/// make a spreadsheet compute: such a field gets a `'` in front.
pub fn csv_field(text: &str) -> String {
    let mut text = text.to_owned();
    let number = text.parse::<f64>().is_ok();
    if text.starts_with(['=', '+', '-', '@']) && text.len() > 1 && !number {
        text.insert(0, '\'');
    }
    let quote = text.contains([',', '"', ';', '\'', ' ']);
    if quote { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A CSV line.
pub fn csv_line<'f>(fields: impl IntoIterator<Item = &'f str>) -> String {
    let fields: Vec<String> = fields.into_iter().map(csv_field).collect();
    fields.join(",") + "\n"
}
