//! The pages: templates in the program, filled in with values that are escaped twice over: nothing of them is
//! markup, and nothing of them steers the browser's text.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, Output, State, Value};
use sha2::{Digest as _, Sha256};

use crate::text::characters::is_steering;
use crate::text::hex::hex;

/// What a page may load: its own style, script and images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Lets the forms of a page lead to these sites, too: browsers apply the policy to redirects.
pub(super) fn may_send_to(page: &mut Response, sites: &[String]) {
    let Some(policy) = page.headers().get(header::CONTENT_SECURITY_POLICY).and_then(|value| value.to_str().ok()) else {
        return;
    };
    let own = "form-action 'self'";
    let policy = policy.replacen(own, &format!("{own} {}", sites.join(" ")), 1);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Values for a template, by name.
macro_rules! values {
    (@ $name:ident) => { $name };
    (@ $name:ident $value:expr) => { $value };
    ($($name:ident $(=> $value:expr)?),* $(,)?) => {
        minijinja::context!($($name => minijinja::Value::from(minijinja::value::Serde(&values!(@ $name $($value)?)))),*)
    };
}
pub(super) use values;

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("templates/", $name)))),*]
    };
}

const TEMPLATES: [(&str, &str); 18] = templates![
    "account.html",
    "bar.html",
    "change.html",
    "draft.html",
    "error.html",
    "events.html",
    "findings.html",
    "form.html",
    "history.html",
    "layout.html",
    "list.html",
    "live.html",
    "request.html",
    "requests.html",
    "sign_in.html",
    "subscriber.html",
    "subscribers.html",
    "upload.html",
];

/// A file that pages load.
pub(crate) struct Asset {
    /// The name in its address, which changes with its content.
    pub(crate) path: String,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// The templates and the files beside them.
pub(crate) struct Pages {
    environment: Environment<'static>,
    assets: Vec<Asset>,
}

impl Pages {
    /// # Errors
    /// If a template is no template.
    pub(crate) fn new() -> Result<Pages, Error> {
        let mut environment = Environment::new();
        environment.set_formatter(escaped);
        environment.add_filter("coded", coded);
        // Not minijinja's: templates of the data would have it, too.
        environment
            .add_filter("in_query", |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>());
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        for (name, text) in TEMPLATES {
            environment.add_template(name, text)?;
        }
        let assets = vec![
            asset("portal", "css", "text/css; charset=utf-8", include_bytes!("assets/portal.css")),
            asset("htmx", "js", "text/javascript; charset=utf-8", include_bytes!("assets/htmx.min.js")),
            asset("icon", "svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
            asset("uplot", "js", "text/javascript; charset=utf-8", include_bytes!("assets/uplot.min.js")),
            asset("uplot", "css", "text/css; charset=utf-8", include_bytes!("assets/uplot.min.css")),
            asset("live", "js", "text/javascript; charset=utf-8", include_bytes!("assets/live.js")),
            asset("live", "css", "text/css; charset=utf-8", include_bytes!("assets/live.css")),
        ];
        for (name, asset) in ["style", "script", "icon"].into_iter().zip(&assets) {
            environment.add_global(name, Value::from(format!("/assets/{}", asset.path)));
        }
        Ok(Pages { environment, assets })
    }

    /// The addresses of what the live dashboard loads: charts, their style, its own script, its style.
    #[cfg(feature = "telemetry")]
    pub(super) fn live(&self) -> [String; 4] {
        [3, 4, 5, 6].map(|at| self.assets.get(at).map(|asset| format!("/assets/{}", asset.path)).unwrap_or_default())
    }

    /// The file with this name.
    pub(crate) fn asset(&self, path: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.path == path)
    }

    /// A page.
    ///
    /// # Errors
    /// If the template cannot be filled in, which is a fault.
    pub(crate) fn page(&self, status: StatusCode, template: &str, values: Value) -> Result<Response, Error> {
        let html = self.environment.get_template(template)?.render(values)?;
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        // With `no-referrer` a browser would send `Origin: null` with our own forms.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("cookie, hx-request"));
        Ok(response)
    }
}

fn asset(name: &str, ending: &str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    let digest = hex(Sha256::digest(bytes).get(..6).unwrap_or_default());
    Asset { path: format!("{name}-{digest}.{ending}"), content_type, bytes }
}

/// A message in which values stand in backquotes: they are shown as code.
fn coded(message: &str) -> Value {
    let part = |(at, part): (usize, &str)| {
        let part = minijinja::HtmlEscape(part).to_string();
        if at % 2 == 1 { format!("<code>{part}</code>") } else { part }
    };
    let message: String = message.chars().map(|c| if hides(c) { '\u{fffd}' } else { c }).collect();
    Value::from_safe_string(message.split('`').enumerate().map(part).collect())
}

/// Writes a value: characters that cannot be seen are replaced, then everything is escaped for HTML.
fn escaped(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if !matches!(state.auto_escape(), AutoEscape::Html) {
        return Err(Error::new(minijinja::ErrorKind::InvalidOperation, "only templates of pages are escaped"));
    }
    match value.as_str() {
        Some(text) if !value.is_safe() && text.chars().any(hides) => {
            let text: String = text.chars().map(|c| if hides(c) { '\u{fffd}' } else { c }).collect();
            minijinja::escape_formatter(out, state, &Value::from(text))
        }
        // A list or a map on a page would be a mistake of ours.
        None if matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Plain) => {
            Err(Error::new(minijinja::ErrorKind::InvalidOperation, "this value is no text"))
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

fn hides(c: char) -> bool {
    is_steering(c) && c != '\n'
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_markup_or_steers() {
        let pages = Pages::new().unwrap();
        let values = minijinja::context!(value => "<script>\u{202e}\"'&");
        let html =
            pages.environment.render_named_str("x.html", "<a title=\"{{ value }}\">{{ value }}</a>", values).unwrap();
        assert!(!html.contains("<script") && !html.contains('\u{202e}') && html.matches('"').count() == 2, "{html}");
        let coded = pages.environment.render_named_str(
            "x.html",
            "{{ value | coded }}",
            minijinja::context!(value => "a `<b>` c\u{202e}"),
        );
        assert_eq!(coded.unwrap(), "a <code>&lt;b&gt;</code> c\u{fffd}");
        assert!(pages.environment.render_named_str("x.html", "{{ [1] }}", minijinja::context!()).is_err());
    }

    #[test]
    fn no_template_has_scripts_or_styles_of_its_own() {
        for (name, text) in TEMPLATES {
            let lower = text.to_lowercase();
            for bad in
                [" style=", "<style", "javascript:", " onclick", " onload", " onchange", "|safe", "http://", "https://"]
            {
                assert!(!lower.contains(bad), "{name}: {bad}");
            }
            assert!(name.ends_with(".html"), "{name}: only these are escaped");
        }
    }
}
