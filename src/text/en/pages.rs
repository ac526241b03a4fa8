//! The texts of the pages, in modules named like those of `app`. A text around inline markup is
//! split into several constants, with the spaces at their ends.

pub mod account;
pub mod error_page;
pub mod form;
pub mod layout;
pub mod links;
pub mod login;
pub mod logout;
pub mod notice;
pub mod oidc;
pub mod pagination;
pub mod password_reset;
pub mod pending_approval;
pub mod setup;
pub mod signup;
pub mod users;
