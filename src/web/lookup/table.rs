//! Every address of the API, in one table.

use axum::http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::question::{Answer, Question};
use super::{actions, addresses, catalogue, copy, health, subscribers, who};
use crate::web::server::parameters::{Parameter, Values};
use crate::web::server::problem::Problem;

/// An address of the API.
pub(crate) struct Route {
    /// The path, as OpenAPI writes it.
    pub(crate) path: &'static str,
    /// What is done, in a few words.
    pub(crate) summary: &'static str,
    /// Who may ask.
    pub(crate) audience: Audience,
    /// The value at the end of the path, if there is one: what it means.
    pub(crate) tail: Option<&'static str>,
    /// The parameters in the query string.
    pub(crate) parameters: &'static [Parameter],
    /// The statuses other than 200 and those that every address has.
    pub(crate) failures: &'static [u16],
    /// What answers.
    pub(crate) work: Work,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Everyone: the answer has nothing of the data.
    Public,
    /// Clients; they see their domains alone.
    Clients,
    /// Clients that may see all domains.
    AllDomains,
    /// Clients that may read the logs; with a token, also make copies.
    Operators,
    /// Who signs the request.
    Signed,
}

/// What answers a request.
pub(crate) enum Work {
    /// A function that is done at once.
    Quick(Handler, Content),
    /// A function that looks at all data, on a thread where no request waits for it.
    Slow(Handler, Content),
    /// The OpenAPI document, which is made from this table.
    Document,
    /// The webhook.
    Hook,
    /// Makes a copy; answers with JSON of this schema.
    Copy(fn(&mut SchemaGenerator) -> Schema),
}

/// Answers a question.
pub(crate) type Handler = fn(&Question<'_>) -> Result<Answer, Problem>;

/// What an answer is.
#[derive(Clone, Copy)]
pub(crate) enum Content {
    /// JSON of this schema; depends on the data, the domains and the address alone, so it has an `ETag`.
    Data(fn(&mut SchemaGenerator) -> Schema),
    /// JSON of this schema, different each time.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// Plain text.
    Text,
}

impl Route {
    /// Whether it is about the server, not about the data.
    pub(super) fn is_of_server(&self) -> bool {
        ["/healthz", "/readyz", "/metrics", "/hooks/git"].contains(&self.path)
    }

    /// The method.
    pub(crate) fn method(&self) -> Method {
        match self.work {
            Work::Hook | Work::Copy(_) => Method::POST,
            Work::Quick(..) | Work::Slow(..) | Work::Document => Method::GET,
        }
    }

    /// The path as the router wants it: a value at the end may have slashes.
    pub(crate) fn pattern(&self) -> String {
        if self.tail.is_some() { format!("{}{{*value}}", self.fixed()) } else { self.path.to_owned() }
    }

    /// The path without the value at its end.
    pub(crate) fn fixed(&self) -> &'static str {
        self.path.split('{').next().unwrap_or(self.path)
    }
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const fn text(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, about, values: Values::Text, required: false }
}

