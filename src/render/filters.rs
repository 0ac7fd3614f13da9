//! The filters and tests that templates have beside minijinja's own, and the guard on every value
//! that a template writes.

use ipnet::IpNet;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Output, State, Value};

use super::free::{self, is_moved, readable, text_of};
use super::values::RateValue;
use crate::model::{Address, Rate};
use crate::text::characters::is_steering;
use crate::text::columns::csv_field;
use crate::text::quote::quoted;

/// Gives `environment` the filters, the tests and the guard.
pub(super) fn install(environment: &mut Environment<'_>) {
    // Each of these makes any amount of text or entries in a single step, which a limit on steps cannot
    // bound; an output of lines needs none of them.
    for name in ["slice", "batch", "indent", "format", "pprint"] {
        environment.remove_filter(name);
    }
    free::install(environment);
    environment.add_filter("bps", |value: &Value| in_unit(value, 0));
    environment.add_filter("kbps", |value: &Value| in_unit(value, 3));
    environment.add_filter("mbps", |value: &Value| in_unit(value, 6));
    environment.add_filter("gbps", |value: &Value| in_unit(value, 9));
    environment.add_filter("network", |value: &Value| net(value).map(|net| net.network().to_string()));
    environment.add_filter("broadcast", |value: &Value| net(value).map(|net| net.broadcast().to_string()));
    environment.add_filter("netmask", |value: &Value| net(value).map(|net| net.netmask().to_string()));
    environment.add_filter("prefixlen", |value: &Value| net(value).map(|net| net.prefix_len()));
    environment.add_filter("cidr", |value: &Value| net(value).map(|net| net.to_string()));
    environment.add_filter("text", |value: &Value| printable(value).map(Value::from_safe_string));
    environment.add_filter("csv", csv);
    environment.add_filter("json", |value: &Value| json(value, 0));
    environment.add_filter("xml", xml);
    environment.add_test("ipv4", |value: &Value| net(value).map(|net| matches!(net, IpNet::V4(_))));
    environment.add_test("ipv6", |value: &Value| net(value).map(|net| matches!(net, IpNet::V6(_))));
    environment.add_test("prefix", |value: &Value| net(value).map(|net| net.prefix_len() < net.max_prefix_len()));
    environment.set_formatter(write_guarded);
}

fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Writes a value, unless it could end its line or break its field.
fn write_guarded(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        return write_text(out, text);
    }
    is_set(value)?;
    if matches!(value.kind(), ValueKind::Map | ValueKind::Seq | ValueKind::Iterable) {
        return Err(refuse("this is not one value: name a field, or join the entries of a list"));
    }
    if value.kind() == ValueKind::Bool {
        // `true` as in YAML and JSON; the template language itself would write `True`.
        return write_text(out, if value.is_true() { "true" } else { "false" });
    }
    write_text(out, &value.to_string())
}

fn is_set(value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "there is no such value"));
    }
    if value.is_none() {
        return Err(refuse("this value is not set here: give a default, such as | default('-', true)"));
    }
    Ok(())
}

fn write_text(out: &mut Output<'_>, text: &str) -> Result<(), Error> {
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return out.write_str(text).map_err(Error::from);
    }
    if text.contains(is_moved) {
        let shown = quoted(&readable(text));
        return Err(refuse(format!(
            "{shown} contains free text: choose how to write it: | csv, | json, | xml or | text"
        )));
    }
    if let Some(bad) = text.chars().find(|c| is_steering(*c)) {
        let shown = quoted(text);
        return Err(refuse(format!(
            "{shown} contains the character U+{:04X}, which could break the line",
            u32::from(bad)
        )));
    }
    out.write_str(text).map_err(Error::from)
}

fn in_unit(value: &Value, digits: u32) -> Result<Value, Error> {
    let rate = match value.downcast_object_ref::<RateValue>() {
        Some(rate) => rate.0,
        None => value.to_string().parse::<Rate>().map_err(|error| refuse(error.to_string()))?,
    };
    let scale = 10_u64.pow(digits);
    let (whole, rest) = (rate.bps() / scale, rate.bps() % scale);
    if rest == 0 {
        return Ok(Value::from(whole));
    }
    let fraction = format!("{rest:0width$}", width = digits as usize);
    Ok(Value::from(format!("{whole}.{}", fraction.trim_end_matches('0'))))
}

fn net(value: &Value) -> Result<IpNet, Error> {
    value.to_string().parse::<Address>().map(|address| address.net()).map_err(|wrong| refuse(wrong.to_string()))
}

fn printable(value: &Value) -> Result<String, Error> {
    // As without a filter, a missing value is an error and not an empty text.
    is_set(value)?;
    let text = text_of(value);
    match text.chars().find(|c| is_steering(*c)) {
        Some(bad) => Err(refuse(format!("{} contains the character U+{:04X}", quoted(&text), u32::from(bad)))),
        None => Ok(text),
    }
}

fn csv(value: &Value) -> Result<Value, Error> {
    Ok(Value::from_safe_string(csv_field(&printable(value)?)))
}

/// How deep lists in JSON may nest.
const DEEPEST: usize = 32;

/// The value as a JSON text; a number, a boolean or none as such.
fn json(value: &Value, depth: usize) -> Result<Value, Error> {
    if depth > DEEPEST {
        return Err(refuse(format!("these lists nest more than {DEEPEST} levels deep")));
    }
    let written = match value.kind() {
        ValueKind::None => "null".to_owned(),
        ValueKind::Bool => value.is_true().to_string(),
        ValueKind::Number => value.to_string(),
        ValueKind::Seq => {
            let entries: Result<Vec<String>, Error> =
                value.try_iter()?.map(|entry| json(&entry, depth + 1).map(|written| written.to_string())).collect();
            format!("[{}]", entries?.join(","))
        }
        _ => serde_json::to_string(&printable(value)?).map_err(|error| refuse(error.to_string()))?,
    };
    Ok(Value::from_safe_string(written))
}

fn xml(value: &Value) -> Result<Value, Error> {
    let mut out = String::new();
    for c in printable(value)?.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Ok(Value::from_safe_string(out))
}
