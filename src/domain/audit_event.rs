/// What is worth remembering of a login front door (SR-180). The names are stable: they stand in the log and in the `event` table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum AuditEvent {
    LoggedIn,
    LoginFailed,
    LoginThrottled,
    LoggedOut,
    BackchannelLogout,
    SessionsEnded,
    SetupDone,
    SignedUp,
    SignupDuplicateEmail,
    EmailVerified,
    EmailChangeRequested,
    EmailChanged,
    EmailSynced,
    EmailSyncSkipped,
    ResetRequested,
    ResetLinkCreated,
    PasswordReset,
    PasswordChanged,
    IdentityLinked,
    IdentityUnlinked,
    LinkConfirmationRequired,
    UnverifiedCredentialsRevoked,
    UserCreated,
    UserApproved,
    ApprovalRevoked,
    UserDisabled,
    UserEnabled,
    RoleChanged,
    UserDeleted,
    MailSent,
    MailRateLimited,
    MailFailed,
    AccessDenied,
    CsrfRejected,
}

impl AuditEvent {
    /// The stable word.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// What happened, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::LoggedIn => "Logged in",
            Self::LoginFailed => "A login failed",
            Self::LoginThrottled => "Login blocked by rate limit",
            Self::LoggedOut => "Logged out",
            Self::BackchannelLogout => "Logged out by the provider",
            Self::SessionsEnded => "Sessions ended",
            Self::SetupDone => "The first administrator was set up",
            Self::SignedUp => "An account was created and waits for approval",
            Self::SignupDuplicateEmail => "An account was asked for with this address",
            Self::EmailVerified => "The address was confirmed",
            Self::EmailChangeRequested => "Another address was asked for",
            Self::EmailChanged => "The address was changed",
            Self::EmailSynced => "The address was changed to the provider's",
            Self::EmailSyncSkipped => "The provider's other address was not taken over",
            Self::ResetRequested => "A link for a new password was asked for",
            Self::ResetLinkCreated => "A link for a new password was made",
            Self::PasswordReset => "A password was set by a link",
            Self::PasswordChanged => "The password was changed",
            Self::IdentityLinked => "An account at the provider was connected",
            Self::IdentityUnlinked => "An account at the provider was disconnected",
            Self::LinkConfirmationRequired => "The password was asked for before connecting",
            Self::UnverifiedCredentialsRevoked => "What was set before the address was proven became void",
            Self::UserCreated => "An account was made",
            Self::UserApproved => "The account was approved",
            Self::ApprovalRevoked => "The approval was withdrawn",
            Self::UserDisabled => "The account was disabled",
            Self::UserEnabled => "The account was enabled",
            Self::RoleChanged => "The role was changed",
            Self::UserDeleted => "The account was deleted",
            Self::MailSent => "A mail was sent",
            Self::MailRateLimited => "A mail was withheld: there were three within the hour",
            Self::MailFailed => "A mail could not be sent",
            Self::AccessDenied => "A page for administrators was refused",
            Self::CsrfRejected => "A request from another site was refused",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::IntoEnumIterator;

    #[test]
    fn every_event_fits_its_column_and_is_read_back() {
        for event in AuditEvent::iter() {
            assert!(event.code().len() <= 32, "{}", event.code());
            assert_eq!(event.code().parse(), Ok(event));
        }
    }
}
