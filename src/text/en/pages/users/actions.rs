//! `/users/change` and `/users/address`

use crate::domain::UserAction;

pub const STILL_LISTED: &str = "The address is in ";
pub const ADMINISTRATOR_AGAIN: &str =
    ": at the next login they are an administrator again. Take it out there first.";

/// The text of a button.
pub fn action(action: UserAction) -> &'static str {
    match action {
        UserAction::Approve => "Approve",
        UserAction::Disable => "Disable",
        UserAction::Enable => "Enable",
        UserAction::MakeAdministrator => "Make administrator",
        UserAction::MakeMember => "Make member",
        UserAction::EndSessions => "End all sessions",
        UserAction::EndSession => "End session",
        UserAction::CreateResetLink => "Make a link for a new password",
        UserAction::Delete => "Delete",
    }
}

/// The title of the page that asks for confirmation.
pub fn title(action: UserAction) -> String {
    format!("{}?", self::action(action))
}

/// The effect of an action, on the page that asks for confirmation.
pub fn effect(action: UserAction) -> &'static str {
    match action {
        UserAction::Approve => "They can use the application from now on.",
        UserAction::Disable => {
            "They are logged out everywhere and cannot log in until somebody enables the account again. Nothing is deleted."
        }
        UserAction::Enable => "They can log in again.",
        UserAction::MakeAdministrator => {
            "They can do everything here that you can, also to your account."
        }
        UserAction::MakeMember => {
            "They cannot manage users any more. It takes effect with their next click."
        }
        UserAction::EndSessions | UserAction::EndSession => "They have to log in again.",
        UserAction::CreateResetLink => {
            "You get a link to hand over, once. Whoever opens it chooses a new password for this account, and all its sessions end."
        }
        UserAction::Delete => {
            "The account and everything that belongs to it is deleted for good. Nobody can bring it back."
        }
    }
}

/// `/users/address`
pub mod email {
    pub const TITLE: &str = "Change e-mail";
    pub const LEAD: &str = " logs in with the new address from now on. It counts as unproven until the person confirms it.";
}
