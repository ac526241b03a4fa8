pub const TITLE: &str = "Waiting for approval";
pub const LOGGED_IN_AS: &str = "You are logged in as ";
pub const NOT_APPROVED: &str =
    ", but your account is new and has to be approved before you can use ";
pub const FULL_STOP: &str = ".";
pub const WHO_CAN_APPROVE: &str = "An administrator of this server can approve it. Tell the person who runs it that you are waiting, then check again.";
pub const CHECK_AGAIN: &str = "Check again";
pub const RESEND_HINT: &str =
    "Have you confirmed your address with the link in our mail? The administrators are told then.";
pub const RESEND: &str = "Send the mail again";

/// An approved account whose address is not verified.
pub mod confirm_email {
    pub const TITLE: &str = "Confirm your address";
    pub const NOT_CONFIRMED: &str = ". Nobody has confirmed yet that this mailbox is yours.";
    pub const SEND_HINT: &str = "We send a link there. It works for a day.";
    pub const SEND: &str = "Send the mail";
}
