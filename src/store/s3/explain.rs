//! What an S3 service or the way to it answered, in words that say what to do.

use anyhow::{Result, anyhow};
use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use super::connect::S3Service;

/// What a failed request came to.
#[derive(Debug)]
pub(super) struct S3Failure {
    /// The HTTP status, if the service answered.
    pub status: Option<u16>,
    /// The service's own word for it, such as `NoSuchBucket`.
    code: String,
    message: String,
    /// The kind of what happened on the way, if it did not answer.
    transport: Option<HttpErrorKind>,
    /// Everything said, for what is not known here.
    text: String,
}

impl S3Failure {
    pub fn new(error: &Error) -> Self {
        let text = error.to_string();
        let part = |tag: &str| {
            let (_, rest) = text.split_once(&format!("<{tag}>"))?;
            Some(rest.split_once(&format!("</{tag}>"))?.0.to_owned())
        };
        // The library keeps its own type for this to itself.
        let status = text.split_once("non-2xx status code: ").and_then(|(_, rest)| rest.get(..3)?.parse().ok());
        let (transport, deepest) = transport(error);
        Self {
            status,
            code: part("Code").unwrap_or_default(),
            message: part("Message").unwrap_or_default(),
            transport,
            text: deepest.unwrap_or(text),
        }
    }

    /// Whether the service refused a write because of its condition.
    pub fn is_refusal(&self, error: &Error) -> bool {
        let refused =
            matches!(error, Error::Precondition { .. } | Error::AlreadyExists { .. } | Error::NotModified { .. });
        refused && self.code != "NoSuchBucket"
    }

    /// Whether the file is not there. That the bucket is not is another matter.
    pub fn is_absence(&self, error: &Error) -> bool {
        matches!(error, Error::NotFound { .. }) && self.code != "NoSuchBucket"
    }

    /// Whether it may have been done all the same.
    pub fn is_open(&self) -> bool {
        self.transport.is_some() || self.status.is_some_and(|status| status >= 500)
    }

    /// In words, without a secret.
    pub fn explain(&self, service: &S3Service) -> anyhow::Error {
        let reason = self.on_the_way(service).or_else(|| self.by_code(service)).or_else(|| self.by_status(service));
        anyhow!("{}", reason.unwrap_or_else(|| service.shown(&self.text)))
    }

    fn on_the_way(&self, service: &S3Service) -> Option<String> {
        let (kind, name, text) = (self.transport?, service.name(), service.shown(&self.text));
        Some(if self.text.contains("certificate") {
            format!(
                "the certificate of {name} is not trusted ({text}): let it have one that this system trusts, or add its issuer to the system's or, with SSL_CERT_FILE, to this program's"
            )
        } else if kind == HttpErrorKind::Decode {
            format!("the answer of {name} is refused ({text})")
        } else if kind == HttpErrorKind::Timeout {
            format!(
                "{name} does not answer ({text}): try again, and look at the network and at endpoint in shapeline.yaml"
            )
        } else {
            format!("no connection to {name} ({text}): look at the network and at endpoint in shapeline.yaml")
        })
    }

    fn by_code(&self, service: &S3Service) -> Option<String> {
        let bucket = &service.bucket;
        Some(match self.code.as_str() {
            "NoSuchBucket" => format!("there is no bucket {bucket}: make it, or correct the url in shapeline.yaml"),
            "InvalidAccessKeyId" | "NotSignedUp" => {
                format!("{} does not know the key in AWS_ACCESS_KEY_ID: correct it", service.name())
            }
            "SignatureDoesNotMatch" => {
                "the secret does not fit the key: correct AWS_SECRET_ACCESS_KEY or AWS_ACCESS_KEY_ID".to_owned()
            }
            "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => {
                "the session of these credentials is over: get new ones, with their AWS_SESSION_TOKEN".to_owned()
            }
            "RequestTimeTooSkewed" => "this host's clock is wrong: set it".to_owned(),
            "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "TemporaryRedirect"
            | "IllegalLocationConstraintException" => self.elsewhere(service),
            "NotImplemented" => format!(
                "{} lacks what is needed ({}): use one that honours conditional writes, or a target of another kind",
                service.name(),
                service.shown(&self.message)
            ),
            _ => return None,
        })
    }

    fn by_status(&self, service: &S3Service) -> Option<String> {
        // Without an error code: an answer to a question for the head only, or a redirect.
        if self.text.contains("redirect without LOCATION") {
            return Some(self.elsewhere(service));
        }
        Some(match self.status? {
            300..=399 => self.elsewhere(service),
            401 | 403 => format!(
                "access is denied{}: these credentials must be allowed s3:GetObject, s3:PutObject and s3:DeleteObject here, and s3:ListBucket on the bucket {}",
                self.said(service),
                service.bucket
            ),
            429 | 500.. => format!("{} is too busy or broken{}: try again", service.name(), self.said(service)),
            status => format!("{} answered with status {status}{}", service.name(), self.said(service)),
        })
    }

    fn elsewhere(&self, service: &S3Service) -> String {
        format!(
            "the bucket {} is not in the region {}{}: correct region in shapeline.yaml or AWS_REGION, and the endpoint if one is set",
            service.bucket,
            service.region,
            self.said(service)
        )
    }

    /// What the service said, in brackets.
    fn said(&self, service: &S3Service) -> String {
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => String::new(),
            (said, "") | ("", said) => format!(" ({})", service.shown(said)),
            (code, message) => format!(" ({}: {})", service.shown(code), service.shown(message)),
        }
    }
}

/// The kind of failure on the way, and what caused it in the end.
fn transport(error: &Error) -> (Option<HttpErrorKind>, Option<String>) {
    let mut kind = None;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut deepest = None;
    while let Some(error) = cause {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            kind = Some(http.kind());
        }
        if kind.is_some() {
            deepest = Some(error.to_string());
        }
        cause = error.source();
    }
    (kind, deepest)
}

/// The result of a request, with a failure in words.
pub(super) fn explained<T>(result: object_store::Result<T>, service: &S3Service) -> Result<T> {
    result.map_err(|error| S3Failure::new(&error).explain(service))
}
