/// Every way in which a login through the OpenID provider can end without one, named by outcome.
/// What the person sees; the reason, with the setting to change, is in the log under the page's
/// reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum OidcError {
    /// The answer belongs to no attempt of this browser: `state` is missing, wrong, expired, used,
    /// or another browser's (SR-053).
    UnknownState,
    /// The answer cannot be read: a parameter twice, a code and an error together, or neither
    /// (SR-056).
    MalformedCallback,
    /// The person, or a rule at the provider, said no (`access_denied`).
    AccessDenied,
    /// The provider answered with another error of its own.
    ProviderError,
    /// The answer names another provider than the one that was asked (RFC 9207).
    IssuerMismatch,
    /// The provider does not answer, or not with what was asked for.
    ProviderUnreachable,
    /// What the provider says of itself contradicts the configuration, or offers nothing that is
    /// safe.
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
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The HTTP status of the page. Never 500: nothing that arrives here is a fault of the program.
    pub fn status(self) -> u16 {
        match self {
            Self::UnknownState
            | Self::MalformedCallback
            | Self::IssuerMismatch
            | Self::ProviderError => 400,
            Self::AccessDenied
            | Self::LoginNotAllowed
            | Self::IdentityAlreadyLinked
            | Self::EmailMissing
            | Self::InvalidEmail => 403,
            Self::TooManyAttempts => 429,
            Self::InvalidClient | Self::InvalidGrant | Self::InvalidToken => 502,
            Self::ProviderUnreachable
            | Self::ProviderMisconfigured
            | Self::TemporarilyUnavailable => 503,
        }
    }

    /// Seconds after which trying again makes sense, for the `Retry-After` header (RFC 9110
    /// §10.2.3).
    pub fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooManyAttempts => Some(10 * 60),
            Self::ProviderUnreachable | Self::TemporarilyUnavailable => Some(60),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_refusal_is_a_fault_of_the_program() {
        for error in [
            OidcError::UnknownState,
            OidcError::ProviderUnreachable,
            OidcError::InvalidToken,
            OidcError::EmailMissing,
            OidcError::TemporarilyUnavailable,
        ] {
            assert_ne!(error.status(), 500);
            assert!(error.status() >= 400);
        }
        assert_eq!(OidcError::UnknownState.code(), "unknown_state");
    }
}
