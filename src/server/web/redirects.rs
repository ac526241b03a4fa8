//! Where a login leads, and where a request is redirected that may not open a page yet.

use axum::http::Uri;

use crate::{
    app::paths,
    domain::{ReturnTo, return_to},
    server::{
        AppState,
        web::{form_data, middleware::authenticate::RequestAuth},
    },
};

/// The field and parameter with the place to go to after a login.
const RETURN_TO: &str = "return_to";

/// The default destination of somebody who is logged in: MediaManager, or the page about the
/// pending approval.
pub fn landing_page(state: &AppState, auth: &RequestAuth) -> String {
    after_login(
        state,
        auth.current
            .as_ref()
            .is_some_and(|current| current.user().is_verified),
        None,
    )
}

/// Where a login leads (SR-120).
pub fn after_login(state: &AppState, is_verified: bool, return_to: Option<&ReturnTo>) -> String {
    match return_to {
        // Without approval, people may still verify, change and delete their own account.
        Some(target) if !is_verified && is_below(target.as_str(), paths::ACCOUNT.path) => {
            target.as_str().to_owned()
        }
        _ if !is_verified => paths::PENDING_APPROVAL.path.to_owned(),
        Some(target) => target.as_str().to_owned(),
        None => state.config.policy.default_redirect.as_str().to_owned(),
    }
}

fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The login page that leads back to this URI.
pub fn login_url(uri: &Uri) -> String {
    return_to::with_target(paths::LOGIN.path, destination(uri).as_ref())
}

/// The page that asks for a recent login and leads back to this URI (SR-142).
pub fn reauthenticate_url(uri: &Uri) -> String {
    return_to::with_target(paths::REAUTHENTICATE.path, destination(uri).as_ref())
}

/// The URI as a destination after the login, if it can be one.
fn destination(uri: &Uri) -> Option<ReturnTo> {
    ReturnTo::parse(uri.path_and_query()?.as_str())
}

/// The page that contains the form that was sent to this URI: the same one, the list of users for a
/// button in a table, and for a form that only leads on, where it leads.
pub fn page_of_form(uri: &Uri, fields: &[(String, String)]) -> Option<ReturnTo> {
    if uri.path() == paths::REAUTHENTICATE.path {
        let (_, target) = fields.iter().find(|(name, _)| name == RETURN_TO)?;
        return ReturnTo::parse(target);
    }
    if uri.path() == paths::USER_ACTION.path && uri.query().is_none() {
        return ReturnTo::parse(paths::USERS.path);
    }
    destination(uri)
}

/// The `return_to` parameter of a URI, if it is a valid destination.
pub fn return_to_param(uri: &Uri) -> Option<ReturnTo> {
    ReturnTo::parse(&form_data::parameter(uri, RETURN_TO)?)
}
