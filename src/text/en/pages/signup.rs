pub const TITLE: &str = "Create account";
pub const LEAD_WITH_MAIL: &str =
    "You get a mail to confirm the address. Then an administrator approves the account.";
pub const LEAD_WITHOUT_MAIL: &str = "An administrator approves the account before you can use it.";
pub const HAVE_ACCOUNT: &str = "I have an account";
