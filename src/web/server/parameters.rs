//! The parameters of a request: its query string and the end of its path, decoded strictly.

use super::problem::Problem;
use crate::text::quote::quoted;

/// How long a value may be, in bytes.
const MAX_VALUE: usize = 256;

/// A parameter that a route knows.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it means, for the OpenAPI document.
    pub(crate) about: &'static str,
    /// Its values.
    pub(crate) values: Values,
    /// Whether a request must have it.
    pub(crate) required: bool,
}

/// The values of a parameter.
#[derive(Debug)]
pub(crate) enum Values {
    /// Any text.
    Text,
    /// A page: a number from 1.
    Page,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// The parameters of one request.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    /// Reads a query string.
    ///
    /// # Errors
    /// If it has a parameter that is not among `known`, one twice, a value that is malformed, or lacks one
    /// that is required.
    pub(crate) fn read(query: Option<&str>, known: &'static [Parameter]) -> Result<Parameters, Problem> {
        let mut found = Parameters::default();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name, true).map_err(|why| Problem::bad_request(format!("a parameter's name {why}")))?;
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                return Err(Problem::bad_request(unknown(&name, known)));
            };
            if found.get(parameter.name).is_some() {
                return Err(Problem::bad_request(format!("the parameter `{}` is given twice", parameter.name)));
            }
            let malformed = |why: &str| Problem::bad_request(format!("the parameter `{}` {why}", parameter.name));
            let value = decoded(value, true).map_err(malformed)?;
            parameter.values.check(&value).map_err(|why| malformed(&why))?;
            found.0.push((parameter.name, value));
        }
        match known.iter().find(|parameter| parameter.required && found.get(parameter.name).is_none()) {
            Some(missing) => Err(Problem::bad_request(format!("the parameter `{}` is missing", missing.name))),
            None => Ok(found),
        }
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter, unless it is empty.
    pub(crate) fn some(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

impl Values {
    fn check(&self, value: &str) -> Result<(), String> {
        match self {
            Values::Text => Ok(()),
            Values::Page => {
                let plain = !value.starts_with('0') && value.bytes().all(|byte| byte.is_ascii_digit());
                let number: Option<u32> = value.parse().ok();
                match number.filter(|_| plain) {
                    Some(_) => Ok(()),
                    None => Err(format!("is {}, not a whole number from 1", quoted(value))),
                }
            }
            Values::OneOf(words) if value.is_empty() || words.contains(&value) => Ok(()),
            Values::OneOf(words) => Err(format!("is {}, not one of {}", quoted(value), words.join(", "))),
        }
    }
}

fn unknown(name: &str, known: &[Parameter]) -> String {
    let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
    match names.as_slice() {
        [] => format!("there is no parameter {}: this address takes none", quoted(name)),
        names => format!("there is no parameter {}; there are {}", quoted(name), names.join(", ")),
    }
}

/// A part of a URL without its percent-encoding.
///
/// # Errors
/// The end of a sentence, if it is malformed, not UTF-8, too long, or has control characters.
pub(crate) fn decoded(text: &str, plus_is_space: bool) -> Result<String, &'static str> {
    if text.len() > 3 * MAX_VALUE {
        return Err("is longer than 256 bytes");
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' if plus_is_space => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                match (high, low) {
                    (Some(high), Some(low)) => (high * 16 + low) as u8,
                    _ => return Err("has a % that two hexadecimal digits do not follow"),
                }
            }
            byte => byte,
        });
    }
    if bytes.len() > MAX_VALUE {
        return Err("is longer than 256 bytes");
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    if text.chars().any(char::is_control) { Err("has a control character") } else { Ok(text) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KNOWN: &[Parameter] = &[
        Parameter { name: "q", about: "", values: Values::Text, required: false },
        Parameter { name: "page", about: "", values: Values::Page, required: false },
        Parameter { name: "status", about: "", values: Values::OneOf(&["a", "b"]), required: false },
    ];

    #[test]
    fn values_are_decoded() {
        let read = Parameters::read(Some("q=10.0.0.1%40a+b%2Bc&page=3&&status=a"), KNOWN).unwrap();
        assert_eq!(
            (read.get("q"), read.get("page"), read.get("status")),
            (Some("10.0.0.1@a b+c"), Some("3"), Some("a"))
        );
        let read = Parameters::read(Some("q"), KNOWN).unwrap();
        assert_eq!((read.get("q"), read.some("q")), (Some(""), None));
        assert!(Parameters::read(None, KNOWN).unwrap().get("q").is_none());
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let long = format!("q={}", "x".repeat(257));
        let longer = format!("q={}", "%41".repeat(300));
        for (query, why) in [
            ("q=1&q=2", "given twice"),
            ("x=1", "there is no parameter `x`; there are q, page, status"),
            ("q=%ff", "not UTF-8"),
            ("q=%C3%28", "not UTF-8"),
            ("q=%0a", "control character"),
            ("q=%00", "control character"),
            ("q=%4", "hexadecimal"),
            ("q=%zz", "hexadecimal"),
            ("%=1", "hexadecimal"),
            ("page=0", "whole number"),
            ("page=-1", "whole number"),
            ("page=99999999999999999999", "whole number"),
            ("page=", "whole number"),
            ("status=c", "not one of a, b"),
            (&long, "longer than"),
            (&longer, "longer than"),
        ] {
            let problem = Parameters::read(Some(query), KNOWN).unwrap_err();
            assert!(problem.status == 400 && problem.detail.contains(why), "{query}: {}", problem.detail);
        }
    }

    #[test]
    fn a_missing_parameter_is_named() {
        const NEEDED: &[Parameter] = &[Parameter { name: "domain", about: "", values: Values::Text, required: true }];
        assert!(Parameters::read(None, NEEDED).unwrap_err().detail.contains("`domain` is missing"));
    }
}
