//! What can happen. Free async functions: the context first, then what they demand of the person,
//! then one input; four parameters at most. They know neither HTTP nor pages.

pub mod account;
pub mod cleanup;
pub mod client_info;
pub mod default_password;
pub mod devices;
pub mod diagnostics;
pub mod email_verification;
pub mod events;
pub mod import;
pub mod links;
pub mod login;
pub mod mail;
mod new_password;
pub mod oidc;
pub mod password_reset;
pub mod rate_limits;
pub mod sessions;
pub mod setup;
pub mod signup;
mod transaction;
pub mod users;

pub use client_info::ClientInfo;
pub use transaction::{Ctx, Tx};
