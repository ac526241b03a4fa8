/// The outcomes of a failed login through the OpenID provider, for the page. The reason and the
/// setting to change are in the log under the page's request id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum OidcError {
    /// `state` is missing, wrong, expired, used, or of another browser's login attempt (SR-053).
    UnknownState,
    /// The provider sent the browser to a path that is not a redirect URI of ours.
    WrongRedirectUri,
    /// The callback has a duplicate parameter, both a code and an error, or neither (SR-056).
    MalformedCallback,
    /// The user or the provider denied the login (`access_denied`).
    AccessDenied,
    /// The provider redirected back with another error.
    ProviderError,
    /// The `iss` parameter names another provider, as in a mix-up attack (RFC 9207).
    IssuerMismatch,
    /// The provider does not respond, or with an unusable response.
    ProviderUnreachable,
    /// The provider's metadata contradicts the configuration, or offers no secure method.
    ProviderMisconfigured,
    /// The provider rejected the client credentials (`invalid_client`).
    InvalidClient,
    /// The provider rejected the authorization code (`invalid_grant`).
    InvalidGrant,
    /// The ID token or the userinfo response failed a check of SR-060 to SR-068.
    InvalidToken,
    /// The provider sent no `email` claim (SR-075).
    EmailMissing,
    /// The `email` claim is not an address that an account can have (SR-075).
    InvalidEmail,
    /// The identity is linked to another user.
    IdentityAlreadyLinked,
    /// The account may not log in. The reason is not given, because it could help an attacker
    /// (SR-076).
    LoginNotAllowed,
    /// The rate limit of failures from this client address is reached (SR-022).
    TooManyAttempts,
    /// The database is unavailable, the server is overloaded, or an internal error occurred.
    TemporarilyUnavailable,
}

impl OidcError {
    /// The stable code for logs, pages and clients.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The HTTP status of the page. Never 500, because none of these errors is a bug of the
    /// program.
    pub fn status(self) -> u16 {
        match self {
            Self::UnknownState
            | Self::MalformedCallback
            | Self::IssuerMismatch
            | Self::ProviderError => 400,
            Self::WrongRedirectUri => 404,
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

    /// The seconds of the `Retry-After` header (RFC 9110 §10.2.3).
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
