//! Rows → values, by `sqlparser`: a few hundred rows at a time.

use sqlparser::ast::{Expr, Insert, SetExpr, Statement as Sql, UnaryOperator, Value};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

use super::insert::{MAX_VALUES, RawRow};

/// How deep the parser may nest: rows that nest at all never come to it.
const DEPTH: usize = 24;

/// The values of a row, each `None` for NULL, or why it cannot be read: it may be of a column that
/// nobody asks for.
pub type Values = Vec<Result<Option<String>, String>>;

/// Stands for bytes that are not UTF-8. It is no character, so that no text has it.
const NO_TEXT: char = '\u{ffff}';

/// Parses rows, each to its values or to why it has none.
pub fn values(rows: &[RawRow<'_>]) -> Vec<Result<Values, String>> {
    if let Some(all) = together(rows) {
        return all.into_iter().map(Ok).collect();
    }
    // One of them is to blame: each by itself.
    rows.iter().map(one).collect()
}

const HEAD: &str = "INSERT INTO t VALUES ";

fn together(rows: &[RawRow<'_>]) -> Option<Vec<Values>> {
    let mut sql = String::from(HEAD);
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            sql.push(',');
        }
        sql.push_str(std::str::from_utf8(row.bytes).ok().filter(|_| row.flat)?);
    }
    let all = literals(parse(&sql).ok()?, false).ok()?;
    (all.len() == rows.len()).then_some(all)
}

fn one(row: &RawRow<'_>) -> Result<Values, String> {
    if !row.flat {
        return Err(format!("the row is no list of plain values, at most {MAX_VALUES}"));
    }
    let mut text = String::from(HEAD);
    let mut broken = false;
    for chunk in row.bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(NO_TEXT);
            broken = true;
        }
    }
    literals(parse(&text)?, broken)?.pop().ok_or_else(|| "there is no row".to_owned())
}

/// The values of each row; `broken` if some of it was not UTF-8.
fn literals(insert: Insert, broken: bool) -> Result<Vec<Values>, String> {
    let Some(SetExpr::Values(values)) = insert.source.map(|query| *query.body) else {
        return Err("there are no values".to_owned());
    };
    let value = |expression: Expr| match literal(expression)? {
        Some(text) if broken && text.contains(NO_TEXT) => Err("it is not UTF-8".to_owned()),
        value => Ok(value),
    };
    Ok(values.rows.into_iter().map(|parens| parens.content.into_iter().map(value).collect()).collect())
}

fn literal(expression: Expr) -> Result<Option<String>, String> {
    match expression {
        Expr::Value(value) => match value.value {
            Value::Null => Ok(None),
            Value::Number(number, _) => Ok(Some(number)),
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Ok(Some(text)),
            Value::HexStringLiteral(digits) => unhex(&digits).map(Some),
            Value::Boolean(value) => Ok(Some(u8::from(value).to_string())),
            other => Err(format!("a value of a kind that is not known: {other}")),
        },
        // `_binary 'text'`.
        Expr::Prefixed { value, .. } => literal(*value),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Ok(literal(*expr)?.map(|number| format!("-{number}"))),
        other => Err(format!("a value that is no literal: {other}")),
    }
}

/// Why a row is of no use.
#[derive(Debug)]
pub struct BadCells {
    /// What is wrong.
    pub reasons: Vec<String>,
    /// The value of the first wanted column, if it can be read.
    pub first: Option<String>,
}

/// The values of the wanted columns.
///
/// # Errors
/// If one of them cannot be read.
pub fn cells<const N: usize>(
    values: &Values,
    places: [Option<usize>; N],
    names: [&str; N],
) -> Result<[Option<String>; N], BadCells> {
    let mut reasons = Vec::new();
    let mut number = 0;
    let cells = places.map(|place| {
        let name = names[number];
        number += 1;
        match place.and_then(|at| values.get(at)) {
            None => None,
            Some(Ok(value)) => value.clone(),
            Some(Err(reason)) => {
                reasons.push(format!("{name}: {reason}"));
                None
            }
        }
    });
    match reasons.is_empty() {
        true => Ok(cells),
        false => Err(BadCells { reasons, first: cells.into_iter().next().flatten() }),
    }
}

/// What `--hex-blob` writes.
fn unhex(digits: &str) -> Result<String, String> {
    let digits = digits.strip_prefix("0x").unwrap_or(digits).as_bytes();
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    let text = bytes.filter(|_| digits.len().is_multiple_of(2)).and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| "a binary value that is no text".to_owned())
}

/// Parses one INSERT.
///
/// # Errors
/// If it is none.
pub fn parse(sql: &str) -> Result<Insert, String> {
    let dialect = MySqlDialect {};
    let mut statements = Parser::new(&dialect)
        .with_recursion_limit(DEPTH)
        .try_with_sql(sql)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| error.to_string())?;
    match (statements.pop(), statements.pop()) {
        (Some(Sql::Insert(insert)), None) => Ok(insert),
        _ => Err("this is no INSERT".to_owned()),
    }
}
