//! Keeps secrets out of output and logs.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Shorter values are not secrets; replacing them would garble the text.
const MIN_SECRET: usize = 8;

/// Endings of the names of variables with secrets. Those in `_ID` and `_FILE` are not secret: they only
/// identify or locate one.
const SECRET_ENDS: &[&str] = &[
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "SECRET_KEY",
    "ACCESS_KEY",
    "API_KEY",
    "PRIVATE_KEY",
    "CREDENTIALS",
];

/// Endings that need no `_` before them: SSHPASS, PGPASSWORD.
const SECRET_TAILS: &[&str] = &["PASSWORD", "PASSWD", "PASS"];

/// Endings that need a `_`: PWD alone is a folder. Who knows the URL of a chat's webhook can post there.
const SECRET_WORDS: &[&str] = &["_PWD", "_PAT", "_NOTIFY_URL"];

/// `text` with `[NAME]` for the value of every environment variable with a secret: those whose names end
/// in `TOKEN`, `PASSWORD`, `SECRET_ACCESS_KEY` and the like.
///
/// Call it before the text is truncated or escaped: a part of a secret is not recognised.
pub(crate) fn redact(text: &str) -> String {
    redact_with(text, &environment())
}

/// The same with the variables of `environment`.
pub(crate) fn redact_with(text: &str, environment: &BTreeMap<String, String>) -> String {
    let secrets = secrets(environment);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((secret, name)) = secrets.iter().find(|(secret, _)| rest.starts_with(secret)) {
            out.push_str(&format!("[{name}]"));
            rest = &rest[secret.len()..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// The variables of this process that are UTF-8.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok())).collect()
}

/// Secrets and the names of their variables, the longest first, so that a secret that begins like another
/// is replaced as a whole. Each line of a key counts as well: output is often processed line by line.
fn secrets(environment: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    let secret = environment.iter().filter(|(name, _)| is_secret(name));
    let mut secrets: Vec<(&str, &str)> = secret
        .flat_map(|(name, value)| value.lines().chain([value.as_str()]).map(move |value| (value.trim(), name.as_str())))
        .filter(|(value, _)| value.chars().count() >= MIN_SECRET)
        .collect();
    secrets.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    secrets.dedup_by_key(|(value, _)| *value);
    secrets
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if SECRET_TAILS.iter().chain(SECRET_WORDS).any(|end| name.ends_with(end)) {
        return true;
    }
    SECRET_ENDS.iter().any(|end| name.strip_suffix(end).is_some_and(|start| start.is_empty() || start.ends_with('_')))
}

/// `text` with each password in a URL replaced by asterisks, as many as it has bytes: a message that
/// quotes the data must not pass the password on, and columns must stay as they are.
pub(crate) fn without_password(text: &str) -> Cow<'_, str> {
    map_logins(text, |_, login| {
        let (user, password) = login.split_once(':')?;
        Some(format!("{user}:{}", "*".repeat(password.len())))
    })
}

/// `text` with `***` for the login of every URL: `https://***@host/`. A user of ssh without a password
/// stays, since that is no secret.
pub(crate) fn without_logins(text: &str) -> Cow<'_, str> {
    map_logins(text, |scheme, login| (scheme != "ssh" || login.contains(':')).then(|| "***".to_owned()))
}

