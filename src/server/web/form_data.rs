//! Strict parsing of forms and query strings.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Uri, header},
};

use crate::{domain::AuthError, server::web::middleware::request_limits};

/// The media type of a browser's form.
pub const URLENCODED: &str = "application/x-www-form-urlencoded";
/// Fields in which every code point is significant (SR-012).
const FREE_TEXT_FIELDS: [&str; 1] = ["password"];

/// The first query parameter with this name, for values that are needed even if the request is
/// rejected later. Use [`parse_fields`] and [`reject_duplicates`] wherever a duplicate could be
/// interpreted differently.
pub fn parameter(uri: &Uri, wanted: &str) -> Option<String> {
    let mut parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    parameters
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}

/// A path with the query string of this URI.
pub fn with_query(path: &str, uri: &Uri) -> String {
    uri.query()
        .map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// Reads a form strictly: valid UTF-8 and no duplicate fields, so that all code sees the same
/// values (SR-026).
pub async fn read_fields(
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<(String, String)>, AuthError> {
    if media_type(headers) != URLENCODED {
        return Err(AuthError::UnsupportedMediaType);
    }
    let fields = parse_fields(
        &to_bytes(body, request_limits::MAX_BODY_BYTES)
            .await
            .map_err(|_| AuthError::PayloadTooLarge)?,
    )?;
    reject_duplicates(&fields)?;
    Ok(fields)
}

/// The media type of the `Content-Type` header in lower case, without parameters; empty if absent.
pub fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// Rejects a form with duplicate fields.
///
/// # Errors
/// `BadRequest`.
pub fn reject_duplicates(fields: &[(String, String)]) -> Result<(), AuthError> {
    let is_repeated = |index: usize, name: &str| {
        fields
            .iter()
            .take(index)
            .any(|(earlier, _)| earlier == name)
    };
    if fields
        .iter()
        .enumerate()
        .any(|(index, (name, _))| is_repeated(index, name))
    {
        Err(AuthError::BadRequest)
    } else {
        Ok(())
    }
}

/// The fields of an urlencoded form.
///
/// # Errors
/// `BadRequest` for invalid UTF-8, or for more fields than SR-150 allows. An invalid percent escape
/// is taken literally, like in browsers.
pub fn parse_fields(body: &[u8]) -> Result<Vec<(String, String)>, AuthError> {
    let pairs = body
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty());
    let fields: Result<Vec<_>, _> = pairs
        .map(|pair| {
            let (name, value) = pair
                .iter()
                .position(|byte| *byte == b'=')
                .map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
            Ok((decode(name)?, decode(value)?))
        })
        .collect();
    fields.and_then(|fields| {
        if fields.len() <= request_limits::MAX_FIELDS {
            Ok(fields)
        } else {
            Err(AuthError::BadRequest)
        }
    })
}

fn decode(text: &[u8]) -> Result<String, AuthError> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_encoding::percent_decode(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| AuthError::BadRequest)
}

/// Rejects control characters: no text field needs them, and PostgreSQL cannot store NUL (SR-151).
pub fn reject_control_characters((name, value): &(String, String)) -> Option<AuthError> {
    let is_refused =
        !FREE_TEXT_FIELDS.contains(&name.as_str()) && value.trim().chars().any(char::is_control);
    is_refused.then_some(AuthError::ControlCharacters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let fields = parse_fields(b"email=a%40b&password=+x%2B%C3%A4&empty=&bare").unwrap();
        let expected = [
            ("email", "a@b"),
            ("password", " x+ä"),
            ("empty", ""),
            ("bare", ""),
        ];
        assert!(
            fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .eq(expected)
        );
    }

    #[test]
    fn broken_utf8_and_too_many_fields_are_refused() {
        assert_eq!(parse_fields(b"email=%ff"), Err(AuthError::BadRequest));
        assert_eq!(
            parse_fields("a=1&".repeat(65).as_bytes()),
            Err(AuthError::BadRequest)
        );
    }
}
