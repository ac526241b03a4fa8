//! The pages: a file for each, with the server functions of its forms. Compiled for the server
//! only; the components that also run in the browser are in `islands`.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

use crate::domain::AuthError;

pub mod account;
pub mod error_page;
pub mod login;
pub mod logout;
pub mod oidc;
pub mod page_context;
pub mod password_reset;
pub mod paths;
pub mod pending_approval;
pub mod setup;
pub mod signup;
pub mod ui;
pub mod users;

impl FromServerFnError for AuthError {
    type Encoder = JsonEncoding;

    /// Drops the framework's messages, because they contain texts of libraries (SR-183).
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => Self::BadRequest,
            _ => Self::Internal,
        }
    }
}
