//! The pages for administrators.

use crate::domain::{AccountStatus, UserFilter};

pub mod actions;
pub mod audit_log;
pub mod details;
pub mod diagnostics;

pub const TITLE: &str = "Users";
pub const SEARCH_LABEL: &str = "E-mail contains";
pub const FILTER_LABEL: &str = "Show";
pub const SEARCH: &str = "Search";
pub const TABLE: &str = "Accounts";
pub const EMAIL: &str = "E-mail";
pub const STATUS: &str = "State";
pub const ROLE: &str = "Role";
pub const LAST_LOGIN: &str = "Last login";
pub const NEVER: &str = "Never";
pub const ACTIONS: &str = "What to do";

pub fn accounts_found(total: u64) -> String {
    match total {
        0 => "Nobody matches.".to_owned(),
        1 => "One account".to_owned(),
        total => format!("{total} accounts"),
    }
}

pub fn pending_approvals(number: u64) -> String {
    if number == 1 {
        "One account waits for approval".to_owned()
    } else {
        format!("{number} accounts wait for approval")
    }
}

pub fn status(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Pending => "Waiting",
        AccountStatus::Active => "Active",
        AccountStatus::Disabled => "Disabled",
    }
}

pub fn filter(filter: UserFilter) -> &'static str {
    match filter {
        UserFilter::All => "Everybody",
        UserFilter::Pending => "Waiting for approval",
        UserFilter::Active => "Active",
        UserFilter::Disabled => "Disabled",
        UserFilter::Administrators => "Administrators",
    }
}

pub fn role(is_administrator: bool) -> &'static str {
    if is_administrator {
        "Administrator"
    } else {
        "Member"
    }
}

/// `/users/new`
pub mod new {
    pub const TITLE: &str = "Create a user";
    pub const IS_APPROVED: &str = "The account is approved at once. ";
    pub const GETS_MAIL: &str =
        "They get a mail with a link that works for three days, and choose a password with it.";
    pub const GETS_LINK: &str =
        "You get a link to hand over. They choose a password with it; it works for three days.";
    pub const BUTTON: &str = "Create user";
}

/// `/users/link`
pub mod reset_link {
    pub const TITLE: &str = "One-time link";
    pub const FOR_WHOM: &str = "Whoever opens it chooses a password for ";
    pub const WORKS_ONCE_FOR: &str = ". It works once, for ";
    pub const SHOWN_ONCE: &str = ", and is shown only now.";

    /// How long the link works.
    pub fn lifetime(seconds: u32) -> String {
        if seconds < 7200 {
            format!("{} minutes", seconds / 60)
        } else {
            format!("{} hours", seconds / 3600)
        }
    }
}
