pub const TITLE: &str = "Log in";
pub const NEW_HERE: &str = "New here? ";
