use crate::domain::AuditEvent;

/// What happened, as the audit log and the log line say it.
pub fn event_description(event: AuditEvent) -> &'static str {
    match event {
        AuditEvent::LoggedIn => "Logged in",
        AuditEvent::LoginFailed => "A login failed",
        AuditEvent::LoginThrottled => "Login blocked by rate limit",
        AuditEvent::DefaultPasswordRefused => {
            "A login with MediaManager's default password was refused"
        }
        AuditEvent::LoggedOut => "Logged out",
        AuditEvent::BackchannelLogout => "Logged out by the provider",
        AuditEvent::SessionsEnded => "Sessions ended",
        AuditEvent::SetupDone => "The first administrator was set up",
        AuditEvent::SignedUp => "An account was created and waits for approval",
        AuditEvent::SignupDuplicateEmail => "An account was asked for with this address",
        AuditEvent::EmailVerified => "The address was confirmed",
        AuditEvent::EmailChangeRequested => "Another address was asked for",
        AuditEvent::EmailChanged => "The address was changed",
        AuditEvent::EmailSynced => "The address was changed to the provider's",
        AuditEvent::EmailSyncSkipped => "The provider's other address was not taken over",
        AuditEvent::ResetRequested => "A link for a new password was asked for",
        AuditEvent::ResetLinkCreated => "A link for a new password was made",
        AuditEvent::PasswordReset => "A password was set by a link",
        AuditEvent::PasswordChanged => "The password was changed",
        AuditEvent::IdentityLinked => "An account at the provider was connected",
        AuditEvent::IdentityUnlinked => "An account at the provider was disconnected",
        AuditEvent::LinkConfirmationRequired => "The password was asked for before connecting",
        AuditEvent::UnverifiedCredentialsRevoked => {
            "What was set before the address was proven became void"
        }
        AuditEvent::UserCreated => "An account was made",
        AuditEvent::UserApproved => "The account was approved",
        AuditEvent::ApprovalRevoked => "The approval was withdrawn",
        AuditEvent::UserDisabled => "The account was disabled",
        AuditEvent::UserEnabled => "The account was enabled",
        AuditEvent::RoleChanged => "The role was changed",
        AuditEvent::UserDeleted => "The account was deleted",
        AuditEvent::MailSent => "A mail was sent",
        AuditEvent::MailRateLimited => "A mail was withheld: there were three within the hour",
        AuditEvent::MailFailed => "A mail could not be sent",
        AuditEvent::AccessDenied => "A page for administrators was refused",
        AuditEvent::CsrfRejected => "A request from another site was refused",
    }
}
