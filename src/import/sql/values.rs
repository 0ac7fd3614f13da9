//! Rows → values, by `sqlparser`: a few hundred rows at a time.

use sqlparser::ast::{Expr, Insert, SetExpr, Statement as Sql, UnaryOperator, Value};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

use super::insert::RawRow;

/// How deep the parser may nest: rows that nest at all never come to it.
const DEPTH: usize = 24;

/// The values of a row; `None` for NULL.
pub type Values = Vec<Option<String>>;

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
    let all = literals(parse(&sql).ok()?).ok()?;
    (all.len() == rows.len()).then_some(all)
}

fn one(row: &RawRow<'_>) -> Result<Values, String> {
    if !row.flat {
        return Err("the row is no list of plain values".to_owned());
    }
    let text = std::str::from_utf8(row.bytes).map_err(|_| "the row is not UTF-8")?;
    let insert = parse(&format!("{HEAD}{text}"))?;
    literals(insert)?.pop().ok_or_else(|| "there is no row".to_owned())
}

fn literals(insert: Insert) -> Result<Vec<Values>, String> {
    let Some(SetExpr::Values(values)) = insert.source.map(|query| *query.body) else {
        return Err("there are no values".to_owned());
    };
    let row = |row: Vec<Expr>| row.into_iter().map(literal).collect::<Result<Values, String>>();
    values.rows.into_iter().map(|parens| row(parens.content)).collect()
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
