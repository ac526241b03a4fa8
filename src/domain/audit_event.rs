/// The kinds of events in the audit log (SR-180). The codes are stable, because the log and the
/// `auth_event` table contain them.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter, strum::EnumString, strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum AuditEvent {
    LoggedIn,
    LoginFailed,
    LoginThrottled,
    DefaultPasswordRefused,
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
    /// The stable code: the variant's name in snake case.
    pub fn code(self) -> &'static str {
        self.into()
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
