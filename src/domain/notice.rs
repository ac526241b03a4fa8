use strum::{EnumString, IntoStaticStr};

/// The outcome of a successful form, shown on the next page. It travels as `?notice=…`; a page
/// shows only the notices that it lists, so that a link cannot make it show any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Notice {
    AccountCreated,
    AccountDeleted,
    EmailChangeSent,
    EmailChanged,
    EmailVerified,
    LoggedOut,
    /// The session had come from the provider: the login page offers to log out there too.
    LoggedOutHere,
    PasswordChanged,
    PasswordReset,
    ProviderLinked,
    ProviderUnlinked,
    ResetRequested,
    SessionEnded,
    SessionsEnded,
    SignedUp,
    UserApproved,
    UserDeleted,
    UserUpdated,
    VerificationSent,
}

impl Notice {
    /// The value of the query parameter.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The URL of a page, by its path, that shows this notice.
    pub fn at(self, path: &str) -> String {
        format!("{path}?notice={}", self.code())
    }
}
