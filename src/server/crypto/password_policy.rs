use crate::{
    domain::{AuthError, Password},
    server::config::Config,
};

/// The length of the local part below which a password may contain it, because short local parts
/// are common parts of words (SR-013).
const MIN_LOCAL_PART_LEN: usize = 4;
/// The number of characters that zxcvbn estimates; further ones cannot make a password weaker. It
/// repeats its search for every combination of the symbols that may stand for letters, up to 800
/// times. With 32 characters the worst text takes as long as a hash, with 72 six times as long.
const MAX_ESTIMATED_CHARS: usize = 32;

/// A password that satisfies the cheap rules for new passwords (SR-010, SR-013). The hasher checks
/// its strength too.
#[derive(Clone, Debug)]
pub struct NewPassword {
    password: Password,
    /// Words that make a password easy to guess: the account's address and the names of the program.
    guessable: Vec<String>,
}

impl NewPassword {
    /// Checks a password for the account with this address.
    ///
    /// # Errors
    /// Those of [`Password::check_new`]; `PasswordTooShort`, `PasswordContainsEmail`.
    pub fn parse(password: Password, address: &str, config: &Config) -> Result<Self, AuthError> {
        password.check_new()?;
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
        let guessable = vec![
            local.to_owned(),
            config.server.app_name.clone(),
            "mediamanager".to_owned(),
            address,
        ];
        Ok(Self {
            password,
            guessable,
        })
    }

    /// Estimates how easy the password is to guess. It takes up to a tenth of a second, so
    /// `Hasher::hash` calls it.
    ///
    /// # Errors
    /// `PasswordTooWeak`.
    pub fn check_strength(&self) -> Result<(), AuthError> {
        let start: String = self.expose().chars().take(MAX_ESTIMATED_CHARS).collect();
        let guessable: Vec<&str> = self.guessable.iter().map(String::as_str).collect();
        if zxcvbn::zxcvbn(&start, &guessable).score() < zxcvbn::Score::Two {
            return Err(AuthError::PasswordTooWeak);
        }
        Ok(())
    }

    /// The secret itself. Reviews look at every call.
    pub fn expose(&self) -> &str {
        self.password.expose()
    }
}

#[cfg(test)]
impl NewPassword {
    /// A password for the tests of hashing, which have no configuration.
    pub fn unchecked(text: &str) -> Self {
        Self {
            password: Password::new(text.to_owned()),
            guessable: Vec::new(),
        }
    }
}
