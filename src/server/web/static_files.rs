use std::borrow::Cow;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::server::AppState;

/// `/pkg/…`: file names change with their content, so browsers may cache them forever.
pub async fn package(
    State(state): State<AppState>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    serve(
        &state,
        &format!("pkg/{name}"),
        &headers,
        "public, max-age=31536000, immutable",
    )
}

/// `/favicon.svg`
pub async fn icon(State(state): State<AppState>, headers: HeaderMap) -> Response {
    serve(&state, "favicon.svg", &headers, "public, max-age=86400")
}

/// Serves a file with a cache lifetime. A 404 gets none: during an update it would be cached for a
/// year.
fn serve(
    state: &AppState,
    path: &str,
    headers: &HeaderMap,
    cache_control: &'static str,
) -> Response {
    let Some(file) = state
        .site
        .file(path, |encoding| accepts_encoding(headers, encoding))
    else {
        return (StatusCode::NOT_FOUND, "Not Found").into_response();
    };
    let body = match file.content {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    let mut response = body.into_response();
    let response_headers = response.headers_mut();
    response_headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(file.media_type),
    );
    response_headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(cache_control),
    );
    response_headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = file.encoding {
        response_headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Whether the client accepts an encoding (RFC 9110 §12.5.3). Only encodings it names count, and
/// not with a weight of zero.
fn accepts_encoding(headers: &HeaderMap, encoding: &str) -> bool {
    let lines = headers
        .get_all(header::ACCEPT_ENCODING)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(encoding))
            && !parts.any(|weight| weight.trim_end_matches(['0', '.']) == "q=")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_only_what_it_takes() {
        let takes = |line: &'static str, encoding| {
            accepts_encoding(
                &HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(line))]),
                encoding,
            )
        };
        assert!(
            takes("gzip, deflate, br, zstd", "br")
                && takes("BR;q=0.5", "br")
                && takes("br; q=1.0", "br")
        );
        assert!(
            !takes("gzip", "br")
                && !takes("br;q=0", "br")
                && !takes("br; q=0.000", "br")
                && !takes("brotli", "br")
        );
    }
}
