//! The fields that forms share.

use std::fmt::Display;

pub const EMAIL: &str = "E-mail";
pub const PASSWORD: &str = "Password";
pub const SHOW: &str = "Show";
pub const HIDE: &str = "Hide";
/// After [`SHOW`] and [`HIDE`], for screen readers.
pub const SHOW_OR_HIDE_WHAT: &str = " password";
pub const ONE_MORE_CHARACTER: &str = "One more character.";
pub const TOO_UNIFORM: &str = "Use more different characters.";
pub const LONG_ENOUGH: &str = "Long enough.";
pub const FORGOT_PASSWORD: &str = "Forgot password?";
pub const LOG_IN_AGAIN: &str = "Log in again";
pub const UNREADABLE_ANSWER: &str = "The server could not be reached, or did not answer as it should. Check your connection, and try again soon.";

pub fn password_rule(minimum: u16) -> String {
    format!("At least {minimum} characters. A few words in a row are easy to remember.")
}

/// `number` is a placeholder that the browser replaces.
pub fn more_characters(number: impl Display) -> String {
    format!("{number} more characters.")
}
