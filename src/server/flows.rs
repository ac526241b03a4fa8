//! What can happen. Free async functions: the state first, then one input. They know neither HTTP nor pages.

pub mod account;
pub mod email_proof;
pub mod events;
pub mod import;
pub mod inspection;
pub mod login;
pub mod mail;
pub mod new_password;
pub mod oidc;
pub mod password_reset;
pub mod sessions;
pub mod setup;
pub mod signup;
pub mod throttle;
pub mod users;