/// Every address.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "/lookup",
        summary: "The key of a subscriber; without `user_id`, which replica answers.",
        audience: Audience::Clients,
        tail: None,
        parameters: &[text("user_id", "The id of a subscriber, or its address@domain.")],
        failures: &[400],
        work: Work::Quick(who::lookup, Content::Json(of::<who::LookupAnswer<'static>>)),
    },
    Route {
        path: "/v1/subscribers",
        summary: "Subscribers that match, by address, in pages of 50.",
        audience: Audience::Clients,
        tail: None,
        parameters: &[
            text("domain", "Of this domain."),
            text("plan", "With this plan."),
            Parameter {
                name: "status",
                about: "With this status; `served` and `unserved` are as of today (UTC).",
                values: Values::OneOf(subscribers::STATUSES),
                required: false,
            },
            text(
                "q",
                "With this text in the id, name, addresses, domain, plan or labels. An address also finds the \
                 prefixes that hold it, a prefix also what lies in it.",
            ),
            Parameter { name: "page", about: "The page, from 1.", values: Values::Page, required: false },
        ],
        failures: &[400],
        work: Work::Slow(subscribers::page, Content::Data(of::<subscribers::PageAnswer<'static>>)),
    },
    Route {
        path: "/v1/subscribers/{id}",
        summary: "One subscriber.",
        audience: Audience::Clients,
        tail: Some("Its id, or its address@domain."),
        parameters: &[],
        failures: &[400, 404],
        work: Work::Quick(subscribers::one, Content::Data(of::<subscribers::SubscriberAnswer<'static>>)),
    },
    Route {
        path: "/v1/addresses/{ip}",
        summary: "Who holds an address or a prefix: the subscriber with the longest prefix around it.",
        audience: Audience::Clients,
        tail: Some("An address, or a prefix such as 10.10.10.0/29."),
        parameters: &[],
        failures: &[400, 404],
        work: Work::Quick(addresses::holder, Content::Data(of::<addresses::AddressAnswer<'static>>)),
    },
    Route {
        path: "/v1/plans",
        summary: "Plans with their rates and how many subscribers have them.",
        audience: Audience::Clients,
        tail: None,
        parameters: &[],
        failures: &[400],
        work: Work::Slow(catalogue::plans, Content::Data(of::<catalogue::PlansAnswer>)),
    },
    Route {
        path: "/v1/domains",
        summary: "Domains with their subscribers, used and free addresses, committed rates.",
        audience: Audience::Clients,
        tail: None,
        parameters: &[],
        failures: &[400],
        work: Work::Slow(catalogue::domains, Content::Data(of::<catalogue::DomainsAnswer>)),
    },
    Route {
        path: "/v1/free",
        summary: "The free addresses of a domain, as ranges.",
        audience: Audience::Clients,
        tail: None,
        parameters: &[Parameter { name: "domain", about: "The domain.", values: Values::Text, required: true }],
        failures: &[400],
        work: Work::Slow(addresses::free, Content::Data(of::<addresses::FreeAnswer<'static>>)),
    },
    Route {
        path: "/v1/openapi.json",
        summary: "This document.",
        audience: Audience::Public,
        tail: None,
        parameters: &[],
        failures: &[400],
        work: Work::Document,
    },
    Route {
        path: "/healthz",
        summary: "Whether the process lives.",
        audience: Audience::Public,
        tail: None,
        parameters: &[],
        failures: &[400],
        work: Work::Quick(health::healthz, Content::Text),
    },
    Route {
        path: "/readyz",
        summary: "Whether the replica is ready, which commit it serves, and which it refused.",
        audience: Audience::Public,
        tail: None,
        parameters: &[],
        failures: &[400, 503],
        work: Work::Quick(health::readyz, Content::Json(of::<health::ReadyAnswer<'static>>)),
    },
    Route {
        path: "/metrics",
        summary: "Counters in the text format of Prometheus.",
        audience: Audience::AllDomains,
        tail: None,
        parameters: &[],
        failures: &[400],
        work: Work::Quick(health::metrics, Content::Text),
    },
    Route {
        path: "/hooks/git",
        summary: "A forge says that the branch moved: GitHub, Gitea, Forgejo, GitLab.",
        audience: Audience::Signed,
        tail: None,
        parameters: &[],
        failures: &[401, 404, 413],
        work: Work::Hook,
    },
    Route {
        path: "/log",
        summary: "The action log of each target, and of the backup folder.",
        audience: Audience::Operators,
        tail: None,
        parameters: PERIOD,
        failures: &[400],
        work: Work::Slow(actions::log, Content::Json(of::<actions::LogAnswer>)),
    },
    Route {
        path: "/stat",
        summary: "How often what was done: attempted, successful, failed.",
        audience: Audience::Operators,
        tail: None,
        parameters: PERIOD,
        failures: &[400],
        work: Work::Slow(actions::stat, Content::Json(of::<actions::StatAnswer>)),
    },
    Route {
        path: "/backup",
        summary: "Copies a file or a folder on the server's host to the backup folder.",
        audience: Audience::Operators,
        tail: None,
        parameters: &[],
        failures: &[400, 404, 413, 422],
        work: Work::Copy(of::<copy::CopyAnswer>),
    },
];

/// The part of a log.
const PERIOD: &[Parameter] = &[
    text("startdate", "Since this day or moment (UTC), such as 2026-11-01 or 2026-11-01T12:00:00Z."),
    text("enddate", "Up to and including this day or moment (UTC)."),
];
