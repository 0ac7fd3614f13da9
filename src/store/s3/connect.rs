//! The way to an S3 service: where it is, and who we are.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};
use object_store::ClientOptions;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, S3ConditionalPut};
use reqwest::Url;

use super::http::{Connector, HttpPatience};
use crate::model::Access;
use crate::text::quote::harmless;
use crate::text::quote::quoted;
use crate::text::redact::{environment, redact_with};

/// What a bucket is reached with beside its settings: the variables of the environment, and time.
pub struct Surroundings {
    /// Variables: `AWS_ACCESS_KEY_ID` and so on.
    pub environment: BTreeMap<String, String>,
    /// How long is waited.
    pub patience: HttpPatience,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self { environment: environment(), patience: HttpPatience::default() }
    }

    /// A variable. One that is set to nothing is not set: so a missing secret looks in a workflow.
    fn get(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Where a service is. Without `Debug`, for the sake of the secrets.
pub(super) struct S3Service {
    /// As the library takes it; nothing for AWS itself.
    pub endpoint: Option<String>,
    pub bucket: String,
    pub region: String,
    /// What must not be shown.
    environment: BTreeMap<String, String>,
}

impl S3Service {
    pub fn new(access: &Access<'_>, around: &Surroundings) -> Result<Self> {
        let endpoint = match access.endpoint {
            Some(endpoint) => Some(("endpoint in shapeline.yaml", endpoint.as_str())),
            None => ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
                .iter()
                .find_map(|name| around.get(name).map(|value| (*name, value))),
        };
        let endpoint = endpoint.map(|(name, text)| endpoint_url(name, text)).transpose()?;
        let region = access.region.map(|region| region.as_str());
        let region = region.or_else(|| around.get("AWS_REGION")).or_else(|| around.get("AWS_DEFAULT_REGION"));
        let region = region.unwrap_or("us-east-1");
        if region.is_empty() || !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            bail!("{} is no region of an S3 service: correct region in shapeline.yaml, or AWS_REGION", quoted(region));
        }
        Ok(Self {
            endpoint,
            bucket: access.url.authority().to_owned(),
            region: region.to_owned(),
            environment: around.environment.clone(),
        })
    }

    /// For people.
    pub fn name(&self) -> &str {
        self.endpoint.as_deref().unwrap_or("AWS")
    }

    /// What others said, as it may be shown: secrets first, as half of one would not be found.
    pub fn shown(&self, text: &str) -> String {
        harmless(&redact_with(text, &self.environment), 300)
    }
}

/// The URL of a service in the form that the library can take: it would panic over others.
fn endpoint_url(name: &str, text: &str) -> Result<String> {
    let expected = format!("{name} is not what it has to be: write it as https://s3.ispcustomer.co.zw");
    let url = Url::parse(text.trim()).map_err(|_| anyhow!("{expected}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        bail!("{name} has a user or a password: remove it; keys come from AWS_ACCESS_KEY_ID and the like");
    }
    let plain = |text: &str, also: &[u8]| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte));
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty() && plain(host, b".-_[]:"))
        && plain(url.path(), b"/.-_~")
        && url.query().is_none()
        && url.fragment().is_none();
    if !is_plain {
        bail!("{expected}");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The largest file of a token that is read.
const MOST_TOKEN: u64 = 1 << 20;

/// What the library may take from the environment. Not all that it would: a variable must not turn
/// off certificates, signatures or conditions.
const PASSED_ON: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_SSE_BUCKET_KEY_ENABLED",
    "AWS_REQUEST_PAYER",
];

/// Those of them that are addresses of services.
const ADDRESSES: &[&str] = &["AWS_ENDPOINT_URL_STS", "AWS_METADATA_ENDPOINT", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];

