//! The cookie of a browser, and what proves that a form was sent by one of our pages.

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};

use crate::text::hex::hex;

/// The length of the secret in a cookie: 32 bytes in hexadecimal digits.
const SECRET_LENGTH: usize = 64;

/// The name of the cookie. The prefix has browsers refuse one that a neighbouring host sets.
fn name(secure: bool) -> &'static str {
    if secure { "__Host-shapeline" } else { "shapeline" }
}

/// The secret in the cookie of a request.
pub(crate) fn secret(headers: &HeaderMap, secure: bool) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(known, _)| *known == name(secure))?;
    let plain = value.len() == SECRET_LENGTH && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| value.to_owned())
}

/// The header that sets the cookie; an empty secret removes it.
pub(crate) fn cookie(secret: &str, secure: bool) -> Option<HeaderValue> {
    let (name, secure) = (name(secure), if secure { "; Secure" } else { "" });
    let age = if secret.is_empty() { "; Max-Age=0" } else { "" };
    HeaderValue::from_str(&format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")).ok()
}

/// What the forms of a browser carry: only a page of this site knows it.
pub(crate) fn form_token(secret: &str) -> String {
    hex(&Sha256::digest(format!("shapeline form {secret}")))
}

/// Whether a form comes from a page of this site, as its token and the browser say.
pub(crate) fn is_own_form(headers: &HeaderMap, secret: Option<&str>, token: &str) -> bool {
    let elsewhere = |site: &HeaderValue| !["same-origin", "none"].iter().any(|own| site.as_bytes() == own.as_bytes());
    let Some(secret) = secret else { return false };
    // Digests of both are compared: the time says nothing of the token.
    let same = Sha256::digest(form_token(secret)) == Sha256::digest(token);
    same && !headers.get_all("sec-fetch-site").iter().any(elsewhere)
}

/// Where to go after signing in: a path of this site, or the first page.
pub(crate) fn path_here(wanted: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let here = wanted.starts_with('/') && !wanted.starts_with("//") && wanted.bytes().all(plain);
    if here && wanted.len() <= 2000 { wanted } else { "/" }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_cookie_is_read_as_it_was_set() {
        let mine = "0a".repeat(32);
        for secure in [false, true] {
            let set = cookie(&mine, secure).unwrap();
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            let sent = headers(&[("cookie", &format!("a=b; {pair}; shapeline2=x"))]);
            assert_eq!(secret(&sent, secure), Some(mine.clone()));
            assert_eq!(secret(&sent, !secure), None, "a cookie for http is none for https");
            assert!(set.to_str().unwrap().contains("HttpOnly; SameSite=Lax"));
            assert_eq!(set.to_str().unwrap().ends_with("; Secure"), secure);
        }
        for bad in ["shapeline=", "shapeline=short", &format!("shapeline={}", "x".repeat(64)), "shapeline"] {
            assert_eq!(secret(&headers(&[("cookie", bad)]), false), None, "{bad}");
        }
    }

    #[test]
    fn a_form_of_another_site_is_refused() {
        let (mine, other) = ("1".repeat(64), "2".repeat(64));
        let token = form_token(&mine);
        assert!(is_own_form(&headers(&[]), Some(&mine), &token));
        assert!(is_own_form(&headers(&[("sec-fetch-site", "same-origin")]), Some(&mine), &token));
        assert!(!is_own_form(&headers(&[("sec-fetch-site", "cross-site")]), Some(&mine), &token));
        assert!(!is_own_form(&headers(&[("sec-fetch-site", "same-site")]), Some(&mine), &token));
        assert!(!is_own_form(&headers(&[]), Some(&other), &token));
        assert!(!is_own_form(&headers(&[]), None, &token) && !is_own_form(&headers(&[]), Some(&mine), ""));
    }

    #[test]
    fn nobody_is_led_to_another_site() {
        for path in ["/", "/subscribers?q=a%20b&page=2", "/draft"] {
            assert_eq!(path_here(path), path);
        }
        for bad in
            ["", "//attacker.example", "/\\attacker.example", "https://attacker.example", "/a\r\nb", "/\t/x", "draft"]
        {
            assert_eq!(path_here(bad), "/", "{bad:?}");
        }
    }
}
