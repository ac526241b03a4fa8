pub const LABEL: &str = "Pages";
pub const PREVIOUS: &str = "Previous page";
pub const NEXT: &str = "Next page";

pub fn position(page: u64, pages: u64) -> String {
    format!("Page {page} of {pages}")
}
