//! Workbooks: they are read as the CSV file of their sheet would be, and a hostile one does no harm.

use std::io::{Cursor, Read as _};

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use shapeline::import::ReadOptions;
use zip::write::SimpleFileOptions;

use super::{DOMAIN, empty, files, import_bytes, imported};

const RATES: [&str; 4] = ["--domain", DOMAIN, "--rate", "GOLD=30M/50M"];

/// A sheet as an office has it: a title, an empty row, numbers, dates, a formula, a text of two lines.
fn office() -> Workbook {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let day = Format::new().set_num_format("dd/mm/yyyy");
    sheet.write(0, 0, "Customers").unwrap();
    for (at, name) in ["IP address", "Plan", "Account", "Customer", "Start"].into_iter().enumerate() {
        sheet.write(1, at as u16, name).unwrap();
    }
    sheet.write(2, 0, "10.10.10.25").unwrap();
    sheet.write(2, 1, "GOLD").unwrap();
    sheet.write(2, 2, 1001).unwrap();
    sheet.write(2, 3, "Hotel \"Sun\",\nmain house").unwrap();
    sheet.write_with_format(2, 4, ExcelDateTime::from_ymd(2026, 12, 1).unwrap(), &day).unwrap();
    sheet.write(4, 0, "10.10.10.26").unwrap();
    sheet.write_formula(4, 1, Formula::new("=B3").set_result("GOLD")).unwrap();
    sheet.write(4, 9, "").unwrap();
    book
}

const SAME: &str = "Customers,,,,\nIP address,Plan,Account,Customer,Start\n\
    10.10.10.25,GOLD,1001,\"Hotel \"\"Sun\"\", main house\",2026-12-01\n\n10.10.10.26,GOLD,,,\n";

#[test]
fn a_sheet_is_read_as_its_csv() {
    let (one, other) = (empty(), empty());
    let run = import_bytes(&one, &office().save_to_buffer().unwrap(), &RATES);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains(": a table in a workbook: 2 subscribers, "), "{}", run.stderr);
    imported(&other, SAME, &RATES);
    assert_eq!(files(&one), files(&other));
    let text = one.read(&format!("subscribers/{DOMAIN}.yaml"));
    for part in ["id: '1001'", "starts: 2026-12-01", "Hotel \"Sun\", main house"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_refused_row_has_its_number_in_the_sheet() {
    let mut book = office();
    book.worksheet_from_index(0).unwrap().write(4, 0, "10.10.10.265").unwrap();
    let run = import_bytes(&empty(), &book.save_to_buffer().unwrap(), &RATES);
    assert!(run.code == 1 && run.stderr.contains("line 5: 10.10.10.265"), "{}", run.stderr);
}

#[test]
fn of_several_sheets_one_is_named() {
    let mut book = office();
    let _no_cells = book.add_worksheet();
    book.add_worksheet().set_hidden(true).write(0, 0, "old").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    assert_eq!(import_bytes(&empty(), &bytes, &RATES).code, 0, "the others have no cells, or are hidden");
    book.add_worksheet().set_name("Prices").unwrap().write(0, 0, "GOLD").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let run = import_bytes(&empty(), &bytes, &RATES);
    let why = "several sheets with cells: name one with --sheet, of `Sheet1`, `Prices`";
    assert!(run.code == 1 && run.stderr.contains(why), "{}", run.stderr);
    let named = |name: &str| import_bytes(&empty(), &bytes, &[&RATES[..], &["--sheet", name]].concat());
    assert_eq!(named("Sheet1").code, 0);
    let run = named("Sheet9");
    assert!(run.stderr.contains("no sheet `Sheet9`; there are `Sheet1`, `Sheet2`, `Prices`"), "{}", run.stderr);
    let run = import_bytes(&empty(), SAME.as_bytes(), &[&RATES[..], &["--sheet", "Sheet1"]].concat());
    assert!(run.code == 1 && run.stderr.contains("it is no workbook, and has no sheets"), "{}", run.stderr);
}

/// A workbook, with the content of its sheet replaced.
fn with_sheet(content: &mut dyn std::io::Read) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(office().save_to_buffer().unwrap())).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..from.len() {
        let mut part = from.by_index(at).unwrap();
        let name = part.name().unwrap().into_owned();
        to.start_file(&name, SimpleFileOptions::default().compression_level(Some(1))).unwrap();
        match name.as_str() {
            "xl/worksheets/sheet1.xml" => std::io::copy(content, &mut to).unwrap(),
            _ => std::io::copy(&mut part, &mut to).unwrap(),
        };
    }
    to.finish().unwrap().into_inner()
}

fn refused(content: &mut dyn std::io::Read, why: &str) {
    let run = import_bytes(&empty(), &with_sheet(content), &RATES);
    assert!(run.code == 1 && run.stderr.contains(why), "{why}: {}{}", run.stdout, run.stderr);
}

#[test]
fn a_hostile_workbook_is_refused() {
    let cells = |cells: &str| {
        format!(
            "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{cells}</sheetData></worksheet>"
        )
    };
    let cell = |place: &str| format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>ip</t></is></c>");
    for (places, why) in [
        (["A1", "XFD1048576"], "more than 256 columns"),
        (["A3", "A2"], "not in its place"),
        (["A1", "A1"], "there twice"),
        (["A1", "A99999999"], "more than 1048576 rows"),
    ] {
        refused(&mut cells(&places.map(cell).concat()).as_bytes(), why);
    }
    refused(&mut cells("<row r=\"1\"").as_bytes(), "damaged or encrypted workbook");
    refused(&mut "".as_bytes(), "damaged or encrypted workbook");
    // A text that is stored once, in 20,000 cells.
    let text = "x".repeat(30_000);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    (0..20_000).for_each(|row| assert!(sheet.write(row, 0, &text).is_ok()));
    let run = import_bytes(&empty(), &book.save_to_buffer().unwrap(), &RATES);
    assert!(run.stderr.contains("more than is read of a workbook of this size"), "{}", &run.stderr);
    // Stored small, unpacked more than memory should hold.
    refused(&mut std::io::repeat(b' ').take(256 << 20), "more than is read of a workbook of this size");
}

#[test]
fn a_row_at_the_end_of_a_sheet_is_read() {
    let mut book = office();
    book.worksheet_from_index(0).unwrap().write(1_048_575, 0, "10.10.10.99").unwrap();
    let run = import_bytes(&empty(), &book.save_to_buffer().unwrap(), &RATES);
    assert!(run.stderr.contains("line 1048576: 10.10.10.99: there is no plan"), "{}{}", run.stdout, run.stderr);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn a_damaged_workbook_does_no_harm(at: prop::sample::Index, byte: u8, cut: Option<prop::sample::Index>, inner: bool) {
        let mut bytes = match inner {
            false => office().save_to_buffer().unwrap(),
            true => {
                let mut zip = zip::ZipArchive::new(Cursor::new(office().save_to_buffer().unwrap())).unwrap();
                let mut sheet = Vec::new();
                zip.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_end(&mut sheet).unwrap();
                let at = at.index(sheet.len());
                sheet[at] = byte;
                with_sheet(&mut sheet.as_slice())
            }
        };
        if !inner {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        let _ = shapeline::import::read(&bytes, &ReadOptions { domain: DOMAIN.parse().ok(), ..ReadOptions::default() });
    }
}
