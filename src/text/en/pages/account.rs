use crate::domain::LoginMethod;

pub const TITLE: &str = "Your account";
pub const EMAIL: &str = "E-mail";
pub const CONFIRM_EMAIL: &str = "Confirm it";
pub const ROLE: &str = "Role";
pub const LOGGED_IN_SINCE: &str = "Logged in since";
pub const LOGIN_METHODS: &str = "Login methods";
pub const CHOOSE_PASSWORD: &str = "Choose a password";
pub const SESSIONS: &str = "Where you are logged in";
pub const THIS_BROWSER: &str = "This browser";
pub const END_SESSION: &str = "End";
pub const END_OTHER_SESSIONS: &str = "End all other sessions";
pub const SESSION_FROM: &str = ", from ";
pub const SESSION_SINCE: &str = ", since ";
pub const CONFIGURATION: &str = "Configuration";
pub const REDIRECT_URI: &str = "Redirect URI for the provider";

pub fn role(is_administrator: bool, is_approved: bool) -> &'static str {
    match (is_administrator, is_approved) {
        (true, _) => "Administrator",
        (false, true) => "Member",
        (false, false) => "Waiting for approval",
    }
}

/// How a session began. `provider` is the provider's name.
pub fn login_method(method: LoginMethod, provider: &str) -> String {
    match method {
        LoginMethod::Password => "With the password".to_owned(),
        LoginMethod::Oidc => format!("With {provider}"),
        LoginMethod::Setup => "With the setup link".to_owned(),
    }
}

/// After [`END_SESSION`], for screen readers.
pub fn session_of(browser: &str) -> String {
    format!(" the session of {browser}")
}

/// `/account/delete`
pub mod delete {
    pub const TITLE: &str = "Delete your account";
    pub const THE_ACCOUNT_OF: &str = "The account of ";
    pub const IS_DELETED: &str =
        " and everything that belongs to it is deleted for good. Nobody can bring it back.";
    pub const BUTTON: &str = "Delete my account";
    pub const KEEP: &str = "Keep my account";
}

/// `/account/address` and `/account/new-address`
pub mod email {
    pub const TITLE: &str = "Change e-mail";
    pub const LINK_IS_SENT: &str =
        "We send a link to the new address. Your account keeps the present one, ";
    pub const UNTIL_OPENED: &str = ", until you open it.";
    pub const BUTTON: &str = "Send link";
    pub const NO_MAIL: &str = "No mail can be sent from here to prove another address than ";
    pub const ASK_ADMINISTRATOR: &str = ". Ask an administrator to change it.";

    pub mod confirm {
        pub const TITLE: &str = "Confirm your new address";
        pub const LOGGED_IN_AS: &str = "You are logged in as ";
        pub const FROM_NOW_ON: &str = ". From now on, you log in as ";
        pub const FULL_STOP: &str = ".";
        pub const BUTTON: &str = "Use this address";
        pub const KEEP: &str = "Keep the present one";
    }
}

/// `/account/connect` and `/account/disconnect`. `provider` is the provider's name.
pub mod link_identity {
    pub const FULL_STOP: &str = ".";
    pub const KEEP: &str = "Keep it";

    pub fn connect(provider: &str) -> String {
        format!("Connect {provider}")
    }

    pub fn lead(provider: &str) -> String {
        format!(
            "You log in at {provider} now. After that, both your password and {provider} let you in as "
        )
    }

    pub fn go_to(provider: &str) -> String {
        format!("Go to {provider}")
    }

    pub fn on_to(provider: &str) -> String {
        format!("On to {provider}")
    }

    pub fn disconnect(provider: &str) -> String {
        format!("Disconnect {provider}")
    }

    pub fn disconnect_lead(provider: &str) -> String {
        format!("You will not be able to log in with {provider} any more")
    }

    pub fn as_email(email: &str) -> String {
        format!(" as {email}")
    }
}

/// `/account/password`
pub mod password {
    pub const TITLE: &str = "Change password";
    pub const LEAD: &str = "You stay logged in here and are logged out everywhere else.";
}

/// `/account/log-in-again`
pub mod reauthenticate {
    pub const TITLE: &str = "Confirm that it is you";
    pub const LEAD: &str = "Your login is older than five minutes. Log in once more before you change your account, so that nobody else at this screen can.";
    pub const BUTTON: &str = "Go on";
}

/// `/account/confirm`
pub mod verify_email {
    pub const TITLE: &str = "Confirm your address";
    pub const LOGGED_IN_AS: &str = "You are logged in as ";
    pub const CONFIRM_MAILBOX: &str = ". Confirm that this mailbox is yours.";
    pub const BUTTON: &str = "Confirm the address";
}
