use strum::{EnumString, IntoStaticStr};

/// An action of an administrator on one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum UserAction {
    Approve,
    Disable,
    Enable,
    MakeAdministrator,
    MakeMember,
    EndSessions,
    EndSession,
    CreateResetLink,
    Delete,
}

impl UserAction {
    /// The value in forms and URLs.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// Whether the action gives control over the account, so that it requires a recent login
    /// (SR-142).
    pub fn requires_recent_login(self) -> bool {
        matches!(
            self,
            Self::MakeAdministrator | Self::CreateResetLink | Self::Delete
        )
    }

    /// Whether the action is hard to undo.
    pub fn is_dangerous(self) -> bool {
        matches!(self, Self::Disable | Self::Delete)
    }
}
