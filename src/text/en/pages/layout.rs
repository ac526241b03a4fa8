//! The document around every page.

/// The language of all texts (BCP 47).
pub const LANGUAGE: &str = "en";
/// Precedes the title of a page that shows an error.
pub const ERROR_PREFIX: &str = "Error: ";
pub const TAGLINE: &str = "Your films and series, at home.";
pub const MENU: &str = "Menu";
pub const ACCOUNT: &str = "Account";
pub const USERS: &str = "Users";
pub const EVENTS: &str = "Events";
/// After the number of accounts that wait for approval, for screen readers.
pub const PENDING: &str = " waiting";

/// The title of the document.
pub fn title(page: &str, app: &str, has_error: bool) -> String {
    let prefix = if has_error { ERROR_PREFIX } else { "" };
    format!("{prefix}{page} · {app}")
}
