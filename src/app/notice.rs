use strum::{EnumString, IntoStaticStr};

use super::paths::Page;

/// What the page after a successful form says. It travels as `?notice=…`, and a page shows only
/// those that it names, so that nobody can make it say something else with a link.
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
    /// The word in the address.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The address of a page that shows this notice.
    pub fn on(self, page: &Page) -> String {
        self.at(page.path)
    }

    /// The same for a page whose path has a parameter.
    pub fn at(self, path: &str) -> String {
        format!("{path}?notice={}", self.code())
    }
}
