use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The outcomes of a failed request. A closed set without free text, so that no text of a library,
/// the database or an attacker can reach a page (SR-183).
///
/// The messages are in `text::en::error_message`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum AuthError {
    /// The common error for an unknown address, a wrong password, a disabled account and an account
    /// without a password. Different errors would reveal which addresses have an account (SR-020).
    BadCredentials,
    /// The request has no live session.
    NotLoggedIn,
    /// The user lacks the right.
    Forbidden,
    /// The form was shown to another user than the one that is logged in, or lacks its account
    /// field.
    AccountMismatch,
    /// Changing the account requires a login within the last five minutes (SR-142).
    ReauthenticationRequired,
    /// The login method is the account's last one, so it cannot be removed (SR-076).
    LastLoginMethod,
    /// The user is the last administrator and must stay one (SR-144).
    LastAdministrator,
    /// The address breaks SR-031.
    InvalidEmail,
    /// Another account has this address. Only shown where that is not a secret: to administrators,
    /// in the CLI, and to the owner of the mailbox.
    EmailTaken,
    /// The account has this address already.
    EmailUnchanged,
    /// A new address cannot be verified, because mail is not configured (SR-142).
    EmailChangeUnavailable,
    /// The password field was empty.
    PasswordMissing,
    /// The password exceeds the limits of SR-011.
    PasswordTooLong,
    /// The new password is shorter than the configured minimum, in code points (SR-010).
    PasswordTooShort {
        minimum: u16,
    },
    /// The new password is easy to guess (SR-013).
    PasswordTooWeak,
    /// The new password contains the local part of the account's address (SR-013).
    PasswordContainsEmail,
    /// The setup link is damaged, expired, or was signed with another `token_secret`.
    SetupLinkInvalid,
    /// An administrator exists.
    AlreadySetUp,
    /// Users exist, but no administrator. The setup link is no longer valid, and the CLI must
    /// promote a user (SR-039).
    UsersExistWithoutAdmin,
    /// `policy.registration` is false (SR-038).
    RegistrationClosed,
    /// The address cannot be used for a new account. The reason is not given, because it would
    /// reveal whether the address has one (SR-033).
    EmailUnavailable,
    /// The reset link is damaged, expired or used, or its account has changed.
    ResetLinkInvalid,
    /// The verification link is damaged or expired, or belongs to another user than the one that is
    /// logged in.
    VerificationLinkInvalid,
    /// Verification is refused because this session was not opened with the password: someone else
    /// may have set it (SR-037).
    PasswordLoginRequired,
    /// The pending link of an identity is too old, or the identity was linked elsewhere.
    PendingLinkExpired,
    /// A rate limit of SR-022 is reached. `retry_after` is in seconds.
    TooManyAttempts {
        retry_after: u32,
    },
    /// The CSRF check rejected a request from another site (SR-110).
    CrossSite,
    /// The request has a broken encoding, a duplicate field, or invalid JSON.
    BadRequest,
    /// A text field holds control characters (SR-151).
    ControlCharacters,
    /// The body is neither a form nor JSON (SR-026).
    UnsupportedMediaType,
    /// The body exceeds the limit of SR-150.
    PayloadTooLarge,
    NotFound,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The queue of password hashes is full (SR-171).
    Overloaded,
    /// The database is unavailable (SR-190).
    Unavailable,
    /// The request exceeded the request timeout (SR-224).
    Timeout,
    /// An internal error. Its reason is in the log under the request id.
    Internal,
}

/// The input of a form that receives the error message and the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Email,
    Password,
}

impl AuthError {
    /// The input that the message belongs to; `None` for a message about the whole form.
    pub fn field(self) -> Option<Field> {
        match self {
            Self::InvalidEmail
            | Self::EmailTaken
            | Self::EmailUnchanged
            | Self::EmailChangeUnavailable
            | Self::EmailUnavailable => Some(Field::Email),
            Self::PasswordMissing
            | Self::PasswordTooLong
            | Self::PasswordTooShort { .. }
            | Self::PasswordTooWeak
            | Self::PasswordContainsEmail => Some(Field::Password),
            _ => None,
        }
    }

    /// The `id` of the element that shows the message: the input, or the form's `alert`.
    pub fn place(self) -> &'static str {
        match self.field() {
            Some(Field::Email) => "email",
            Some(Field::Password) => "password",
            None => "alert",
        }
    }

    /// The stable code for logs and clients: the variant's name in snake case.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The HTTP status of the response.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::BadCredentials | Self::NotLoggedIn => 401,
            Self::Forbidden
            | Self::CrossSite
            | Self::RegistrationClosed
            | Self::ReauthenticationRequired
            | Self::EmailChangeUnavailable
            | Self::PasswordLoginRequired => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::AccountMismatch
            | Self::AlreadySetUp
            | Self::UsersExistWithoutAdmin
            | Self::EmailTaken
            | Self::EmailUnavailable
            | Self::LastLoginMethod
            | Self::LastAdministrator => 409,
            Self::SetupLinkInvalid
            | Self::PendingLinkExpired
            | Self::ResetLinkInvalid
            | Self::VerificationLinkInvalid => 410,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::InvalidEmail
            | Self::EmailUnchanged
            | Self::PasswordMissing
            | Self::PasswordTooLong
            | Self::PasswordTooShort { .. }
            | Self::PasswordTooWeak
            | Self::PasswordContainsEmail
            | Self::ControlCharacters => 422,
            Self::TooManyAttempts { .. } => 429,
            Self::Internal => 500,
            Self::Overloaded | Self::Unavailable | Self::Timeout => 503,
        }
    }

    /// The seconds of the `Retry-After` header (RFC 9110 §10.2.3).
    pub fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooManyAttempts { retry_after } => Some(retry_after),
            Self::Overloaded => Some(2),
            Self::Unavailable | Self::Timeout => Some(5),
            _ => None,
        }
    }
}

/// Serializes the code and, if there is one, the number: `password_too_short 12`. A string, because
/// an object would add a number parser to the WebAssembly.
impl Serialize for AuthError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::PasswordTooShort { minimum } => {
                serializer.collect_str(&format_args!("{} {minimum}", self.code()))
            }
            Self::TooManyAttempts { retry_after } => {
                serializer.collect_str(&format_args!("{} {retry_after}", self.code()))
            }
            _ => serializer.serialize_str(self.code()),
        }
    }
}

impl<'de> Deserialize<'de> for AuthError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (code, number) = text.split_once(' ').unwrap_or((&text, "0"));
        let unknown = |_| de::Error::custom("unknown error code");
        let mut error: Self = code.parse().map_err(unknown)?;
        match &mut error {
            Self::PasswordTooShort { minimum } => *minimum = number.parse().unwrap_or_default(),
            Self::TooManyAttempts { retry_after } => {
                *retry_after = number.parse().unwrap_or_default()
            }
            _ => {}
        }
        Ok(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_trip_to_the_browser() {
        for (error, text) in [
            (AuthError::BadCredentials, "\"bad_credentials\""),
            (
                AuthError::PasswordTooShort { minimum: 12 },
                "\"password_too_short 12\"",
            ),
            (
                AuthError::TooManyAttempts { retry_after: 600 },
                "\"too_many_attempts 600\"",
            ),
        ] {
            assert_eq!(serde_json::to_string(&error).unwrap(), text);
            assert_eq!(serde_json::from_str::<AuthError>(text).unwrap(), error);
        }
        assert!(serde_json::from_str::<AuthError>("\"no such code\"").is_err());
    }
}
