//! A sheet of a workbook (`.xlsx`, ECMA-376) as CSV: row `n` becomes line `n`, so that refused rows are found again.

use super::unusable::Unusable;

/// The sheet with cells, or the one that is called `sheet`, as CSV; nothing if the source is no workbook.
///
/// # Errors
/// If it is damaged, too large or encrypted, or it is not clear which sheet is meant.
pub(super) fn table(bytes: &[u8], sheet: Option<&str>) -> Result<Option<Vec<u8>>, Unusable> {
    if bytes.starts_with(b"PK\x03\x04") {
        let head = &bytes[..bytes.len().min(4096)];
        let has = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
        if has(b"mimetypeapplication/vnd.oasis.opendocument") {
            return Err(Unusable::new("it is a workbook of LibreOffice: save it as .xlsx or as CSV UTF-8"));
        }
        if has(b"[Content_Types].xml") || has(b"xl/") {
            return xlsx::table(bytes, sheet).map(Some);
        }
    }
    match sheet {
        Some(_) => Err(Unusable::new("it is no workbook, and has no sheets")),
        None => Ok(None),
    }
}

#[cfg(not(feature = "xlsx"))]
mod xlsx {
    use super::Unusable;

    pub(super) fn table(_: &[u8], _: Option<&str>) -> Result<Vec<u8>, Unusable> {
        Err(Unusable::new("it is a workbook, which this program was built without: save the sheet as CSV UTF-8"))
    }
}

#[cfg(feature = "xlsx")]
mod xlsx {
    use std::io::{Cursor, Read as _};

