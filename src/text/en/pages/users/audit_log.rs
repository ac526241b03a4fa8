//! `/users/events`

pub const TITLE: &str = "Audit log";
pub const ALL_EVENTS: &str = "Everything";
pub const TABLE: &str = "Events";
pub const SEARCH: &str = "Search";
pub const EMAIL: &str = "E-mail";
pub const WHEN: &str = "When";
pub const WHAT: &str = "What";
pub const WHO: &str = "Who";
pub const FROM: &str = "From";
pub const REFERENCE: &str = "Reference";
/// Precedes the user who caused the event.
pub const BY: &str = "by ";

pub fn events_found(total: u64) -> String {
    match total {
        0 => "Nothing matches.".to_owned(),
        1 => "One event".to_owned(),
        total => format!("{total} events, the newest first"),
    }
}

pub fn deleted_user(id: &str) -> String {
    format!("{id} (deleted)")
}
