use strum::{EnumString, IntoStaticStr};

/// What granted a right where no user did, as `auth_user_account` stores it in place of a user's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum GrantSource {
    /// The setup link.
    Setup,
    /// The command line.
    Shell,
    /// The OpenID provider, by its claims.
    Provider,
    /// The setting `auth.admin_emails`.
    AdminEmails,
}

impl GrantSource {
    /// The value in the database, and the method of the event.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
