//! A forge's published API document, OpenAPI 3 or Swagger 2: each request of the portal, and each answer of the
//! tests' own forge, is held against it.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use super::double::Kind;
use crate::support::left_out;

pub struct Document(Value);

impl Document {
    /// `None` if it cannot be fetched. Of GitLab no package is known that has the document (looked into: npm
    /// `@gitbeaker/rest` and `@gitbeaker/core`, the crate `gitlab`, PyPI `python-gitlab`): what is used of it is in
    /// `tests/fixtures/forge/gitlab.json`.
    pub fn of(kind: Kind) -> Option<Arc<Document>> {
        static FETCHED: [OnceLock<Option<Arc<Document>>>; 3] = [const { OnceLock::new() }; 3];
        match kind {
            Kind::GitHub => FETCHED[0].get_or_init(|| {
                run("fetch-npm", "forge")?;
                Some(read("target/forge/node_modules/@octokit/openapi/generated/api.github.com.json"))
            }),
            Kind::Gitea => FETCHED[1].get_or_init(|| run("fetch-forge-document", "gitea").map(read)),
            Kind::Forgejo => FETCHED[2].get_or_init(|| run("fetch-forge-document", "forgejo").map(read)),
            Kind::GitLab => return Some(read("tests/fixtures/forge/gitlab.json")),
        }
        .clone()
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
        // In Swagger 2 the body is a parameter.
        let in_body = parameters.iter().find(|one| one["in"] == "body").map(|one| &one["schema"]);
        let in_query = query.split('&').filter_map(|pair| pair.split_once('='));
        let in_query: Vec<(String, String)> = in_query.map(|(name, value)| (decoded(name), decoded(value))).collect();
        for (values, place) in [(&in_path, "path"), (&in_query, "query")] {
            for (name, value) in values {
                let known = parameters.iter().find(|one| one["name"] == name.as_str() && one["in"] == place);
                match known {
                    Some(known) if !fits(self.resolved(known.get("schema").unwrap_or(known)), value) => {
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
        match operation.pointer("/requestBody/content/application~1json/schema").or(in_body) {
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

    /// The fields of an answer of which the document knows nothing, or another type.
    pub fn invented(&self, method: &str, target: &str, status: u16, answer: &Value) -> Vec<String> {
        let (operation, _) = self.operation(method, target.split('?').next().unwrap());
        let response = self.resolved(&operation["responses"][status.to_string()]);
        let mut unknown = Vec::new();
        if let Some(schema) = response.pointer("/content/application~1json/schema").or(response.get("schema")) {
            self.compare(schema, answer, "", &mut unknown);
        } else {
            unknown.push(format!("no answer {status}"));
        }
        unknown
    }

    /// Whether a value has the type of a schema. Swagger 2 does not say what may be null.
    fn is_of(&self, schema: &Value, value: &Value) -> bool {
        let may_be_null = schema["nullable"] == true || self.0.get("swagger").is_some();
        value.is_null() && may_be_null || jsonschema::is_valid(&json!({"type": schema["type"]}), value)
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
        if schema.get("type").is_some() && !self.is_of(schema, answer) {
            unknown.push(format!("{at}: {answer} is no {}", schema["type"]));
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

/// Runs a script with an argument, and gives the line that it prints; `None` if it fails.
fn run(script: &str, argument: &str) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(script);
    let output = Command::new("sh").arg(&script).arg(argument).output().unwrap();
    if !output.status.success() {
        left_out(&format!("the document cannot be fetched: {} {argument} must work: {output:?}", script.display()));
        return None;
    }
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// The document in a file of the source, or elsewhere.
fn read(path: impl AsRef<Path>) -> Arc<Document> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    Arc::new(Document(serde_json::from_str(&text).unwrap()))
}

/// Whether the text of a parameter is what its schema wants. In Swagger 2 the schema is part of the parameter.
fn fits(schema: &Value, text: &str) -> bool {
    let value = match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().map_or(Value::Null, Value::from),
        _ => Value::from(text),
    };
    let mut schema = schema.clone();
    let fields = schema.as_object_mut().unwrap();
    fields.retain(|name, _| !["name", "in", "required"].contains(&name.as_str()));
    jsonschema::is_valid(&schema, &value)
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

/// That each document says what is wrong: one in which nothing is found would let everything pass.
#[test]
fn a_mistake_is_found_in_each_document() {
    for (kind, _, repository, _) in Kind::ALL {
        let Some(document) = Document::of(kind) else { return };
        let (pulls, close, mut body) = match kind {
            Kind::GitLab => (
                format!("/projects/{}/merge_requests", repository.replace('/', "%2F")),
                "PUT",
                json!({"source_branch": "portal/a", "target_branch": "main", "title": "A"}),
            ),
            _ => (format!("/repos/{repository}/pulls"), "PATCH", json!({"head": "a", "base": "main", "title": "A"})),
        };
        let mistakes = |method, path: &str, body: &Value| document.mistakes(method, path, body.to_string().as_bytes());
        assert_eq!(mistakes("POST", &pulls, &body), [""; 0], "{kind:?}");
        body["bogus"] = json!(1);
        assert!(mistakes("POST", &pulls, &body).contains(&"there is no field bogus".to_owned()), "{kind:?}");
        body.as_object_mut().unwrap().remove("bogus");
        body["title"] = json!([1]);
        assert!(!mistakes("POST", &pulls, &body).is_empty(), "{kind:?}");
        assert!(!document.mistakes("GET", &format!("{pulls}?bogus=1"), b"").is_empty(), "{kind:?}");
        let closed = if kind == Kind::GitLab { json!({"state_event": "close"}) } else { json!({"state": "closed"}) };
        assert_eq!(mistakes(close, &format!("{pulls}/7"), &closed), [""; 0], "{kind:?}");
        assert!(!mistakes(close, &format!("{pulls}/x"), &closed).is_empty(), "{kind:?}");
        let invented = |answer: Value| document.invented("POST", &pulls, 201, &answer);
        assert_eq!(invented(json!({"id": 1, "bogus": 1})), ["/bogus"], "{kind:?}");
        // What is known of GitLab has no types.
        assert_eq!(invented(json!({"id": "x"})).is_empty(), kind == Kind::GitLab, "{kind:?}");
        assert!(!document.invented("POST", &pulls, 299, &json!({})).is_empty(), "{kind:?}");
    }
}
