//! The explanations of wrong texts, by the name that a schema's keyword `x-form` has for what is expected.

use std::str::FromStr;

use super::domain::{DomainName, Owner};
use super::labels::LabelName;
use super::misspelling::{Misspelling, Remedy};
use super::plan::{Attribute, PlanName};
use super::setting_name::SettingName;
use super::settings::{FileName, TemplateName};
use super::subscriber::SubscriberId;
use super::target::Word;
use super::target_url::{Endpoint, TargetUrl};
use super::{Address, Date, Limit, Rate, Text};
use crate::text::quote::quoted;

/// The check of a form, and why a text that fails it does.
type Form = (fn(&str) -> bool, fn(&str) -> Misspelling);

fn form(name: &str) -> Option<Form> {
    fn reads<T: FromStr>(text: &str) -> bool {
        text.parse::<T>().is_ok()
    }
    Some(match name {
        "Address" => (reads::<Address>, Address::explain),
        "Attribute" => (Attribute::is_valid, Attribute::explain),
        "Date" => (reads::<Date>, Date::explain),
        "DomainName" => (DomainName::is_valid, domain),
        "Endpoint" => (Endpoint::is_valid, endpoint),
        "FileName" => (FileName::is_valid, FileName::explain),
        "LabelName" => (LabelName::is_valid, LabelName::explain),
        "Limit" => (reads::<Limit>, limit),
        "Owner" => (Owner::is_valid, owner),
        "PlanName" => (PlanName::is_valid, PlanName::explain),
        "Rate" => (reads::<Rate>, Rate::explain),
        "SettingName" => (SettingName::is_valid, SettingName::explain),
        "SubscriberId" => (SubscriberId::is_valid, SubscriberId::explain),
        "Suspended" => (PlanName::is_valid, suspended),
        "TargetUrl" => (reads::<TargetUrl>, TargetUrl::explain),
        "TemplateName" => (TemplateName::is_valid, template),
        "Text" => (Text::is_valid, Text::explain),
        "Word" => (Word::is_valid, Word::explain),
        _ => return None,
    })
}

/// Whether `text` is of the form of this name. No text is of a form that is not known.
pub(crate) fn is_form(name: &str, text: &str) -> bool {
    form(name).is_some_and(|(is_valid, _)| is_valid(text))
}

/// Whether there is a form of this name.
#[cfg(test)]
pub(crate) fn is_known_form(name: &str) -> bool {
    form(name).is_some()
}

/// Why `text` is not what the form of this name is, and what to write.
pub(crate) fn explain(name: &str, text: &str) -> Option<Misspelling> {
    form(name).map(|(_, explain)| explain(text))
}

/// Whether a number or a word such as `no`, put in quotes, could be of this form.
pub(crate) fn may_be_quoted(form: &str) -> bool {
    !matches!(form, "Address" | "Date" | "DomainName" | "Limit" | "Rate" | "Suspended")
}

fn domain(text: &str) -> Misspelling {
    let found = DomainName::explain(text);
    let lower = text.trim().to_lowercase();
    let bare = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let bare = bare.trim_start_matches('@').trim_end_matches(['.', '/']);
    let is_meant = text.len() <= 300 && DomainName::is_valid(bare);
    Misspelling { remedy: if is_meant { Remedy::Write(bare.to_owned()) } else { found.remedy }, ..found }
}

/// A login that is not there must not be made up.
fn owner(text: &str) -> Misspelling {
    let help = "write a login such as alice, or a team such as '@ispcustomer/noc'";
    Misspelling { remedy: Remedy::Help(help.to_owned()), ..Owner::explain(text) }
}

fn suspended(text: &str) -> Misspelling {
    Misspelling::with_help(
        format!("{} is neither `omit` nor the name of a plan", quoted(text)),
        "write `omit` to leave suspended subscribers out, or the name of the plan that they get",
    )
}

fn endpoint(text: &str) -> Misspelling {
    let help = "write a URL such as https://s3.ispcustomer.co.zw, without a password";
    Misspelling { remedy: Remedy::Help(help.to_owned()), ..Endpoint::explain(text) }
}

fn template(text: &str) -> Misspelling {
    let message = format!("{} is neither the built-in template nor the path of one", quoted(text));
    let path = format!("templates/{text}");
    match TemplateName::is_valid(&path) {
        true => Misspelling::of(message, path),
        false => Misspelling::with_help(
            message,
            "write `shaper`, or the path of a file in templates/ whose name ends in .j2, such as templates/acme.j2",
        ),
    }
}

fn limit(text: &str) -> Misspelling {
    let message = format!("{} is neither a percentage nor a count", quoted(text));
    let joined: String = text.chars().filter(|c| !c.is_whitespace()).take(10).collect();
    let percent = joined.strip_suffix('%').and_then(|digits| digits.parse::<u8>().ok());
    match percent {
        Some(percent) if percent <= 100 => Misspelling::of(message, format!("{percent}%")),
        Some(_) => Misspelling::with_help(format!("{} is more than 100%", quoted(text)), "write at most 100%"),
        None => {
            Misspelling::with_help(message, "write a percentage from 0% to 100% such as 30%, or a count such as 500")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FORMS: [&str; 7] = ["Address", "Date", "DomainName", "PlanName", "Rate", "SubscriberId", "TargetUrl"];

    #[test]
    fn a_comma_that_may_separate_thousands_has_no_single_meaning() {
        for text in ["1,000 Mbps", "2,048kbps", "10,000M", "100,500 Gbit/s"] {
            assert!(matches!(Rate::explain(text).remedy, Remedy::Help(_)), "{text}");
        }
        for (text, meant) in [("7,5M", "7.5 Mbps"), ("0,512 Mbps", "0.512 Mbps"), ("1,000,000k", "1000000 kbps")] {
            assert_eq!(Rate::explain(text).remedy, Remedy::Write(meant.to_owned()), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_proposed_can_be_written(
            text in prop_oneof![
                r"[0-9]{1,4}([-.,:/ *%'][0-9]{0,4}){0,5} ?(bps|kbps|Mbit/s|MB|Gbps|[a-z])?",
                r"(file|sftp|s3|http)?(://)?[a-zA-Z0-9@:/. -]{0,20}",
                any::<String>(),
            ],
        ) {
            for form in FORMS.into_iter().filter(|form| !is_form(form, &text)) {
                if let Some(Misspelling { remedy: Remedy::Write(meant), .. }) = explain(form, &text) {
                    prop_assert!(is_form(form, &meant), "{form}: {text:?} -> {meant:?}");
                }
            }
        }
    }
}
