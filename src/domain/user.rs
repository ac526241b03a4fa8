/// A row of MediaManager's `user` table, without the password hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// MediaManager's id, also the `sub` of the session token.
    pub id: uuid::Uuid,
    /// The address as stored. Not an [`Email`](crate::domain::Email), because MediaManager's rows
    /// may have capital and non-ASCII letters.
    pub email: String,
    /// False for a disabled account, which cannot log in and has no sessions.
    pub is_active: bool,
    /// Whether the user has the administrator's right. See
    /// [`is_administrator`](Self::is_administrator).
    pub is_superuser: bool,
    /// Whether the user is approved to use the application. Despite its name, not whether the
    /// address is verified.
    pub is_verified: bool,
}

impl User {
    /// Whether the user may manage other users. That requires an active and approved account too,
    /// so that disabling an account or revoking its approval removes the right.
    pub fn is_administrator(&self) -> bool {
        self.is_active && self.is_verified && self.is_superuser
    }
}

/// Whether an account may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AccountStatus {
    /// Active, but not approved by an administrator.
    Pending,
    /// Active and approved.
    Active,
    Disabled,
}

impl AccountStatus {
    pub fn new(is_active: bool, is_verified: bool) -> Self {
        match (is_active, is_verified) {
            (false, _) => Self::Disabled,
            (true, false) => Self::Pending,
            (true, true) => Self::Active,
        }
    }
}
