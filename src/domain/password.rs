use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::AuthError;

/// The most Unicode code points a new password may have (SR-011).
pub const MAX_CHARS: usize = 256;
/// The most UTF-8 bytes a new password may have (SR-011).
pub const MAX_BYTES: usize = 1024;
/// The most UTF-8 bytes a password may have that is only verified (SR-011). MediaManager has no
/// limit, and its passwords must keep working.
const MAX_VERIFIED_BYTES: usize = 4096;

/// Feedback on a new password while it is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordHint {
    /// `missing` code points are left to the minimum length.
    TooShort {
        missing: usize,
    },
    /// Long enough, but made of too few different characters.
    TooUniform,
    LongEnough,
}

/// Feedback on a new password while it is being typed; `None` for an empty one. Only the server
/// decides whether a password is good enough, because it knows the common ones.
pub fn hint(typed: &str, minimum: u16) -> Option<PasswordHint> {
    /// Fewer different characters count as a pattern.
    const MIN_DIFFERENT_CHARS: usize = 5;
    let length = typed.chars().count();
    let missing = usize::from(minimum).saturating_sub(length);
    // Quadratic, because a sort would add its algorithm to the WebAssembly.
    let different = typed
        .chars()
        .enumerate()
        .filter(|(index, c)| !typed.chars().take(*index).any(|earlier| earlier == *c))
        .count();
    match (length, missing) {
        (0, _) => None,
        (_, 1..) => Some(PasswordHint::TooShort { missing }),
        _ if different < MIN_DIFFERENT_CHARS => Some(PasswordHint::TooUniform),
        _ => Some(PasswordHint::LongEnough),
    }
}

/// A password as it was typed. `Debug` hides it, so that no input prints it.
///
/// It is used byte for byte: no trimming, no case folding, no Unicode normalisation (SR-012).
/// Normalising would break existing databases, whose hashes were made from the raw bytes.
///
/// Arguments of server functions deserialize into it. It may be empty or too long, so that a form
/// can report that in place; the hasher verifies only what [`check`](Self::check) accepts.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    pub fn new(typed: String) -> Self {
        Self(typed)
    }

    /// Accepts a typed new password.
    ///
    /// # Errors
    /// Those of [`check_new`](Self::check_new).
    pub fn parse(typed: String) -> Result<Self, AuthError> {
        let password = Self(typed);
        password.check_new().map(|()| password)
    }

    /// Checks that the password may be verified.
    ///
    /// # Errors
    /// `PasswordMissing` when empty, `PasswordTooLong` beyond 4096 bytes: rejected before any
    /// hashing, so that a huge body cannot buy processor time.
    pub fn check(&self) -> Result<(), AuthError> {
        if self.0.is_empty() {
            return Err(AuthError::PasswordMissing);
        }
        if self.0.len() > MAX_VERIFIED_BYTES {
            return Err(AuthError::PasswordTooLong);
        }
        Ok(())
    }

    /// Checks that the password may be set.
    ///
    /// # Errors
    /// `PasswordMissing` when empty, `PasswordTooLong` beyond [`MAX_CHARS`] or [`MAX_BYTES`].
    pub fn check_new(&self) -> Result<(), AuthError> {
        self.check()?;
        if self.0.len() > MAX_BYTES || self.0.chars().count() > MAX_CHARS {
            return Err(AuthError::PasswordTooLong);
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret itself. Reviews look at every call.
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
            ("a", Some(PasswordHint::TooShort { missing: 11 })),
            ("elevenchars", Some(PasswordHint::TooShort { missing: 1 })),
            ("aaaaaaaaaaaaa", Some(PasswordHint::TooUniform)),
            ("violet kettle", Some(PasswordHint::LongEnough)),
        ] {
            assert_eq!(hint(typed, 12), said, "{typed}");
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
