//! What can happen. Free async functions: the state first, then one input. They know neither HTTP nor pages.

pub mod login;
pub mod new_password;
pub mod oidc;
pub mod sessions;
pub mod setup;
pub mod users;
