use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::AuthError;

/// The most Unicode code points a password may have (SR-011).
pub const MAX_CHARS: usize = 256;
/// The most UTF-8 bytes a password may have (SR-011).
pub const MAX_BYTES: usize = 1024;

/// What to say of a new password while it is being typed. Only what is certain: whether it is good
/// enough is decided on the server, which knows what people choose.
pub fn hint(typed: &str, minimum: u16) -> Option<String> {
    /// Fewer than so many different characters are a pattern.
    const SHOW_BELOW: usize = 5;
    let length = typed.chars().count();
    let missing = usize::from(minimum).saturating_sub(length);
    // Not by sorting: that would bring a whole sorting algorithm into the browser.
    let different = typed
        .chars()
        .enumerate()
        .filter(|(index, c)| !typed.chars().take(*index).any(|earlier| earlier == *c))
        .count();
    match (length, missing) {
        (0, _) => None,
        (_, 1) => Some("One more character.".to_owned()),
        (_, 2..) => Some(format!("{missing} more characters.")),
        _ if different < SHOW_BELOW => Some("Use more different characters.".to_owned()),
        _ => Some("Long enough.".to_owned()),
    }
}

/// A password as somebody typed it: secret from the edge on, so that no input shows it when it is
/// printed.
///
/// It is used byte for byte: no trimming, no case folding, no Unicode normalisation (SR-012). Not
/// normalising is the documented choice, because the hashes of existing databases were made from
/// the raw bytes.
///
/// Arguments of server functions deserialize into it, and the browser's side of them serializes it.
/// It may still be empty or too long, which a form has to be able to say in place:
/// [`check`](Self::check) tells, and the hasher takes no other.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// What was typed.
    pub fn new(typed: String) -> Self {
        Self(typed)
    }

    /// Accepts a typed password for checking or setting.
    ///
    /// # Errors
    /// Those of [`check`](Self::check).
    pub fn parse(typed: String) -> Result<Self, AuthError> {
        let password = Self(typed);
        password.check().map(|()| password)
    }

    /// Makes sure that it is short enough to be hashed.
    ///
    /// # Errors
    /// `PasswordMissing` when empty, `PasswordTooLong` beyond [`MAX_CHARS`] or [`MAX_BYTES`]:
    /// refused before any hashing, so that a huge body cannot buy processor time.
    pub fn check(&self) -> Result<(), AuthError> {
        if self.0.is_empty() {
            return Err(AuthError::PasswordMissing);
        }
        if self.0.len() > MAX_BYTES || self.0.chars().count() > MAX_CHARS {
            return Err(AuthError::PasswordTooLong);
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret itself. Every call is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_says_only_what_is_certain() {
        for (typed, said) in [
            ("", None),
            ("a", Some("11 more characters.")),
            ("elevenchars", Some("One more character.")),
            ("aaaaaaaaaaaaa", Some("Use more different characters.")),
            ("violet kettle", Some("Long enough.")),
        ] {
            assert_eq!(hint(typed, 12).as_deref(), said, "{typed}");
        }
    }

    #[test]
    fn a_password_is_kept_byte_for_byte() {
        let typed = " Pass\0wörd\u{fb01} ";
        assert_eq!(Password::parse(typed.to_owned()).unwrap().expose(), typed);
    }

    #[test]
    fn the_bounds_are_code_points_and_bytes() {
        assert!(Password::parse("ä".repeat(256)).is_ok());
        assert!(Password::parse("\u{1f600}".repeat(256)).is_ok());
        assert_eq!(
            Password::parse("a".repeat(257)).unwrap_err(),
            AuthError::PasswordTooLong
        );
        assert_eq!(
            Password::parse(String::new()).unwrap_err(),
            AuthError::PasswordMissing
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(
            format!("{:?}", Password::parse("hunter2".to_owned()).unwrap()),
            "***"
        );
    }
}
