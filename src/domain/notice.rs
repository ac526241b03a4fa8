use strum::{EnumString, IntoStaticStr};

/// The outcome of a form, shown on the next page. It travels as `?notice=…` and is shown only to the
/// browser whose form it was; a page shows only the notices that it lists.
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
    /// The other sessions of one's own account.
    OtherSessionsEnded,
    PasswordChanged,
    PasswordReset,
    ProviderLinked,
    ProviderUnlinked,
    ResetRequested,
    SessionEnded,
    /// A form was sent after its session had ended.
    SessionExpired,
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

    /// The URL of a page, with or without a query, that shows this notice.
    pub fn at(self, page: &str) -> String {
        let separator = if page.contains('?') { '&' } else { '?' };
        format!("{page}{separator}notice={}", self.code())
    }
}
