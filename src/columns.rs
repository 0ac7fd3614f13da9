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

/// The least that is left of a column that is cut.
const NARROWEST: usize = 8;

/// The rows with the widest columns cut, as far as it takes for a line to fit the terminal. Where
/// standard output is none, nothing is cut.
pub fn fitted<const N: usize>(rows: Vec<[String; N]>) -> Vec<[String; N]> {
    match terminal_width() {
        Some(width) => cut(rows, width),
        None => rows,
    }
}

fn cut<const N: usize>(mut rows: Vec<[String; N]>, width: usize) -> Vec<[String; N]> {
    let mut widths = [0; N];
    for row in &rows {
        for (width, value) in widths.iter_mut().zip(row) {
            *width = (*width).max(value.chars().count());
        }
    }
    let line = |widths: &[usize; N]| -> usize {
        widths.iter().filter(|width| **width > 0).map(|width| width + 2).sum::<usize>().saturating_sub(2)
    };
    while line(&widths) > width {
        match widths.iter_mut().max().filter(|widest| **widest > NARROWEST) {
            Some(widest) => *widest -= 1,
            None => break,
        }
    }
    for (value, width) in rows.iter_mut().flat_map(|row| row.iter_mut().zip(widths)) {
        if value.chars().count() > width {
            *value = value.chars().take(width.saturating_sub(1)).chain(['…']).collect();
        }
    }
    rows
}

#[cfg(unix)]
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

#[cfg(not(unix))]
fn terminal_width() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn the_widest_columns_are_cut_and_no_more_than_need_be() {
        let rows = || vec![["10.10.10.25".to_owned(), "x".repeat(30), "active".to_owned()]];
        assert_eq!(cut(rows(), 80), rows());
        let narrow = cut(rows(), 40);
        assert_eq!(narrow, [["10.10.10.25".to_owned(), format!("{}…", "x".repeat(18)), "active".to_owned()]]);
        let least = cut(rows(), 1);
        assert_eq!(least, [["10.10.1…".to_owned(), format!("{}…", "x".repeat(7)), "active".to_owned()]]);
    }
}
