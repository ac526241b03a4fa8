//! Makes one server function serve three kinds of clients: a browser without script, one with it, and one whose script has
//! not loaded yet.
//!
//! Leptos answers a form without script by sending the browser back to its Referer with the error in the address. The Referer
//! may be missing or chosen by an attacker, and what stands in an address stays in histories and logs (SR-112). So the function
//! is always called as a script would call it, and for a browser without script the same page is rendered again.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use leptos::server_fn::ServerFn;

use crate::{
    app::{Submitted, oidc::LogInWithProvider},
    domain::{AuthError, return_to},
    server::{AppState, context, http::limits},
};

/// How browsers write a form.
pub const URLENCODED: &str = "application/x-www-form-urlencoded";
/// Set by server functions that end in a redirect (`leptos_axum::redirect`).
const REDIRECT: &str = "serverfnredirect";
/// Set by server functions that end in an error.
const ERROR: &str = "serverfnerror";
/// The fields whose values may be shown again after an error. Passwords are not among them (SR-016).
const SHOWN_AGAIN: [&str; 8] = ["action", "address", "email", "id", "identity", "return_to", "session", "token"];
/// The fields in which every code point counts (SR-012).
const FREE_TEXT: [&str; 1] = ["password"];

/// Runs the pages' server functions, and the pages themselves.
pub async fn answer(state: &AppState, request: Request, next: Next) -> Response {
    // The framework knows no HEAD of a function, and a link checker has no business at the provider.
    if request.method() == Method::HEAD && request.uri().path() == LogInWithProvider::PATH {
        return Redirect::to("/login").into_response();
    }
    if request.method() != Method::POST {
        return next.run(straighten(request)).await;
    }
    let (mut parts, body) = request.into_parts();
    let is_page = context::accepts_html(&parts.headers);
    let fields = match read_fields(&parts.headers, body).await {
        Ok(fields) => fields,
        Err(error) => return context::failure(state, Request::from_parts(parts, Body::empty()), error).await,
    };
    if let Some(error) = fields.iter().find_map(refuse_control_characters) {
        return refuse(state, parts, &fields, error, is_page).await;
    }
    // The framework reads the body again: exactly what was checked, nothing a second parser could understand differently.
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    let for_page = parts.clone();
    let mut answer = next.run(Request::from_parts(parts, Body::from(body))).await;
    if answer.headers().contains_key(ERROR) {
        let error = read_error(answer).await;
        return refuse(state, for_page, &fields, error, is_page).await;
    }
    if is_page && answer.headers_mut().remove(REDIRECT).is_some() {
        return see_other(answer);
    }
    answer
}

/// A link to a server function: with whatever a visitor wrote behind the question mark, and whatever a client accepts, the framework
/// must find arguments it can read, and must answer with a redirect.
fn straighten(mut request: Request) -> Request {
    if request.uri().path() != LogInWithProvider::PATH {
        return request;
    }
    let target = context::return_to_of(request.uri());
    if let Ok(uri) = return_to::with_target(LogInWithProvider::PATH, &target).parse() {
        *request.uri_mut() = uri;
    }
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/html"));
    request
}

/// The first parameter of this name in an address, which anyone may have written: for what must be found before, or although, the rest
/// is refused. Where a second value could be read differently, [`parse_fields`] and [`refuse_repeats`] are the way.
pub fn parameter(uri: &Uri, wanted: &str) -> Option<String> {
    let mut parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    parameters.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

/// Another path, with the query of this address.
#[must_use]
pub fn with_query(path: &str, uri: &Uri) -> String {
    uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// Reads a form strictly: valid UTF-8, no field twice, so that no two parts of the program can see different values (SR-026).
async fn read_fields(headers: &HeaderMap, body: Body) -> Result<Vec<(String, String)>, AuthError> {
    if media_type(headers) != URLENCODED {
        return Err(AuthError::UnsupportedMedia);
    }
    let fields = parse_fields(&to_bytes(body, limits::BODY).await.map_err(|_| AuthError::TooLarge)?)?;
    refuse_repeats(&fields)?;
    Ok(fields)
}

/// What a body says it is, without parameters and in lower case; empty when it does not say.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Refuses a form with a field given twice.
///
/// # Errors
/// `Malformed`.
pub fn refuse_repeats(fields: &[(String, String)]) -> Result<(), AuthError> {
    let is_repeated = |index: usize, name: &str| fields.iter().take(index).any(|(earlier, _)| earlier == name);
    if fields.iter().enumerate().any(|(index, (name, _))| is_repeated(index, name)) { Err(AuthError::Malformed) } else { Ok(()) }
}

/// The fields of an urlencoded form.
///
/// # Errors
/// `Malformed` for broken UTF-8, or more fields than SR-150 allows. A broken percent sign is itself, as browsers read it.
pub fn parse_fields(body: &[u8]) -> Result<Vec<(String, String)>, AuthError> {
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let fields: Result<Vec<_>, _> = pairs
        .map(|pair| {
            let (name, value) = pair.iter().position(|byte| *byte == b'=').map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
            Ok((decode(name)?, decode(value)?))
        })
        .collect();
    fields.and_then(|fields| if fields.len() <= limits::FIELDS { Ok(fields) } else { Err(AuthError::Malformed) })
}

fn decode(text: &[u8]) -> Result<String, AuthError> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&spaced).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| AuthError::Malformed)
}

/// Control characters have no place in a text field, and PostgreSQL cannot store NUL (SR-151).
fn refuse_control_characters((name, value): &(String, String)) -> Option<AuthError> {
    let is_refused = !FREE_TEXT.contains(&name.as_str()) && value.trim().chars().any(char::is_control);
    is_refused.then_some(AuthError::ControlCharacters)
}

async fn refuse(state: &AppState, mut parts: axum::http::request::Parts, fields: &[(String, String)], error: AuthError, is_page: bool) -> Response {
    if !is_page {
        return context::refusal(error);
    }
    if error == AuthError::NotLoggedIn {
        // The page of the form shows nothing to strangers, not even why.
        parts.headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        return context::failure(state, Request::from_parts(parts, Body::empty()), error).await;
    }
    let values = fields.iter().filter(|(name, _)| SHOWN_AGAIN.contains(&name.as_str())).cloned().collect();
    context::page_again(state, parts, Submitted { error, values }).await
}

async fn read_error(answer: Response) -> AuthError {
    let body = to_bytes(answer.into_body(), limits::BODY).await.unwrap_or_default();
    serde_json::from_slice(&body).unwrap_or(AuthError::Internal)
}

/// 303, so that the browser follows with GET whatever the form's method was (RFC 9110 §15.4.4).
fn see_other(answer: Response) -> Response {
    let (mut parts, _) = answer.into_parts();
    let target = parts.headers.remove(header::LOCATION).and_then(|target| target.to_str().ok().map(ToOwned::to_owned));
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut response = Redirect::to(target.as_deref().unwrap_or("/")).into_response();
    response.headers_mut().extend(parts.headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let fields = parse_fields(b"email=a%40b&password=+x%2B%C3%A4&empty=&bare").unwrap();
        let expected = [("email", "a@b"), ("password", " x+ä"), ("empty", ""), ("bare", "")];
        assert!(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected));
    }

    #[test]
    fn broken_utf8_and_too_many_fields_are_refused() {
        assert_eq!(parse_fields(b"email=%ff"), Err(AuthError::Malformed));
        assert_eq!(parse_fields("a=1&".repeat(65).as_bytes()), Err(AuthError::Malformed));
    }
}
