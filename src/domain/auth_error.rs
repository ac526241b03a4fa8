use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Every way in which a request can fail, named by its outcome. A closed set without free text:
/// nothing that a library, a database or an attacker says can reach a page through it (SR-183).
///
/// [`code`](Self::code) is the stable word for logs and clients, [`status`](Self::status) the
/// number of the answer, [`field`](Self::field) the input that the sentence stands beside. The
/// sentence itself is `text::en::error_message`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum AuthError {
    /// The one answer for an unknown address, a wrong password, a disabled account and one without
    /// password (SR-020).
    BadCredentials,
    /// Nobody is logged in, or the session has ended.
    NotLoggedIn,
    /// Logged in, but not allowed.
    Forbidden,
    /// The form belongs to a page that was shown to another account than the one that is logged in
    /// now, or it does not say to which.
    AccountMismatch,
    /// What changes the account itself needs a login of the last five minutes (SR-142).
    ReauthenticationRequired,
    /// Without it nobody could log in to the account (SR-076).
    LastLoginMethod,
    /// Without them nobody could manage the others (SR-144).
    LastAdministrator,
    /// The address breaks SR-031.
    InvalidEmail,
    /// Somebody has an account with this address. Only said where that is no secret: to
    /// administrators, the shell, and the mailbox itself.
    EmailTaken,
    /// The account has this address already.
    EmailUnchanged,
    /// There is no mail with which somebody could prove another address (SR-142).
    EmailChangeUnavailable,
    /// The password field was empty.
    PasswordMissing,
    /// Beyond SR-011.
    PasswordTooLong,
    /// A new password shorter than the configured minimum, in code points.
    PasswordTooShort { minimum: u16 },
    /// A new password that a guesser tries early (SR-013).
    PasswordTooWeak,
    /// A new password made of the account's own address (SR-013).
    PasswordContainsEmail,
    /// The setup link is damaged, expired, or was signed with another `token_secret`.
    SetupLinkInvalid,
    /// There is an administrator already.
    AlreadySetUp,
    /// Somebody has an account, but nobody is an administrator: the setup link is void, and the
    /// shell is the way on (SR-039).
    UsersExistWithoutAdmin,
    /// `policy.registration = false` (SR-038).
    RegistrationClosed,
    /// The address cannot be used for a new account; deliberately neutral about why (SR-033).
    EmailUnavailable,
    /// The link for a new password is damaged, expired, used, or its account has changed.
    ResetLinkInvalid,
    /// The link that proves an address is damaged, expired, or for another account than the one
    /// that is logged in.
    VerificationLinkInvalid,
    /// The address would be proven by somebody who need not know the account's password, which
    /// somebody else may (SR-037).
    PasswordLoginRequired,
    /// What the person was about to connect with their account is too old, or was connected
    /// elsewhere.
    PendingLinkExpired,
    /// The throttle of SR-022; seconds until the next try counts.
    TooManyAttempts { retry_after: u32 },
    /// The request came from another site (SR-110).
    CrossSite,
    /// The request cannot be read: broken encoding, a field given twice, broken JSON.
    BadRequest,
    /// A text field holds control characters (SR-151).
    ControlCharacters,
    /// Neither a form nor JSON (SR-026).
    UnsupportedMediaType,
    /// The body is beyond the limit of SR-150.
    PayloadTooLarge,
    /// No such page.
    NotFound,
    /// The page exists, but does not answer to this method.
    MethodNotAllowed,
    /// Too many password checks are waiting (SR-171).
    Overloaded,
    /// The database cannot be reached (SR-190).
    Unavailable,
    /// The request was not finished in time, whoever was slow (SR-224).
    Timeout,
    /// A fault of ours; the log has the reason under the request's number.
    Internal,
}

/// An input of a form, for placing a message and the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Email,
    Password,
}

impl AuthError {
    /// The input that the message stands beside; `None` for a message about the whole form.
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

    /// The `id` of the element where the sentence stands: an input's, or `alert` for the form as a
    /// whole.
    pub fn place(self) -> &'static str {
        match self.field() {
            Some(Field::Email) => "email",
            Some(Field::Password) => "password",
            None => "alert",
        }
    }

    /// The stable word for logs and clients: the variant's name in snake case.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The HTTP status of the answer.
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

    /// Seconds after which trying again makes sense, for the `Retry-After` header (RFC 9110
    /// §10.2.3).
    pub fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooManyAttempts { retry_after } => Some(retry_after),
            Self::Overloaded => Some(2),
            Self::Unavailable | Self::Timeout => Some(5),
            _ => None,
        }
    }
}

/// The code, and the number if there is one: `password_too_short 12`. Text, because an object would
/// bring a whole parser for numbers into the browser.
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
