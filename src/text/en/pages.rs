//! The pages' own sentences, a module for each page.

/// The page in place of one that cannot be shown.
pub mod error {
    use crate::domain::AuthError;

    pub fn title(error: AuthError) -> &'static str {
        match error {
            AuthError::NotFound => "Page not found",
            AuthError::CrossSite => "Refused",
            AuthError::Overloaded | AuthError::Unavailable => "Try again soon",
            _ => "Something went wrong",
        }
    }
}

/// The page in place of a login through the provider.
pub mod oidc_error {
    use crate::domain::oidc_error::OidcError;

    pub fn title(error: OidcError) -> &'static str {
        match error {
            OidcError::AccessDenied => "You were not let in",
            OidcError::ProviderUnreachable
            | OidcError::TemporarilyUnavailable
            | OidcError::TooManyAttempts => "Try again soon",
            _ => "Something went wrong",
        }
    }
}

/// `/users/events`
pub mod audit_log {
    pub const TITLE: &str = "Audit log";
    pub const ALL_EVENTS: &str = "Everything";

    pub fn events_found(total: u64) -> String {
        match total {
            0 => "Nothing matches.".to_owned(),
            1 => "One event".to_owned(),
            total => format!("{total} events, the newest first"),
        }
    }
}
