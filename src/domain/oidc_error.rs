/// Every way in which a login through the OpenID provider can end without one, named by outcome. What the person sees; the
/// reason, with the setting to change, is in the log under the page's reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum OidcError {
    /// The answer belongs to no attempt of this browser: `state` is missing, wrong, expired, used, or another browser's (SR-053).
    UnknownState,
    /// The answer cannot be read: a parameter twice, a code and an error together, or neither (SR-056).
    MalformedCallback,
    /// The person, or a rule at the provider, said no (`access_denied`).
    AccessDenied,
    /// The provider answered with another error of its own.
    ProviderError,
    /// The answer names another provider than the one that was asked (RFC 9207).
    IssuerMismatch,
    /// The provider does not answer, or not with what was asked for.
    ProviderUnreachable,
    /// What the provider says of itself contradicts the configuration, or offers nothing that is safe.
    ProviderMisconfigured,
    /// The provider does not know us by these credentials (`invalid_client`).
    InvalidClient,
    /// The provider does not take back the code it has just given out.
    InvalidGrant,
    /// What the provider says of the person does not stand up to the checks of SR-060 to SR-068.
    InvalidToken,
    /// The provider says no e-mail address of the person (SR-075).
    EmailMissing,
    /// The provider says an address that cannot have an account here (SR-075).
    InvalidEmail,
    /// The account at the provider is connected with somebody else here.
    IdentityAlreadyLinked,
    /// The account may not be used; deliberately silent about why (SR-076).
    LoginNotAllowed,
    /// The network's budget of failures is used up (SR-022).
    TooManyAttempts,
    /// The database cannot be reached, too much is going on, or a fault of ours.
    TemporarilyUnavailable,
}

impl OidcError {
    /// The stable word for logs, pages and clients.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The HTTP status of the page. Never 500: nothing that arrives here is a fault of the program.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::UnknownState | Self::MalformedCallback | Self::IssuerMismatch | Self::ProviderError => 400,
            Self::AccessDenied | Self::LoginNotAllowed | Self::IdentityAlreadyLinked | Self::EmailMissing | Self::InvalidEmail => 403,
            Self::TooManyAttempts => 429,
            Self::InvalidClient | Self::InvalidGrant | Self::InvalidToken => 502,
            Self::ProviderUnreachable | Self::ProviderMisconfigured | Self::TemporarilyUnavailable => 503,
        }
    }

    /// Seconds after which trying again makes sense, for the `Retry-After` header (RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooManyAttempts => Some(10 * 60),
            Self::ProviderUnreachable | Self::TemporarilyUnavailable => Some(60),
            _ => None,
        }
    }

    /// What happened, in one sentence. `name` is the provider's.
    #[must_use]
    pub fn happened(self, name: &str) -> String {
        match self {
            Self::UnknownState => {
                "This login is not under way any more: it took longer than ten minutes, was used already, or began in another browser.".to_owned()
            }
            Self::MalformedCallback => format!("The answer of {name} could not be read."),
            Self::AccessDenied => format!("{name} did not let you in, or you chose not to go on."),
            Self::ProviderError => format!("{name} answered with an error."),
            Self::IssuerMismatch => format!("The answer did not come from {name}, so it was not used."),
            Self::ProviderUnreachable => format!("{name} is not reachable at the moment."),
            Self::ProviderMisconfigured | Self::InvalidClient => format!("{name} and this program are not set up to work together."),
            Self::InvalidGrant | Self::InvalidToken => format!("What {name} said about you could not be trusted, so you are not logged in."),
            Self::EmailMissing => format!("{name} does not say your e-mail address, and an account needs one."),
            Self::InvalidEmail => format!("The e-mail address that {name} says cannot have an account here."),
            Self::IdentityAlreadyLinked => format!("Your account at {name} is connected with another account here."),
            Self::LoginNotAllowed => format!("You could not be logged in with {name}."),
            Self::TooManyAttempts => "There were too many attempts from your network.".to_owned(),
            Self::TemporarilyUnavailable => "This program cannot log anybody in at the moment.".to_owned(),
        }
    }

    /// What the person can do about it.
    #[must_use]
    pub fn way_on(self) -> &'static str {
        match self {
            Self::UnknownState | Self::MalformedCallback | Self::IssuerMismatch | Self::InvalidGrant => "Start again from here.",
            Self::AccessDenied => "Start again, or log in with e-mail and password. If you should be let in, ask whoever runs the provider.",
            Self::ProviderUnreachable | Self::TemporarilyUnavailable => "Try again in a minute.",
            Self::TooManyAttempts => "Try again in ten minutes.",
            Self::ProviderError | Self::ProviderMisconfigured | Self::InvalidClient | Self::InvalidToken | Self::LoginNotAllowed => {
                "If it happens again, give the reference below to the administrator: the log has the reason under it."
            }
            Self::IdentityAlreadyLinked => "Log in with it, disconnect it on the account page there, and try again here.",
            Self::EmailMissing | Self::InvalidEmail => "Add or change the address there, allow it to be passed on, and start again.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_refusal_is_a_fault_of_the_program() {
        for refusal in
            [OidcError::UnknownState, OidcError::ProviderUnreachable, OidcError::InvalidToken, OidcError::EmailMissing, OidcError::TemporarilyUnavailable]
        {
            assert_ne!(refusal.status(), 500);
            assert!(refusal.status() >= 400);
        }
        assert_eq!(OidcError::UnknownState.code(), "unknown_state");
    }
}
