use crate::domain::{AuthError, password};

/// What happened, and what to do about it.
pub fn error_message(error: AuthError) -> String {
    let text = match error {
        AuthError::BadCredentials => {
            "That e-mail and password do not match. Check both and try again."
        }
        AuthError::NotLoggedIn => "Your session has ended. Log in again.",
        AuthError::Forbidden => {
            "Your account is not allowed to do this. An administrator can change that."
        }
        AuthError::AccountMismatch => {
            "You are now logged in with another account. Nothing was changed."
        }
        AuthError::ReauthenticationRequired => {
            "Your login is older than five minutes. Log in again first, so that nobody else at this screen can change your account."
        }
        AuthError::PasswordLoginRequired => {
            "Log in with the password of this account first, then open the link again. If you do not know it, somebody else may: choose a new one \
             over \u{201c}Forgot password\u{201d}, or ask an administrator for a link."
        }
        AuthError::LastLoginMethod => {
            "This is the only way into your account. Choose a password first."
        }
        AuthError::LastAdministrator => {
            "This is the last active administrator. Make somebody else one first."
        }
        AuthError::EmailUnchanged => "This is the account's address already.",
        AuthError::EmailChangeUnavailable => {
            "No mail can be sent from here to prove another address. Ask an administrator to change it."
        }
        AuthError::InvalidEmail => "Enter an e-mail address like name@example.org.",
        AuthError::EmailTaken => "There is an account with this e-mail address already.",
        AuthError::PasswordMissing => "Enter a password.",
        AuthError::PasswordTooLong => {
            return format!(
                "Enter a password of at most {} characters.",
                password::MAX_CHARS
            );
        }
        AuthError::PasswordTooShort { minimum } => {
            return format!("Use at least {minimum} characters.");
        }
        AuthError::PasswordTooWeak => {
            "This password is easy to guess. Use several unrelated words or a longer one."
        }
        AuthError::PasswordContainsEmail => {
            "Choose a password that does not contain your e-mail name."
        }
        AuthError::SetupLinkInvalid => {
            "This setup link is not valid any more. Restart the program: it prints a new one."
        }
        AuthError::AlreadySetUp => "The first administrator is set up already. Log in instead.",
        AuthError::UsersExistWithoutAdmin => {
            "Somebody has an account already, but nobody is an administrator. Make one from the shell: mediamanager-auth user promote EMAIL for \
             an account that is there, mediamanager-auth user create --admin EMAIL for a new one."
        }
        AuthError::RegistrationClosed => "New accounts are made by an administrator here. Ask one.",
        AuthError::EmailUnavailable => {
            "This address cannot be used for a new account. If you have an account, log in instead."
        }
        AuthError::ResetLinkInvalid => {
            "This link is not valid any more: it was used, is too old, or the account has changed. Ask for a new one."
        }
        AuthError::VerificationLinkInvalid => {
            "This link is not valid for the account that is logged in. Ask for a new one."
        }
        AuthError::PendingLinkExpired => {
            "This took longer than ten minutes. Go to the login page and start again."
        }
        AuthError::TooManyAttempts { retry_after } => {
            let (number, unit) = if retry_after < 120 {
                (retry_after, "second")
            } else {
                (retry_after.div_ceil(60), "minute")
            };
            let plural = if number == 1 { "" } else { "s" };
            return format!("Too many attempts. Try again in {number} {unit}{plural}.");
        }
        AuthError::CrossSite => {
            "This request came from another site and was refused. Open the page again and repeat it here."
        }
        AuthError::BadRequest => "The request could not be read. Go back and send the form again.",
        AuthError::ControlCharacters => "Remove invisible control characters and try again.",
        AuthError::UnsupportedMediaType => "This kind of content is not accepted here.",
        AuthError::PayloadTooLarge => "The request is too large.",
        AuthError::NotFound => "There is no page at this address.",
        AuthError::MethodNotAllowed => {
            "This address does not take what was sent. Open it as a page instead."
        }
        AuthError::Overloaded => {
            "Many people are logging in right now. Try again in a few seconds."
        }
        AuthError::Unavailable => {
            "The account database cannot be reached at the moment. Try again soon."
        }
        AuthError::Timeout => "This took too long and was given up. Try again.",
        AuthError::Internal => {
            "Something went wrong on our side. The administrator finds the reason in the log."
        }
    };
    text.to_owned()
}

/// The sentence for [`AuthError::AccountMismatch`] with the address of the account that is logged
/// in now.
pub fn account_mismatch(email: &str) -> String {
    format!("You are now logged in as {email}. Nothing was changed.")
}

/// The same where the page stays open, because its script has sent the form.
pub fn account_mismatch_in_place(message: &str) -> String {
    format!("{message} Reload this page to go on.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_are_said_in_words_a_person_uses() {
        let text = |retry_after| error_message(AuthError::TooManyAttempts { retry_after });
        assert_eq!(text(1), "Too many attempts. Try again in 1 second.");
        assert_eq!(text(90), "Too many attempts. Try again in 90 seconds.");
        assert_eq!(text(600), "Too many attempts. Try again in 10 minutes.");
    }
}
