use crate::domain::Notice;

/// The outcome of the form before.
pub fn message(notice: Notice) -> &'static str {
    match notice {
        Notice::AccountCreated => {
            "The account is made. A mail with a link for the first password is on its way."
        }
        Notice::AccountDeleted => "Your account is deleted.",
        Notice::EmailChangeSent => {
            "We have sent a mail to the new address. Open the link in it here, in this browser."
        }
        Notice::EmailChanged => "Your address is changed. Log in with the new one from now on.",
        Notice::EmailVerified => "Your address is confirmed.",
        Notice::LoggedOut | Notice::LoggedOutHere => "You are logged out.",
        Notice::OtherSessionsEnded => "You are logged out everywhere else.",
        Notice::PasswordChanged => "Your password is changed. You are logged out everywhere else.",
        Notice::PasswordReset => "Your password is changed. Log in with the new one.",
        Notice::ProviderLinked => "Your account at the provider is connected.",
        Notice::ProviderUnlinked => "Your account at the provider is disconnected.",
        Notice::ResetRequested => {
            "If there is an account with that address, a mail with a link is on its way. Look into the spam folder too."
        }
        Notice::SessionEnded => "That session is ended.",
        Notice::SessionExpired => "Your session has ended. Log in to go on.",
        Notice::SessionsEnded => "They are logged out everywhere.",
        Notice::SignedUp => {
            "We have sent a mail to that address. Log in here, then open the link in the mail to confirm it."
        }
        Notice::UserApproved => "The account is approved.",
        Notice::UserDeleted => "The account is deleted.",
        Notice::UserUpdated => "Saved.",
        Notice::VerificationSent => {
            "We have sent a mail. Open the link in it here, in this browser."
        }
    }
}
