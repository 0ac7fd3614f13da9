//! A forge's published OpenAPI document: each request of the portal, and each answer of the tests' own forge, is
//! held against it.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::double::Kind;
use crate::support::left_out;

pub struct Document(Value);

impl Document {
    /// GitHub's own, and what is known of the others. `None` if it cannot be fetched.
    pub fn of(kind: Kind) -> Option<Arc<Document>> {
        static GITHUB: OnceLock<Option<Arc<Document>>> = OnceLock::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &str| {
            let text = std::fs::read_to_string(root.join(path)).unwrap();
            Arc::new(Document(serde_json::from_str(&text).unwrap()))
        };
        match kind {
            Kind::Gitea | Kind::Forgejo => Some(read("tests/fixtures/forge/gitea.json")),
            Kind::GitLab => Some(read("tests/fixtures/forge/gitlab.json")),
            Kind::GitHub => {
                let fetched = || {
                    let fetched = Command::new("sh").arg(root.join("scripts/fetch-npm")).arg("forge").status();
                    if !fetched.is_ok_and(|status| status.success()) {
                        left_out("@octokit/openapi could not be fetched: scripts/fetch-npm must work");
                        return None;
                    }
                    Some(read("target/forge/node_modules/@octokit/openapi/generated/api.github.com.json"))
                };
                GITHUB.get_or_init(fetched).clone()
            }
        }
    }

    fn resolved<'d>(&'d self, value: &'d Value) -> &'d Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.resolved(self.0.pointer(reference.strip_prefix('#').unwrap()).unwrap()),
            None => value,
        }
    }

    /// The operation of a path as sent, and the values of the parts of the path.
    fn operation(&self, method: &str, path: &str) -> (&Value, Vec<(String, String)>) {
        let parts: Vec<String> = path.split('/').map(decoded).collect();
        let mut found = Vec::new();
        for (template, operations) in self.0["paths"].as_object().unwrap() {
            let names: Vec<&str> = template.split('/').collect();
            if names.len() != parts.len() {
                continue;
            }
            let mut values = Vec::new();
            let fits = names.iter().zip(&parts).all(|(name, part)| match name.strip_prefix('{') {
                Some(name) => {
                    values.push((name.trim_end_matches('}').to_owned(), part.clone()));
                    true
                }
                None => name == part,
            });
            if let (true, Some(operation)) = (fits, operations.get(method.to_lowercase())) {
                found.push((operation, values));
            }
        }
        // The one with the fewest variable parts.
        found.into_iter().min_by_key(|(_, values)| values.len()).unwrap_or_else(|| panic!("no {method} {path}"))
    }

    /// What is wrong with a request.
    pub fn mistakes(&self, method: &str, target: &str, body: &[u8]) -> Vec<String> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (operation, in_path) = self.operation(method, path);
        let mut mistakes = Vec::new();
        let none = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&none);
        let parameters: Vec<&Value> = parameters.iter().map(|parameter| self.resolved(parameter)).collect();
        let in_query = query.split('&').filter_map(|pair| pair.split_once('='));
        let in_query: Vec<(String, String)> = in_query.map(|(name, value)| (decoded(name), decoded(value))).collect();
        for (values, place) in [(&in_path, "path"), (&in_query, "query")] {
            for (name, value) in values {
                let known = parameters.iter().find(|one| one["name"] == name.as_str() && one["in"] == place);
                match known {
                    Some(known) if !fits(self.resolved(&known["schema"]), value) => {
                        mistakes.push(format!("{place} {name}={value}"));
                    }
                    None if place == "query" => mistakes.push(format!("there is no parameter {name}")),
                    _ => {}
                }
            }
            for one in parameters.iter().filter(|one| one["in"] == place && one["required"] == true) {
                if !values.iter().any(|(name, _)| one["name"] == name.as_str()) {
                    mistakes.push(format!("{} is missing", one["name"]));
                }
            }
        }
        match operation.pointer("/requestBody/content/application~1json/schema") {
            Some(schema) => {
                let schema = self.resolved(schema);
                let body: Value = serde_json::from_slice(body).unwrap();
                let validator = jsonschema::validator_for(schema).unwrap();
                mistakes.extend(validator.iter_errors(&body).map(|error| error.to_string()));
                let known = schema["properties"].as_object().unwrap();
                let unknown = body.as_object().unwrap().keys().filter(|key| !known.contains_key(*key));
                mistakes.extend(unknown.map(|key| format!("there is no field {key}")));
            }
            None if !body.is_empty() => mistakes.push("there is a body".to_owned()),
            None => {}
        }
        mistakes
    }

    /// The fields of an answer of which the document knows nothing.
    pub fn invented(&self, method: &str, target: &str, status: u16, answer: &Value) -> Vec<String> {
        let (operation, _) = self.operation(method, target.split('?').next().unwrap());
        let response = self.resolved(&operation["responses"][status.to_string()]);
        let mut unknown = Vec::new();
        if let Some(schema) = response.pointer("/content/application~1json/schema") {
            self.compare(schema, answer, "", &mut unknown);
        } else {
            unknown.push(format!("no answer {status}"));
        }
        unknown
    }

    fn compare(&self, schema: &Value, answer: &Value, at: &str, unknown: &mut Vec<String>) {
        let schema = self.resolved(schema);
        if let Some(parts) = ["allOf", "anyOf", "oneOf"].iter().find_map(|key| schema[*key].as_array()) {
            let tries = parts.iter().map(|part| {
                let mut unknown = Vec::new();
                self.compare(part, answer, at, &mut unknown);
                unknown
            });
            unknown.extend(tries.min_by_key(Vec::len).unwrap());
            return;
        }
        match answer {
            Value::Array(items) => items.iter().for_each(|item| self.compare(&schema["items"], item, at, unknown)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    match schema["properties"].get(name) {
                        Some(field) => self.compare(field, value, &format!("{at}/{name}"), unknown),
                        None => unknown.push(format!("{at}/{name}")),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether the text of a parameter is what its schema wants.
fn fits(schema: &Value, text: &str) -> bool {
    let value = match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().map_or(Value::Null, Value::from),
        _ => Value::from(text),
    };
    jsonschema::is_valid(schema, &value)
}

pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next().unwrap()).to_digit(16).unwrap() as u8;
        bytes.push(match byte {
            b'%' => digit() * 16 + digit(),
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}
