pub const TITLE: &str = "Set up the first administrator";
pub const BUTTON: &str = "Create administrator";

pub fn lead(app: &str) -> String {
    format!("This account manages everybody else's. You log in to {app} with it.")
}

/// `/setup` without a form.
pub mod unavailable {
    pub const ALREADY_SET_UP: &str = "Setup is done";
    pub const NO_ADMINISTRATOR: &str = "There is no administrator yet";
    pub const OPEN_LINK: &str = "Open the setup link";
    pub const WHERE_THE_LINK_IS: &str = "The program prints a link each time it starts, as long as nobody has an account: look at the end of its output. Or make the first administrator from the shell:";
}
