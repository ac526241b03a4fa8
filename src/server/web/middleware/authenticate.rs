use std::{
    mem,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request},
    http::{Extensions, HeaderMap, header},
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

/// Characters of what a browser says about itself that are kept.
const MAX_USER_AGENT_BYTES: usize = 255;

/// Who sent a request, as far as it can be told before anything is done.
#[derive(Clone, Debug, Default)]
pub struct RequestAuth {
    pub current: Option<CurrentUser>,
    /// The token that was presented, live or not, so that logging out works in any case.
    pub token: Option<PresentedToken>,
    pub client: ClientInfo,
}

/// A presented token; never shown.
#[derive(Clone)]
pub struct PresentedToken(pub String);

impl std::fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl RequestAuth {
    /// The person, where there must be one.
    ///
    /// # Errors
    /// `NotLoggedIn`.
    pub fn current_user(&self) -> Result<&CurrentUser, AuthError> {
        self.current.as_ref().ok_or(AuthError::NotLoggedIn)
    }

    /// The context of the flows that this request calls.
    pub fn ctx<'a>(&'a self, state: &'a AppState) -> Ctx<'a> {
        Ctx {
            state,
            client: &self.client,
        }
    }
}

/// Finds out who is asking and puts a [`RequestAuth`] beside the request. When the database cannot
/// say, nobody gets further: "could not ask" must never look like "is logged in" nor like "is
/// logged out" (SR-097).
///
/// # Errors
/// The answer to send.
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
        ..client_info(state, request)
    };
    request.extensions_mut().insert(RequestAuth {
        current,
        token,
        client,
    });
    Ok(())
}

/// The client of a request, before it is known who sends it.
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
            .map(|names| names.request_id.clone())
            .unwrap_or_default(),
        presented_session: None,
    }
}

/// Who is at the other end of the line: a visitor, or a proxy.
pub fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip())
}

/// The cookie everywhere; a bearer header on `/api/v1`, and then only that (SR-093).
fn presented_token(state: &AppState, request: &Request) -> Option<PresentedToken> {
    let token = match bearer(request.headers()) {
        Some(bearer) if request.uri().path().starts_with("/api/v1/") => Some(bearer.to_owned()),
        _ => cookies::presented_token(&state.config, request.headers()),
    };
    token.map(PresentedToken)
}

/// The credential of an `Authorization: Bearer` header, in any letter case (RFC 9110 §11.1). Empty
/// when it is unreadable.
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
    // Of visible ASCII alone, so that a byte is a character.
    let said = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    said.get(..MAX_USER_AGENT_BYTES).unwrap_or(said).to_owned()
}
