//! Records → YAML text, by serde. The opposite of [`super::de`].

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Node, NodeKind, ScalarType, de, read_full};
use crate::source::Span;

/// Writes a record as a block of YAML, with a line break at the end.
///
/// serde_yaml writes YAML 1.2; values that older tools read as something other than text get quotes
/// here. The written text is read back and compared.
///
/// # Errors If the written text does not read back as the same record.
pub(crate) fn to_text<T: Serialize + DeserializeOwned + PartialEq>(record: &T) -> anyhow::Result<String> {
    let text = quote_ambiguous(serde_yaml::to_string(record)?);
    let reading = read_full(&text);
    let root = reading.document.as_ref().and_then(|document| document.root(&text));
    let again = root.filter(|_| reading.problems.is_empty()).and_then(|root| de::from_node::<T>(root).ok());
    anyhow::ensure!(
        again.as_ref() == Some(record),
        "this record changes when it is written as YAML and read back:\n{text}"
    );
    Ok(text)
}

fn quote_ambiguous(mut text: String) -> String {
    let mut spans = Vec::new();
    if let Some(root) = read_full(&text).document.as_ref().and_then(|document| document.root(&text)) {
        ambiguous(root, &mut spans);
    }
    // From the end, so that earlier spans stay valid.
    for span in spans.into_iter().rev() {
        text.insert(span.end as usize, '\'');
        text.insert(span.start as usize, '\'');
    }
    text
}

/// Plain scalars that are text, a whole number or a boolean to some tools, and not to others, in the
/// order of the text. No record has a field of such a type.
fn ambiguous(node: Node<'_>, spans: &mut Vec<Span>) {
    match node.kind() {
        NodeKind::Scalar(_) => {
            if matches!(node.scalar_type(), ScalarType::OldBool | ScalarType::OtherNumber) {
                spans.push(node.span());
            }
        }
        NodeKind::Sequence => node.items().for_each(|item| ambiguous(item, spans)),
        NodeKind::Mapping => {
            for (key, value) in node.entries() {
                ambiguous(key, spans);
                ambiguous(value, spans);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::to_text;
    use crate::model::{Addresses, Name, Plan, Subscriber, SubscriberStatus};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_as_it_was(
            name in prop_oneof![
                "[ -~äß€]{1,40}".boxed(),
                prop::sample::select(vec!["no", "on", "0x1F", "1:30", "1_000", "~", "null", "- a", "a: b", "# c", "1e3", "y", "=", "<<", "''", " a", "a ", "0777", "2026-12-01", ".5", "+1", "%a", "@a", "`a", "off"]).prop_map(str::to_owned).boxed(),
            ],
            suspended in any::<bool>(),
        ) {
            prop_assume!(crate::model::Text::is_valid(&name));
            let subscriber = Subscriber {
                ip: Addresses::One("10.10.10.25".parse().unwrap()),
                domain: Name::new("ispcustomer.co.zw"),
                plan: Name::new("30_MEG_UP_30_MEG_DOWN"),
                id: None,
                name: name.parse().ok(),
                status: if suspended { SubscriberStatus::Suspended } else { SubscriberStatus::Active },
                starts: "2026-12-01".parse().ok(),
                ends: None,
                labels: Some(Box::new(serde_json::from_value(serde_json::json!({ "no": name, "1.5": "on" })).unwrap())),
            };
            prop_assert!(to_text(&subscriber).is_ok(), "{:?}", to_text(&subscriber));
        }
    }

    #[test]
    fn rates_are_written_as_people_write_them() {
        let plan: Plan = Plan {
            name: "GOLD".parse().unwrap(),
            up: "7.5 Mbps".parse().unwrap(),
            down: "1 Gbps".parse().unwrap(),
            status: Default::default(),
            attribute: None,
            description: None,
        };
        assert_eq!(to_text(&plan).unwrap(), "name: GOLD\nup: 7.5 Mbps\ndown: 1 Gbps\n");
    }
}
