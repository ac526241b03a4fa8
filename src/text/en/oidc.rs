use crate::domain::oidc_error::OidcError;

/// The provider's name in a sentence when none is configured.
pub const UNNAMED_PROVIDER: &str = "the provider";

/// What happened, in one sentence.
pub fn oidc_error_message(error: OidcError, provider: &str) -> String {
    match error {
        OidcError::UnknownState => {
            "This login is not under way any more: it took longer than ten minutes, was used already, or began in another browser.".to_owned()
        }
        OidcError::WrongRedirectUri => format!("{provider} sent you to an address that does not exist here."),
        OidcError::MalformedCallback => format!("The answer of {provider} could not be read."),
        OidcError::AccessDenied => format!("{provider} did not let you in, or you chose not to go on."),
        OidcError::ProviderError => format!("{provider} answered with an error."),
        OidcError::IssuerMismatch => format!("The answer did not come from {provider}, so it was not used."),
        OidcError::ProviderUnreachable => format!("{provider} is not reachable at the moment."),
        OidcError::ProviderMisconfigured | OidcError::InvalidClient => format!("{provider} and this program are not set up to work together."),
        OidcError::InvalidGrant | OidcError::InvalidToken => format!("What {provider} said about you could not be trusted, so you are not logged in."),
        OidcError::EmailMissing => format!("{provider} does not say your e-mail address, and an account needs one."),
        OidcError::InvalidEmail => format!("The e-mail address that {provider} says cannot have an account here."),
        OidcError::IdentityAlreadyLinked => format!("Your account at {provider} is connected with another account here."),
        OidcError::LoginNotAllowed => format!("You could not be logged in with {provider}."),
        OidcError::TooManyAttempts => "There were too many attempts from your network.".to_owned(),
        OidcError::TemporarilyUnavailable => "This program cannot log anybody in at the moment.".to_owned(),
    }
}

/// What the person can do about it.
pub fn oidc_error_hint(error: OidcError) -> &'static str {
    match error {
        OidcError::UnknownState
        | OidcError::MalformedCallback
        | OidcError::IssuerMismatch
        | OidcError::InvalidGrant => "Start again from here.",
        OidcError::AccessDenied => {
            "Start again, or log in with e-mail and password. If you should be let in, ask whoever runs the provider."
        }
        OidcError::ProviderUnreachable | OidcError::TemporarilyUnavailable => {
            "Try again in a minute."
        }
        OidcError::WrongRedirectUri => {
            "Tell the administrator: the redirect URI that is registered at the provider must be exactly this one."
        }
        OidcError::TooManyAttempts => "Try again in ten minutes.",
        OidcError::ProviderError
        | OidcError::ProviderMisconfigured
        | OidcError::InvalidClient
        | OidcError::InvalidToken
        | OidcError::LoginNotAllowed => {
            "If it happens again, give the reference below to the administrator: the log has the reason under it."
        }
        OidcError::IdentityAlreadyLinked => {
            "Log in with it, disconnect it on the account page there, and try again here."
        }
        OidcError::EmailMissing | OidcError::InvalidEmail => {
            "Add or change the address there, allow it to be passed on, and start again."
        }
    }
}
