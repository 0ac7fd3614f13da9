//! Free text (names, labels, descriptions) inside a template.
//!
//! A template never gets a character of free text as it is: each UTF-16 unit is moved to plane 15 of
//! Unicode, which is private use and cannot occur in data. Slicing, splitting, joining or printing a
//! list gives moved characters, and only the filters `csv`, `json`, `xml` and `text` move them back. So
//! there is no mark that a template could strip.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr, Rest, ValueKind};
use minijinja::{Environment, Error, State, Value, filters};

/// Where UTF-16 unit 0 is moved to.
const PLANE: u32 = 0xf_0000;

/// Whether `c` is a moved unit.
pub(super) fn is_moved(c: char) -> bool {
    (PLANE..=PLANE + 0xffff).contains(&u32::from(c))
}

/// Moves every character of `text`.
fn moved(text: &str) -> impl Iterator<Item = char> {
    // Plane 15 holds no surrogates: every unit is a character there.
    text.encode_utf16().filter_map(|unit| char::from_u32(PLANE + u32::from(unit)))
}

/// Moves the characters of `text` back. Half of a surrogate pair, which slicing may leave, becomes
/// `U+FFFD`.
pub(super) fn readable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_moved) {
        return Cow::Borrowed(text);
    }
    let mut own = [0; 2];
    let mut units = Vec::with_capacity(text.len() / 4);
    for c in text.chars() {
        match is_moved(c) {
            true => units.push((u32::from(c) - PLANE) as u16),
            false => units.extend_from_slice(c.encode_utf16(&mut own)),
        }
    }
    Cow::Owned(String::from_utf16_lossy(&units))
}

/// The text of `value` as a filter writes it: free text is readable.
pub(super) fn text_of(value: &Value) -> String {
    match (value.downcast_object_ref::<FreeText>(), value.as_str()) {
        (Some(free), _) => free.0.to_string(),
        (None, Some(text)) => readable(text).into_owned(),
        (None, None) => readable(&value.to_string()).into_owned(),
    }
}

/// A value of free text.
pub(super) struct FreeText(Arc<str>);

/// `text` as a value.
pub(super) fn free(text: &str) -> Value {
    Value::from_object(FreeText(text.into()))
}

impl Object for FreeText {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.0.is_empty()
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<Self>().map(|other| self.0.cmp(&other.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Debug for FreeText {
    /// Moved: a template gets this wherever it turns the value into a text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        moved(&self.0).try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

/// Lets minijinja's filters on texts read free text: they get it readable, and what they give is
/// moved again. On moved characters `upper` would do nothing, and `escape` would let `<` pass.
pub(super) fn install(environment: &mut Environment<'_>) {
    for (name, filter) in [
        ("upper", Value::from_function(filters::upper)),
        ("lower", Value::from_function(filters::lower)),
        ("title", Value::from_function(filters::title)),
        ("capitalize", Value::from_function(filters::capitalize)),
        ("trim", Value::from_function(filters::trim)),
        ("replace", Value::from_function(filters::replace)),
        ("escape", Value::from_function(filters::escape)),
        ("e", Value::from_function(filters::escape)),
        ("split", Value::from_function(filters::split)),
        ("lines", Value::from_function(filters::lines)),
        ("length", Value::from_function(filters::length)),
        ("count", Value::from_function(filters::length)),
    ] {
        environment.add_filter(name, move |state: &mut State<'_, '_>, arguments: Rest<Value>| {
            on_readable(&filter, state, &arguments)
        });
    }
}

fn on_readable(filter: &Value, state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    if !arguments.iter().any(is_free) {
        return filter.call(state, arguments);
    }
    let readable = |value: &Value| if is_free(value) { Value::from(text_of(value)) } else { value.clone() };
    let arguments: Vec<Value> = arguments.iter().map(readable).collect();
    let given = filter.call(state, &arguments)?;
    if given.kind() != ValueKind::Seq {
        return Ok(moved_value(&given));
    }
    Ok(given.try_iter()?.map(|entry| moved_value(&entry)).collect())
}

fn is_free(value: &Value) -> bool {
    value.downcast_object_ref::<FreeText>().is_some() || value.as_str().is_some_and(|text| text.contains(is_moved))
}

fn moved_value(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| Value::from(moved(text).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_text_comes_back_and_cannot_occur_in_data() {
        for text in ["", "plain", "é 名 😀", "a\u{ffff}b", "𝒳"] {
            let hidden: String = moved(text).collect();
            assert!(hidden.chars().all(|c| is_moved(c) && crate::text::characters::is_steering(c)), "{text}");
            assert_eq!(readable(&hidden), text);
            assert_eq!(readable(&format!("<{hidden}>")), format!("<{text}>"));
        }
        let half: String = moved("😀").take(1).collect();
        assert_eq!(readable(&half), "\u{fffd}");
    }
}
