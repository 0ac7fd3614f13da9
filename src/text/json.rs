//! JSON that is safe to print to a terminal or the log of a build server.

use std::io;

use serde_json::ser::{Formatter, PrettyFormatter};

use super::characters::{RUNNER_COMMAND, is_steering};

/// Writes `value` as indented JSON, with `\u` escapes for every character that could control a
/// terminal. Parsing gives the value unchanged.
pub(crate) fn write_json(out: &mut dyn io::Write, value: &impl serde::Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, PlainJson(PrettyFormatter::new()));
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Like [`write_json`], into a text.
pub(crate) fn json_text(value: &impl serde::Serialize) -> io::Result<String> {
    let mut text = Vec::new();
    write_json(&mut text, value)?;
    String::from_utf8(text).map_err(io::Error::other)
}

struct PlainJson(PrettyFormatter<'static>);

/// Layout methods, forwarded to the wrapped formatter.
macro_rules! laid_out {
    ($($name:ident($($argument:ident: $type:ty),*)),* $(,)?) => {
        $(fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $argument: $type)*) -> io::Result<()> {
            self.0.$name(writer $(, $argument)*)
        })*
    };
}

impl Formatter for PlainJson {
    laid_out![
        begin_array(),
        end_array(),
        begin_array_value(first: bool),
        end_array_value(),
        begin_object(),
        end_object(),
        begin_object_key(first: bool),
        begin_object_value(),
        end_object_value(),
    ];

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = first_to_escape(rest) {
            let (before, from) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            let Some(c) = from.chars().next() else { break };
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &from[c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

fn first_to_escape(text: &str) -> Option<usize> {
    let command = text.find(RUNNER_COMMAND).map(|at| at + RUNNER_COMMAND.len() - 1);
    let steering = text.find(is_steering);
    command.into_iter().chain(steering).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str =
        "a\n::error::x\r%0A ##[add-mask]b \u{1b}[31m \u{9b}31m \u{202e}]]><script>\"'&,:\u{0}\u{ffff}";

    #[test]
    fn json_reads_back_the_same_and_steers_nothing() {
        let mut out = Vec::new();
        write_json(&mut out, &vec![HOSTILE, "##[", "😀"]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.replace('\n', "").contains(is_steering) && !text.contains("##["), "{text}");
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, [HOSTILE, "##[", "😀"]);
    }
}
