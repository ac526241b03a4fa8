//! Logging in with the provider. `provider` is its name.

use crate::domain::oidc_error::OidcError;

pub const OR: &str = "or";

pub fn continue_with(provider: &str) -> String {
    format!("Continue with {provider}")
}

pub fn also_log_out(provider: &str) -> String {
    format!("Also log out of {provider}")
}

/// The page in place of a login that failed.
pub mod error {
    use super::OidcError;

    pub const LOG_IN_WITH_PASSWORD: &str = "Log in with e-mail and password";

    pub fn title(error: OidcError) -> &'static str {
        match error {
            OidcError::AccessDenied => "You were not let in",
            OidcError::ProviderUnreachable
            | OidcError::TemporarilyUnavailable
            | OidcError::TooManyAttempts => "Try again soon",
            _ => "Something went wrong",
        }
    }

    /// Precedes the provider's own message.
    pub fn provider_says(provider: &str) -> String {
        format!("{provider} says: ")
    }

    pub fn try_again(provider: &str) -> String {
        format!("Try again with {provider}")
    }

    /// The request id, under which the log has the reason.
    pub fn reference(request_id: &str, code: &str) -> String {
        format!("Reference: {request_id} ({code})")
    }
}

/// `/login/connect`
pub mod confirm_link {
    pub const TITLE: &str = "An account with this address exists";
    pub const BUTTON: &str = "Connect and log in";

    pub fn lead(provider: &str) -> String {
        format!(
            "You are logged in at {provider}, which does not confirm that this address is yours. Prove it once with the password of the account here; after that, {provider} is enough."
        )
    }
}