/// The library's client of the bucket.
pub(super) fn connect(service: &S3Service, around: &Surroundings) -> Result<AmazonS3> {
    look_at_credentials(around)?;
    let is_http = service.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
    let patience = around.patience;
    let options = ClientOptions::new().with_allow_http(is_http).with_connect_timeout(patience.connect);
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&service.bucket)
        .with_region(&service.region)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_virtual_hosted_style_request(false)
        // One key at a time is all that is asked, and not every service knows the other way.
        .with_disable_bulk_delete(true)
        .with_retry(patience.retries())
        .with_http_connector(Connector::new(patience, &options))
        .with_client_options(options);
    if let Some(endpoint) = &service.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let plain = PASSED_ON.iter().filter_map(|name| Some((*name, around.get(name)?.to_owned())));
    let mut passed: Vec<_> = plain.collect();
    for name in ADDRESSES {
        if let Some(text) = around.get(name) {
            passed.push((name, endpoint_url(name, text)?));
        }
    }
    for (name, value) in passed {
        let key: AmazonS3ConfigKey = name.to_ascii_lowercase().parse().with_context(|| format!("cannot use {name}"))?;
        builder = builder.with_config(key, value);
    }
    builder.build().with_context(|| format!("cannot prepare for the bucket {}", service.bucket))
}

pub(super) const NO_CREDENTIALS: &str = "there are no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
     or run where a role gives them";

/// Says what is missing before the library looks elsewhere for it.
fn look_at_credentials(around: &Surroundings) -> Result<()> {
    let is_set = |name| around.get(name).is_some();
    match (is_set("AWS_ACCESS_KEY_ID"), is_set("AWS_SECRET_ACCESS_KEY")) {
        (true, false) => bail!("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not: set both"),
        (false, true) => bail!("AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not: set both"),
        (true, true) => return Ok(()),
        (false, false) => {}
    }
    for name in ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
        let Some(path) = around.get(name) else { continue };
        // The library reads it whole, and would wait for a pipe.
        let token = crate::disk::open::read(std::path::Path::new(path), MOST_TOKEN);
        let token = token.with_context(|| format!("cannot read {}, the file of {name}", harmless(path, 200)))?;
        token.with_context(|| format!("there is no file {}, which {name} names", harmless(path, 200)))?;
    }
    let has_identity = is_set("AWS_WEB_IDENTITY_TOKEN_FILE") && is_set("AWS_ROLE_ARN");
    let container = around.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    if container.is_some_and(|path| !path.starts_with('/') || path.parse::<reqwest::header::HeaderValue>().is_err()) {
        bail!("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path: it must begin with /");
    }
    let has_container = container.is_some()
        || is_set("AWS_CONTAINER_CREDENTIALS_FULL_URI") && is_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    let no_instance = around.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if no_instance && !has_identity && !has_container {
        bail!("{NO_CREDENTIALS}");
    }
    Ok(())
}

/// Whether these can be sent. Those that cannot would make the library panic: a line end at the
/// end of a secret is quickly pasted.
pub(super) fn check_sendable(credential: &AwsCredential) -> Result<()> {
    let sendable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let token = credential.token.as_deref().unwrap_or_default();
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", credential.key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", credential.secret_key.as_str()),
        ("AWS_SESSION_TOKEN", token),
    ] {
        if !sendable(value) {
            bail!("{name} holds a blank, a line end or another character that cannot be in one: set it anew");
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_plain_url() {
        for (text, url) in [
            ("https://s3.ispcustomer.co.zw", "https://s3.ispcustomer.co.zw"),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
            ("https://[2001:db8::1]:9000/s3", "https://[2001:db8::1]:9000/s3"),
            (" https://S3.ispcustomer.co.zw\n", "https://s3.ispcustomer.co.zw"),
        ] {
            assert_eq!(endpoint_url("x", text).unwrap(), url, "{text}");
        }
        for text in ["", "s3.ispcustomer.co.zw", "ftp://a", "https://", "https://a/?b", "https://a/#b", "https://a/b|c"]
        {
            let error = endpoint_url("AWS_ENDPOINT_URL", text).unwrap_err().to_string();
            assert!(error.contains("AWS_ENDPOINT_URL"), "{text}: {error}");
        }
        let error = endpoint_url("x", "https://user:hunter2@a").unwrap_err().to_string();
        assert!(error.contains("password") && !error.contains("hunter2"), "{error}");
    }
}