/// `text` with the login of every URL, which is what precedes the last `@` of the authority, replaced by
/// what `show` gives for the scheme and the login; `None` leaves it.
fn map_logins(text: &str, show: impl Fn(&str, &str) -> Option<String>) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let scheme = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).next();
        let end = after.find(|c: char| c == '/' || c == '"' || c.is_whitespace()).unwrap_or(after.len());
        let (authority, path) = after.split_at(end);
        let login = authority.rsplit_once('@');
        let shown = login.and_then(|(login, host)| Some((show(scheme.unwrap_or_default(), login)?, host)));
        out.push_str(before);
        out.push_str("://");
        match shown {
            Some((login, host)) => out.extend([&login, "@", host]),
            None => out.push_str(authority),
        }
        rest = path;
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn secrets_are_replaced_by_their_names() {
        let environment = environment(&[
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG"),
            ("AWS_SESSION_TOKEN", "FwoGZXIvYXdzEBY"),
            ("REGISTRY_PASSWORD", "correct horse"),
            ("portal_secret", "in lower case"),
            ("TOKEN", "bare-name"),
            ("SSHPASS", "for-ssh-0"),
            ("MYSQL_PWD", "for-mysql"),
        ]);
        assert_eq!(redact_with("for-ssh-0 for-mysql", &environment), "[SSHPASS] [MYSQL_PWD]");
        assert_eq!(
            redact_with("a FwoGZXIvYXdzEBY b wJalrXUtnFEMI/K7MDENG, wJalrXUtnFEMI/K7MDENG.", &environment),
            "a [AWS_SESSION_TOKEN] b [AWS_SECRET_ACCESS_KEY], [AWS_SECRET_ACCESS_KEY]."
        );
        assert_eq!(
            redact_with("correct horsein lower case|bare-name", &environment),
            "[REGISTRY_PASSWORD][portal_secret]|[TOKEN]"
        );
    }

    #[test]
    fn what_is_no_secret_stays() {
        let environment = environment(&[
            ("HOME", "/root/somewhere"),
            ("PWD", "/root/some"),
            ("OLDPWD", "/root/where"),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"),
            ("MY_PASSWORD", "short"),
            ("EMPTY_TOKEN", ""),
            ("NOTOKEN", "not a token"),
        ]);
        let text = "/root/somewhere AKIAIOSFODNN7EXAMPLE /var/run/token short not a token é…";
        assert_eq!(redact_with(text, &environment), text);
    }

    #[test]
    fn the_longer_secret_is_replaced_whole() {
        let environment = environment(&[("A_TOKEN", "abcdefgh"), ("B_TOKEN", "abcdefghijkl"), ("C_TOKEN", "abcdefgh")]);
        assert_eq!(redact_with("abcdefghijkl abcdefgh é", &environment), "[B_TOKEN] [A_TOKEN] é");
    }

    #[test]
    fn a_key_of_several_lines_is_replaced_whole_and_by_the_line() {
        let environment = environment(&[("DEPLOY_PRIVATE_KEY", "first line\nsecond line\n")]);
        assert_eq!(redact_with("x first line\nsecond line y", &environment), "x [DEPLOY_PRIVATE_KEY] y");
        assert_eq!(redact_with("line 2: second line", &environment), "line 2: [DEPLOY_PRIVATE_KEY]");
    }

    #[test]
    fn the_environment_of_this_process_is_looked_at() {
        assert_eq!(redact("nothing to see"), "nothing to see");
        assert_eq!(super::environment().get("PATH"), std::env::var("PATH").ok().as_ref());
    }

    #[test]
    fn passwords_in_urls_are_stars() {
        for (text, shown) in [
            ("sftp://user:hünter2@192.0.2.1/x", "sftp://user:********@192.0.2.1/x"),
            ("url: \"sftp://user:a:b@c@h\" # ftp://u:p@h/", "url: \"sftp://user:*****@h\" # ftp://u:*@h/"),
            ("sftp://user@192.0.2.1:2222/x", "sftp://user@192.0.2.1:2222/x"),
            ("a: b@c, no URL", "a: b@c, no URL"),
            ("http://h:80/x@y", "http://h:80/x@y"),
        ] {
            assert_eq!(without_password(text), shown);
            assert_eq!(without_password(text).len(), text.len());
        }
    }

    #[test]
    fn logins_in_urls_are_hidden() {
        for (text, shown) in [
            (
                "unable to access 'https://alice:s3cret@git.example/r/': no",
                "unable to access 'https://***@git.example/r/': no",
            ),
            ("https://t0ken@git.example", "https://***@git.example"),
            ("https://a:p@ss@git.example/x@y", "https://***@git.example/x@y"),
            ("ssh://git@git.example:22/r", "ssh://git@git.example:22/r"),
            ("ssh://git:pw@git.example/r", "ssh://***@git.example/r"),
            ("two http://a:b@c and ftp://d:e@f", "two http://***@c and ftp://***@f"),
            ("file:///srv/a@b https://git.example/a@b ://", "file:///srv/a@b https://git.example/a@b ://"),
        ] {
            assert_eq!(without_logins(text), shown);
        }
    }
}
