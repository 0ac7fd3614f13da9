//! A live shaper file: `ADDRESS ADDRESS@DOMAIN :=set_attribute ATTRIBUTE`, a line for each address.

use super::found::{Found, Origin, SourceKind};
use super::gather::{Gather, RawPlan, RawSubscriber};
use crate::text::quote::quoted;

/// The word before the attribute.
pub const SET_ATTRIBUTE: &str = ":=set_attribute";

/// Reads a shaper file. Extra spaces are accepted.
pub fn read(bytes: &[u8]) -> Found {
    let mut gather = Gather::new(SourceKind::Shaper, None);
    let mut comments = 0;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
        let origin = Origin::line(number);
        let Ok(text) = std::str::from_utf8(line) else {
            let shown = String::from_utf8_lossy(line);
            gather.doubt(&[shown.split_whitespace().next().unwrap_or_default()], "");
            gather.refuse(origin, &shown, vec!["the line is not UTF-8".to_owned()]);
            continue;
        };
        let text = text.trim_matches([' ', '\t', '\r']);
        if text.starts_with('#') {
            comments += 1;
        } else if !text.is_empty() {
            one(&mut gather, origin, text);
        }
    }
    if comments > 0 {
        gather.note(format!("lines that start with # are passed over: {comments}"));
    }
    gather.finish()
}

fn one(gather: &mut Gather, origin: Origin, text: &str) {
    let mut fields = text.split([' ', '\t']).filter(|field| !field.is_empty());
    let four = (fields.next(), fields.next(), fields.next(), fields.next(), fields.next());
    let (Some(ip), Some(user), Some(word), Some(attribute), None) = four else {
        let reason = format!("a line has four fields: an address, the address@domain, {SET_ATTRIBUTE}, and the plan");
        gather.doubt(&[four.0.unwrap_or_default()], "");
        gather.refuse(origin, text, vec![reason]);
        return;
    };
    let mut reasons = Vec::new();
    if word != SET_ATTRIBUTE {
        reasons.push(other_word(word).into());
    }
    let domain = match user.split_once('@') {
        Some((user_ip, domain)) => {
            if user_ip != ip {
                reasons.push(format!("the line starts with {} and goes on with {}", quoted(ip), quoted(user)).into());
            }
            domain
        }
        None => {
            reasons.push(format!("{} has no @ and no domain", quoted(user)).into());
            gather.doubt(&[ip], "");
            gather.refuse(origin, text, reasons);
            return;
        }
    };
    let raw =
        RawSubscriber { addresses: vec![ip], domain, plan: RawPlan::Attribute(attribute), ..RawSubscriber::default() };
    gather.subscriber(origin, &raw, reasons);
}

/// Why a line with another word cannot be imported.
pub fn other_word(word: &str) -> String {
    format!("{} is another attribute than {SET_ATTRIBUTE}, the only one that is rendered", quoted(word))
}
