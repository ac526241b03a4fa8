//! Links between pages.

pub const BACK: &str = "Back";
pub const BACK_TO_ACCOUNT: &str = "Back to your account";
pub const BACK_TO_LOGIN: &str = "Back to the login page";
pub const ACCOUNT: &str = "Your account";
pub const ALL_USERS: &str = "All users";
pub const SEPARATOR: &str = " · ";
