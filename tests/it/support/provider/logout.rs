//! RP-initiated logout as real providers do it.

use std::collections::BTreeMap;

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::{CLIENT_ID, TestProvider};

/// The post-logout redirect URI that is registered for the client.
const REGISTERED: &str = "http://localhost:8000/login";

/// Whose behaviour the end session endpoint has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogoutStyle {
    /// Ends the session where a hint or the client and its URI are right, and asks the person
    /// without either.
    #[default]
    Keycloak,
    /// A redirect without a hint is an error before the session ends (`id_token_hint_missing`).
    Authentik,
    /// The same, in its own words.
    Okta,
    /// Without a hint the person confirms on the provider's own page, and stays there.
    PocketId,
}

impl LogoutStyle {
    pub const ALL: [Self; 4] = [Self::Keycloak, Self::Authentik, Self::Okta, Self::PocketId];
}

impl TestProvider {
    /// The number of sessions that a logout has ended here.
    pub fn ended_sessions(&self) -> usize {
        *self.0.ended.lock().unwrap()
    }
}

pub(super) async fn end_session(
    State(provider): State<TestProvider>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let hint = query.get("id_token_hint");
    let redirect = query.get("post_logout_redirect_uri");
    let is_hint_good = hint.is_some_and(|hint| {
        provider
            .0
            .issued
            .lock()
            .unwrap()
            .iter()
            .any(|issued| issued == hint)
    });
    let refuse = |error: &'static str| (StatusCode::BAD_REQUEST, error).into_response();
    if hint.is_some() && !is_hint_good {
        return refuse("invalid id_token_hint");
    }
    if query.get("client_id").is_some_and(|id| id != CLIENT_ID) {
        return refuse("unknown client_id");
    }
    if redirect.is_some_and(|uri| uri != REGISTERED) {
        return refuse("invalid post_logout_redirect_uri");
    }
    let style = provider.knobs().logout;
    let needs_hint = [LogoutStyle::Authentik, LogoutStyle::Okta].contains(&style);
    if needs_hint && redirect.is_some() && hint.is_none() {
        return refuse("id_token_hint_missing");
    }
    let asks_person = match style {
        LogoutStyle::Keycloak => hint.is_none() && redirect.is_none(),
        LogoutStyle::PocketId => hint.is_none(),
        LogoutStyle::Authentik | LogoutStyle::Okta => false,
    };
    if asks_person {
        return "Do you want to log out?".into_response();
    }
    *provider.0.ended.lock().unwrap() += 1;
    match redirect {
        Some(uri) => Redirect::to(uri).into_response(),
        None => "You are logged out.".into_response(),
    }
}
