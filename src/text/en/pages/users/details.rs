//! `/users/{id}`

use crate::domain::GrantSource;

pub const PENDING: &str = "Waiting for approval";
pub const IS_LISTED: &str = "; the address is in admin_emails";
pub const EMAIL_VERIFIED: &str = "Address proven";
pub const NO: &str = "No";
pub const PASSWORD: &str = "Password";
pub const CREATED: &str = "Known since";
pub const NOT_SEEN_YET: &str = "Made by MediaManager, not been here yet";
pub const ACTIONS: &str = "Actions";
pub const IS_SELF: &str = "This is your own account.";
pub const IDENTITIES: &str = "Accounts at the provider";
pub const CONNECTED: &str = "Connected ";
pub const LAST_LOGIN: &str = ", last login ";
pub const SESSIONS: &str = "Sessions";
pub const NO_SESSIONS: &str = "Not logged in anywhere.";
pub const LAST_EVENTS: &str = "Last events";
pub const ALL_EVENTS: &str = "All of this account";
pub const SEPARATOR: &str = ", ";
/// The source of a right that no column names.
pub const GRANTED_BEFORE: &str = ", by MediaManager or before this was written down";
pub const GRANTED_BY_DELETED: &str = "by somebody whose account is deleted";

pub fn has_password(has_password: bool) -> &'static str {
    if has_password { "Yes" } else { "None" }
}

pub fn granted_by(email: &str) -> String {
    format!("by {email}")
}

pub fn grant_source(source: GrantSource) -> &'static str {
    match source {
        GrantSource::Setup => "with the setup link",
        GrantSource::Shell => "from the shell",
        GrantSource::Provider => "because the provider vouches for them",
        GrantSource::AdminEmails => "by auth.admin_emails",
    }
}
