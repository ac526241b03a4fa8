/// `/login/forgot-password`
pub mod forgot {
    pub const TITLE: &str = "Forgot password";
    pub const LEAD: &str = "Enter the address of your account. If there is one, we send a link with which you can choose a new password.";
    pub const BUTTON: &str = "Send link";
    pub const DISABLED: &str = "Nobody can set a new password by mail here. Ask an administrator for a link with which you can choose one.";
}

/// `/login/reset-password`
pub mod reset {
    pub const TITLE: &str = "Choose a new password";
    pub const LEAD: &str = "Everybody who is logged in to this account is logged out then, and you log in with the new password.";
    pub const BUTTON: &str = "Set password";
}
