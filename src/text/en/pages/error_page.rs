//! The page in place of one that cannot be shown.

use crate::domain::AuthError;

pub const FORM_CAME_FROM: &str = "The form came from ";
pub const SERVED_AT: &str = ", but this program answers at ";
pub const CHANGE_SETTING: &str = ". If the second one is wrong, the administrator changes ";
pub const IN_CONFIGURATION: &str = " in the configuration.";
pub const OPEN_AGAIN: &str = "Open the page again";
pub const START_PAGE: &str = "Go to the start page";
pub const NEW_LINK: &str = "Ask for a new link";

pub fn title(error: AuthError) -> &'static str {
    match error {
        AuthError::NotFound => "Page not found",
        AuthError::CrossSite => "Refused",
        AuthError::Overloaded | AuthError::Unavailable => "Try again soon",
        _ => "Something went wrong",
    }
}

/// The request id, under which the log has the reason.
pub fn reference(request_id: &str) -> String {
    format!("Reference: {request_id}")
}
