pub const TITLE: &str = "Log out";

pub fn lead(app: &str) -> String {
    format!("This ends your session on this device. {app} stays open on your other devices.")
}
