use std::{
    mem,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request},
    http::{Extensions, HeaderMap, header, request::Parts},
    response::Response,
};

use super::{client_ip, security_headers::RequestIds};
use crate::{
    domain::AuthError,
    server::{
        AppState,
        flows::{
            ClientInfo, Ctx,
            sessions::{self, CurrentUser},
        },
        web::{cookies, render},
    },
};

/// The length to which the `User-Agent` header is truncated.
const MAX_USER_AGENT_BYTES: usize = 255;

/// The authentication of a request, determined before any handler runs.
#[derive(Clone, Debug, Default)]
pub struct RequestAuth {
    pub current: Option<CurrentUser>,
    /// The presented token, valid or not, so that logging out always works.
    pub token: Option<PresentedToken>,
    pub client: ClientInfo,
}

/// A presented token. `Debug` does not show it.
#[derive(Clone)]
pub struct PresentedToken(pub String);

impl std::fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl RequestAuth {
    /// The user who is logged in.
    ///
    /// # Errors
    /// `NotLoggedIn`.
    pub fn current_user(&self) -> Result<&CurrentUser, AuthError> {
        self.current.as_ref().ok_or(AuthError::NotLoggedIn)
    }

    /// The context for the flows that this request calls.
    pub fn ctx<'a>(&'a self, state: &'a AppState) -> Ctx<'a> {
        Ctx {
            state,
            client: &self.client,
        }
    }
}

/// The user who is logged in, from the head of an authenticated request.
pub fn current_user(parts: &Parts) -> Option<&CurrentUser> {
    parts.extensions.get::<RequestAuth>()?.current.as_ref()
}

/// Authenticates a request and stores the [`RequestAuth`] in its extensions. A database failure
/// ends the request: it must look neither like a valid session nor like a missing one (SR-097).
///
/// # Errors
/// The response to send.
pub async fn authenticate(state: &AppState, request: &mut Request) -> Result<(), Response> {
    let token = presented_token(state, request);
    let current = match &token {
        Some(PresentedToken(token)) => match sessions::resolve(state, token).await {
            Ok(current) => current,
            Err(err) => return Err(render::error_response(state, mem::take(request), err).await),
        },
        None => None,
    };
    let client = ClientInfo {
        presented_session: current.as_ref().map(CurrentUser::session),
        devices: cookies::device::presented(state, request),
        ..client_info(state, request)
    };
    request.extensions_mut().insert(RequestAuth {
        current,
        token,
        client,
    });
    Ok(())
}

/// The client of a request, without authentication.
pub fn client_info(state: &AppState, request: &Request) -> ClientInfo {
    ClientInfo {
        rate_limit_key: client_ip::rate_limit_key(
            peer(request.extensions()),
            request.headers(),
            &state.config.server.trusted_proxies,
        ),
        user_agent: user_agent(request.headers()),
        request_id: request
            .extensions()
            .get::<Arc<RequestIds>>()
            .map(|ids| ids.request_id.clone())
            .unwrap_or_default(),
        presented_session: None,
        devices: Vec::new(),
    }
}

/// The address of the TCP peer: the client, or a proxy.
pub fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip())
}

/// The session cookie, or on `/api/v1` the bearer token. A request with a bearer token does not
/// fall back to the cookie (SR-093).
fn presented_token(state: &AppState, request: &Request) -> Option<PresentedToken> {
    let token = match bearer(request.headers()) {
        Some(bearer) if request.uri().path().starts_with("/api/v1/") => Some(bearer.to_owned()),
        _ => cookies::presented_token(&state.config, request.headers()),
    };
    token.map(PresentedToken)
}

/// The credentials of an `Authorization: Bearer` header; the scheme is case-insensitive (RFC 9110
/// §11.1). An unreadable header counts as an empty token.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .unwrap_or("Bearer");
    let (scheme, rest) = value.split_at(
        value
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(value.len()),
    );
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| rest.strip_prefix(' ').unwrap_or_default().trim())
}

fn user_agent(headers: &HeaderMap) -> String {
    // `to_str` accepts visible ASCII only, so truncating at a byte is safe.
    let value = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .get(..MAX_USER_AGENT_BYTES)
        .unwrap_or(value)
        .to_owned()
}
