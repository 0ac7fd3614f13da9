//! The OpenAPI 3.1 document, from the table of routes and the types of the answers.

use std::sync::OnceLock;

use axum::http::{Method, StatusCode};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::copy::CopyRequest;
use super::question::Answer;
use super::table::{Audience, Content, ROUTES, Route, Work};
use crate::web::server::parameters::{Parameter, Values};
use crate::web::server::problem::ProblemBody;

/// Answers with the document, which is made once.
pub(super) fn answer() -> Answer {
    static DOCUMENT: OnceLock<Vec<u8>> = OnceLock::new();
    let body = DOCUMENT.get_or_init(|| format!("{:#}\n", document()).into_bytes());
    Answer { status: StatusCode::OK, content_type: "application/json", body: body.clone() }
}

/// The document.
pub(super) fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<ProblemBody>().to_value();
    let mut paths = Map::new();
    for route in ROUTES {
        let operation = operation(route, &mut generator, &problem);
        paths.insert(route.path.to_owned(), json!({ route.method().as_str().to_lowercase(): operation }));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Shapeline lookup API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Subscribers, plans and domains of a data repository, as of the commit that is served.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "`shapeline token add`"}},
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator, problem: &Value) -> Value {
    let mut parameters: Vec<Value> = route.parameters.iter().map(parameter).collect();
    let name = route.path.split(['{', '}']).nth(1);
    parameters.extend(route.tail.zip(name).map(|(about, name)| {
        json!({"name": name, "in": "path", "required": true, "description": about, "schema": text_schema(1)})
    }));
    let mut operation = json!({
        "operationId": route.path.trim_matches(['/', '}']).replace(['/', '{', '.'], "_").replace("__", "_"),
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses(route, generator, problem),
    });
    let security = match route.audience {
        Audience::Operators if route.method() == Method::POST => json!([{"token": []}]),
        Audience::Clients | Audience::AllDomains | Audience::Operators => json!([{}, {"token": []}]),
        Audience::Public | Audience::Signed => json!([]),
    };
    operation["security"] = security;
    if matches!(route.work, Work::Hook) {
        operation["requestBody"] = json!({"content": {"application/json": {}}});
    }
    if matches!(route.work, Work::Copy(_)) {
        let schema = generator.subschema_for::<CopyRequest>().to_value();
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

fn responses(route: &Route, generator: &mut SchemaGenerator, problem: &Value) -> Value {
    let mut responses = Map::new();
    let mut add = |status: u16, content: Value| {
        let phrase = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let mut response = json!({"description": phrase.unwrap_or("Answer")});
        if !content.is_null() {
            response["content"] = content;
        }
        responses.insert(status.to_string(), response);
    };
    let json_of = |schema: Value| json!({"application/json": {"schema": schema}});
    let mut tagged = false;
    match &route.work {
        Work::Quick(_, content) | Work::Slow(_, content) => match content {
            Content::Data(schema) => {
                add(200, json_of(schema(generator).to_value()));
                add(304, Value::Null);
                tagged = true;
            }
            Content::Json(schema) => {
                let schema = json_of(schema(generator).to_value());
                if route.failures.contains(&503) {
                    add(503, schema.clone());
                }
                add(200, schema);
            }
            Content::Text => add(200, json!({"text/plain": {"schema": {"type": "string"}}})),
        },
        Work::Document => add(200, json_of(json!({"type": "object"}))),
        Work::Hook => add(202, json_of(json!({"type": "object"}))),
        Work::Copy(schema) => add(201, json_of(schema(generator).to_value())),
    }
    let own = route.failures.iter().copied().filter(|status| *status != 503);
    let gate: &[u16] = match route.audience {
        Audience::Clients => &[401],
        Audience::AllDomains | Audience::Operators => &[401, 403],
        Audience::Public | Audience::Signed => &[],
    };
    for status in own.chain(gate.iter().copied()).chain([408, 429, 500]) {
        add(status, json!({"application/problem+json": {"schema": problem}}));
    }
    if tagged {
        responses["200"]["headers"] = json!({"ETag": {"schema": {"type": "string"}}});
    }
    Value::Object(responses)
}

fn parameter(parameter: &Parameter) -> Value {
    let schema = match parameter.values {
        Values::Text => text_schema(0),
        Values::Page => json!({"type": "integer", "minimum": 1, "maximum": u32::MAX, "default": 1}),
        // An empty one counts as none, as forms send it.
        Values::OneOf(words) => {
            json!({"type": "string", "enum": ([&[""][..], words].concat())})
        }
    };
    let Parameter { name, about, required, .. } = parameter;
    json!({"name": name, "in": "query", "required": required, "description": about, "schema": schema})
}

fn text_schema(shortest: u32) -> Value {
    json!({"type": "string", "minLength": shortest, "maxLength": 256})
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_and_every_reference_leads_somewhere() {
        let document = document();
        assert_eq!(document["paths"].as_object().unwrap().len(), ROUTES.len());
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
        let operations =
            document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let mut ids: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ROUTES.len(), "{ids:?}");
    }

    /// The schemas are valid, and what is answered fits them.
    #[test]
    fn schemas_are_json_schema() {
        let document = document();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            assert!(jsonschema::meta::is_valid(schema), "{name}: {schema:#}");
        }
    }
}
