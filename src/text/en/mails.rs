//! Subjects, paragraphs and buttons, a module for each mail. `app` is the name of the application.

pub const GREETING: &str = "Hello,";

/// Under a button, for mail programs that show none.
pub fn copy_address(url: &str) -> String {
    format!("Or copy this address: {url}")
}

pub mod reset {
    pub const BUTTON: &str = "Choose a new password";

    pub fn subject(app: &str) -> String {
        format!("New password for {app}")
    }

    pub fn reason(app: &str) -> String {
        format!("somebody, probably you, asked for a new password for your account at {app}.")
    }

    pub fn closing(minutes: u32) -> String {
        format!(
            "The link works for {minutes} minutes and once. If it was not you, do nothing: your password stays as it is."
        )
    }
}

pub mod invitation {
    pub const BUTTON: &str = "Choose a password";
    pub const CLOSING: &str = "The link works for three days and once. After that, an administrator can give you another one.";

    pub fn subject(app: &str) -> String {
        format!("Your account at {app}")
    }

    pub fn reason(app: &str) -> String {
        format!("an administrator has made an account at {app} for you. Choose a password for it.")
    }
}

pub mod email_verification {
    pub const BUTTON: &str = "Confirm the address";
    pub const CLOSING: &str = "The link works for a day, in a browser in which you are logged in to that account. If you have no such account, do nothing.";

    pub fn subject(app: &str) -> String {
        format!("Confirm your address for {app}")
    }

    pub fn reason(app: &str) -> String {
        format!(
            "an account at {app} was made with this address. If it is yours, confirm that the mailbox is too."
        )
    }
}

/// To an address that an account is to have from now on.
pub mod email_change {
    pub const BUTTON: &str = "Use this address";
    pub const CLOSING: &str = "The link works for a day, in a browser in which you are logged in to that account. If it was not you, do nothing.";

    pub fn subject(app: &str) -> String {
        format!("Your new address for {app}")
    }

    pub fn reason(app: &str) -> String {
        format!(
            "somebody, probably you, wants to use this address for an account at {app}. If it was you, confirm that the mailbox is yours."
        )
    }
}

/// In place of [`email_change`] when another account has the address.
pub mod email_change_taken {
    pub const CLOSING: &str = "If it was not you, do nothing.";

    pub fn subject(app: &str) -> String {
        format!("You have an account at {app}")
    }

    pub fn reason(app: &str) -> String {
        format!(
            "somebody has tried to give this address to another account at {app}. You have an account with it, and nothing was changed."
        )
    }
}

pub mod account_exists {
    pub const BUTTON: &str = "Log in";
    pub const CLOSING_WITH_RESETS: &str =
        "If you have forgotten the password, the login page helps. If it was not you, do nothing.";
    pub const CLOSING_WITHOUT_RESETS: &str = "If you have forgotten the password, ask an administrator for a link. If it was not you, do nothing.";

    pub fn subject(app: &str) -> String {
        format!("You have an account at {app}")
    }

    pub fn reason(app: &str) -> String {
        format!(
            "somebody, probably you, tried to create an account at {app} with this address. There is one already, and nothing was changed."
        )
    }
}

pub mod password_changed {
    pub const IF_EXPECTED: &str = "If it was you, there is nothing to do.";
    pub const IF_UNEXPECTED: &str = "If it was not, choose a new password for your mailbox first, then one here, and tell an administrator.";

    pub fn subject(app: &str) -> String {
        format!("Your password for {app} was changed")
    }

    pub fn reason(app: &str, time: &str, client_ip: &str) -> String {
        format!(
            "the password of your account at {app} was changed on {time} from the address {client_ip}. Everybody else who was logged in is logged out."
        )
    }
}

/// An administrator has set the password.
pub mod password_set {
    pub const IF_UNEXPECTED: &str = "If you do not know about it, ask an administrator.";

    pub fn subject(app: &str) -> String {
        format!("Your password for {app} was changed")
    }

    pub fn reason(app: &str, time: &str) -> String {
        format!(
            "an administrator has set the password of your account at {app} on {time}. You are logged out everywhere."
        )
    }
}

/// To the address that an account had until now.
pub mod email_changed {
    pub const IF_UNEXPECTED: &str = "If it was not you, tell an administrator at once.";

    pub fn subject(app: &str) -> String {
        format!("Your address for {app} was changed")
    }

    pub fn reason(app: &str, time: &str) -> String {
        format!(
            "since {time} your account at {app} has another address than this one. Log in with the new one from now on."
        )
    }
}

/// To administrators.
pub mod pending_approval {
    pub const BUTTON: &str = "See who waits";
    pub const CLOSING: &str = "You get this mail at most once an hour, however many are waiting.";

    pub fn subject(app: &str) -> String {
        format!("Somebody waits for approval at {app}")
    }

    pub fn reason(app: &str) -> String {
        format!(
            "somebody has made an account at {app} and confirmed the address. They can do nothing until an administrator approves them."
        )
    }
}

/// `mediamanager-auth mail test`
pub mod test {
    pub fn subject(app: &str) -> String {
        format!("Test mail of {app}")
    }

    pub fn body(app: &str) -> String {
        format!("this is a test. If you read it, {app} can send mail.")
    }
}
