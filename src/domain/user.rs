/// A person with an account: a row of MediaManager's `user` table, without the password hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// MediaManager's id, also the `sub` of the session token.
    pub id: uuid::Uuid,
    /// As stored. Rows that MediaManager made may hold capitals and non-ASCII letters, so this is
    /// text and not an `Email`.
    pub email: String,
    /// A disabled account cannot log in and has no sessions.
    pub is_active: bool,
    /// An administrator.
    pub is_superuser: bool,
    /// May use the application: approved by an administrator or vouched for by the provider. Not
    /// "the address is proven".
    pub is_verified: bool,
}

impl User {
    /// May manage the others: a disabled account may nothing, and one whose approval was withdrawn
    /// is no administrator any more.
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
