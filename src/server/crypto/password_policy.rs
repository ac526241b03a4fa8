use crate::{
    domain::{AuthError, Password},
    server::config::Config,
};

/// Below this local part length, "contains your e-mail name" would forbid half the language
/// (SR-013).
const MIN_LOCAL_PART_LEN: usize = 4;
/// zxcvbn's time grows with the square of the length; what follows cannot make a password weaker.
const MAX_ESTIMATED_CHARS: usize = 72;

/// A password good enough to be set: the rule of SR-010 and SR-013 for every way of setting one.
#[derive(Clone, Debug)]
pub struct NewPassword(Password);

impl NewPassword {
    /// Accepts a typed password for the account with this address.
    ///
    /// # Errors
    /// What is wrong with it, so that the person can choose a better one.
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

    /// The password, for hashing.
    pub fn into_password(self) -> Password {
        self.0
    }
}