    use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx};

    use super::Unusable;
    use crate::text::quote::quoted;

    /// How many bytes one byte of a workbook may become, unpacked or as CSV. Sheets shrink to a tenth or a twentieth;
    /// what shrinks more was made to fill the memory.
    const RATIO: u64 = 50;

    /// How much any workbook may become, in bytes.
    const SMALL: u64 = 16 << 20;

    /// How much no workbook may exceed, in bytes. The library keeps its texts in memory.
    const LARGE: u64 = 512 << 20;

    /// How many columns of a sheet are read.
    const MOST_COLUMNS: usize = 256;

    /// How many sheets are looked through for the one with cells.
    const MOST_SHEETS: usize = 20;

    /// How many rows of a sheet are read: all that Excel has.
    const MOST_ROWS: u32 = 1 << 20;

    type Workbook<'b> = Xlsx<Cursor<&'b [u8]>>;

    pub(super) fn table(bytes: &[u8], sheet: Option<&str>) -> Result<Vec<u8>, Unusable> {
        let most = most(bytes);
        measure(bytes, most)?;
        let mut workbook: Workbook<'_> = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
        let names = sheets(&workbook);
        if let Some(wanted) = sheet {
            if !names.iter().any(|name| name == wanted) {
                let listed: Vec<String> = names.iter().map(|name| quoted(name)).collect();
                let why = format!("it has no sheet {}; there are {}", quoted(wanted), listed.join(", "));
                return Err(Unusable::new(why));
            }
            return csv(&mut workbook, wanted, most);
        }
        if names.len() > MOST_SHEETS {
            return Err(Unusable::SeveralSheets(names.into_iter().take(MOST_SHEETS).collect()));
        }
        let (mut filled, mut left) = (Vec::new(), most);
        for name in names {
            if width(&mut workbook, &name, &mut left)? > 0 {
                filled.push(name);
            }
        }
        match filled.as_slice() {
            [] => Err(Unusable::new("there is nothing in its sheets")),
            [one] => csv(&mut workbook, one, most),
            _ => Err(Unusable::SeveralSheets(filled)),
        }
    }

    /// How many bytes a workbook may become.
    fn most(bytes: &[u8]) -> u64 {
        (SMALL + bytes.len() as u64 * RATIO).min(LARGE)
    }

    /// Refuses what would unpack to more than `most`. The sizes that an archive states may be wrong.
    fn measure(bytes: &[u8], most: u64) -> Result<(), Unusable> {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
        let mut left = most;
        for at in 0..archive.len() {
            let part = archive.by_index(at).map_err(damaged)?;
            let read = std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(damaged)?;
            left = left.checked_sub(read).ok_or_else(too_large)?;
        }
        Ok(())
    }

    fn too_large() -> Unusable {
        Unusable::new("it holds more than is read of a workbook of this size: save the sheet as CSV UTF-8")
    }

    fn damaged(why: impl std::fmt::Display) -> Unusable {
        Unusable::new(format!("it is a damaged or encrypted workbook: {why}; save the sheet as CSV UTF-8"))
    }

    /// The names of the sheets that a person sees.
    fn sheets(workbook: &Workbook<'_>) -> Vec<String> {
        let seen = workbook.sheets_metadata().iter();
        let seen = seen.filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible);
        seen.map(|sheet| sheet.name.clone()).collect()
    }

    /// How many columns have a cell that is not empty, or are left of one. The cells may have as many bytes as are
    /// `left`: a text that is stored once can be in every one.
    fn width(workbook: &mut Workbook<'_>, name: &str, left: &mut u64) -> Result<usize, Unusable> {
        let mut cells = workbook.worksheet_cells_reader(name).map_err(damaged)?;
        let mut width = 0;
        while let Some(cell) = cells.next_cell().map_err(damaged)? {
            let size = match cell.get_value() {
                DataRef::String(text) => text.len(),
                DataRef::SharedString(text) => text.len(),
                _ => 1,
            };
            *left = left.checked_sub(size as u64).ok_or_else(too_large)?;
            if !text(cell.get_value()).is_empty() {
                width = width.max(cell.get_position().1 as usize + 1);
            }
        }
        match width {
            0..=MOST_COLUMNS => Ok(width),
            _ => Err(Unusable::new(format!("its sheet {} has more than {MOST_COLUMNS} columns", quoted(name)))),
        }
    }

    /// Cell by cell: as a range, two cells in opposite corners would take 64 GiB.
    fn csv(workbook: &mut Workbook<'_>, name: &str, most: u64) -> Result<Vec<u8>, Unusable> {
        let mut writer = RowWriter { csv: csv::Writer::from_writer(Vec::new()), row: Vec::new(), number: 0, most };
        writer.row.resize(width(workbook, name, &mut { most })?, String::new());
        let mut cells = workbook.worksheet_cells_reader(name).map_err(damaged)?;
        while let Some(cell) = cells.next_cell().map_err(damaged)? {
            let text = text(cell.get_value());
            if !text.is_empty() {
                writer.put(cell.get_position(), &text)?;
            }
        }
        writer.end_row()?;
        writer.csv.into_inner().map_err(damaged)
    }

    /// Writes rows, of one width and without a gap.
    struct RowWriter {
        csv: csv::Writer<Vec<u8>>,
        row: Vec<String>,
        /// The row's number, from 0.
        number: u32,
        /// How many bytes may be written: two cells can be rows and columns apart.
        most: u64,
    }

    impl RowWriter {
        fn put(&mut self, (row, column): (u32, u32), text: &str) -> Result<(), Unusable> {
            if row >= MOST_ROWS {
                return Err(Unusable::new(format!("it has more than {MOST_ROWS} rows")));
            }
            while self.number < row {
                self.end_row()?;
            }
            match self.row.get_mut(column as usize) {
                Some(cell) if self.number == row && cell.is_empty() => text.clone_into(cell),
                _ => return Err(damaged("a cell is there twice, or not in its place")),
            }
            Ok(())
        }

        fn end_row(&mut self) -> Result<(), Unusable> {
            self.csv.write_record(&self.row).map_err(damaged)?;
            self.row.iter_mut().for_each(String::clear);
            self.number += 1;
            if self.csv.get_ref().len() as u64 > self.most { Err(too_large()) } else { Ok(()) }
        }
    }

    /// What a cell shows, in one line. A date without a time is written as the data has it.
    fn text(value: &DataRef<'_>) -> String {
        let text = match value {
            DataRef::Empty => String::new(),
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::Int(number) => number.to_string(),
            // Excel has no whole numbers: an id `1001` is stored as `1001.0`, which this writes as `1001`.
            DataRef::Float(number) => number.to_string(),
            DataRef::Bool(value) => value.to_string(),
            DataRef::Error(error) => error.to_string(),
            DataRef::DateTime(time) => {
                let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
                match (hour, minute, second) {
                    (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                    _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
                }
            }
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
