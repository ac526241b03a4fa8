use crate::{
    domain::{AuthError, Password},
    server::config::Config,
};

/// The length of the local part below which a password may contain it, because short local parts
/// are common parts of words (SR-013).
const MIN_LOCAL_PART_LEN: usize = 4;
/// The number of characters that zxcvbn estimates. Its time grows with the square of the length,
/// and further characters cannot make a password weaker.
const MAX_ESTIMATED_CHARS: usize = 72;

/// A password that satisfies the rules for new passwords (SR-010, SR-013).
#[derive(Clone, Debug)]
pub struct NewPassword(Password);

impl NewPassword {
    /// Checks a password for the account with this address.
    ///
    /// # Errors
    /// Those of [`Password::check`]; `PasswordTooShort`, `PasswordContainsEmail`,
    /// `PasswordTooWeak`.
    pub fn parse(password: Password, address: &str, config: &Config) -> Result<Self, AuthError> {
        password.check()?;
        let text = password.expose();
        let minimum = config.policy.password_min_length;
        if text.chars().count() < usize::from(minimum) {
            return Err(AuthError::PasswordTooShort { minimum });
        }
        let address = address.to_ascii_lowercase();
        let local = address.split('@').next().unwrap_or_default();
        if local.len() >= MIN_LOCAL_PART_LEN && text.to_ascii_lowercase().contains(local) {
            return Err(AuthError::PasswordContainsEmail);
        }
        let start: String = text.chars().take(MAX_ESTIMATED_CHARS).collect();
        let estimate = zxcvbn::zxcvbn(
            &start,
            &[&address, local, &config.server.app_name, "mediamanager"],
        );
        if estimate.score() < zxcvbn::Score::Two {
            return Err(AuthError::PasswordTooWeak);
        }
        Ok(Self(password))
    }

    /// Returns the password, for hashing.
    pub fn into_password(self) -> Password {
        self.0
    }
}
