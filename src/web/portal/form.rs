//! The fields of a form, and the parameters of an address.

use std::convert::Infallible;

use bytes::Bytes;

use crate::text::characters::is_steering;

/// How many fields are read.
const MAX_FIELDS: usize = 20_000;

/// Fields with their values, in the order in which they were sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
    /// The content of the file that was sent with it.
    pub(crate) file: Vec<u8>,
}

impl Form {
    /// The fields in a query string, or in the body of a form.
    pub(crate) fn read(encoded: &[u8]) -> Form {
        let pairs = form_urlencoded::parse(encoded).take(MAX_FIELDS);
        let fields = pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        Form { fields, file: Vec::new() }
    }

    /// The fields of a form with a file, and the file.
    ///
    /// # Errors
    /// If the body is not what its content type says.
    pub(crate) async fn read_with_file(body: Bytes, boundary: String) -> Result<Form, multer::Error> {
        let body = futures_util::stream::once(async { Ok::<Bytes, Infallible>(body) });
        let mut parts = multer::Multipart::new(body, boundary);
        let mut form = Form::default();
        while let Some(part) = parts.next_field().await? {
            let (is_file, name) = (part.file_name().is_some(), part.name().unwrap_or_default().to_owned());
            let content = part.bytes().await?;
            if is_file {
                form.file = content.into();
            } else if form.fields.len() < MAX_FIELDS {
                form.fields.push((name, String::from_utf8_lossy(&content).into_owned()));
            }
        }
        Ok(form)
    }

    /// The value of a field, without spaces around it; an empty text if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The value of a field as it was sent.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The value of a field, if it is not empty.
    pub(crate) fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }
}

/// A query string of these parameters, without those that are empty.
pub(crate) fn query(parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    query.finish()
}

/// A text of one line, or why it is none.
///
/// # Errors
/// The end of a sentence.
pub(crate) fn line(text: &str, most: usize) -> Result<&str, String> {
    match text {
        text if text.chars().any(is_steering) => Err("has a character that cannot be seen".to_owned()),
        text if text.chars().count() > most => Err(format!("has more than {most} characters")),
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read() {
        let form = Form::read(b"a=+x+&b=%0d%0a&a=2&c&=3&%ff=%ff");
        assert_eq!((form.get("a"), form.raw("a"), form.raw("b"), form.get("none")), ("x", " x ", "\r\n", ""));
        assert_eq!((form.some("c"), form.get("a")), (None, "x"));
        assert_eq!(query(&[("q", "a b&c=ü"), ("page", ""), ("x", "1")]), "q=a+b%26c%3D%C3%BC&x=1");
        assert!(line("Hotel", 5).is_ok() && line("Hotels", 5).is_err() && line("a\r\nb", 9).is_err());
    }
}
