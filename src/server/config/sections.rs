//! One file a section: its fields, which are the documentation of its keys, and its rules. A
//! function reads all of its keys before it returns early (`?`), so that one run finds every
//! problem.

use std::{fs::File, path::PathBuf};

use super::{Config, reader::Reader};

mod auth;
mod database;
mod misc;
mod openid_connect;
mod policy;
mod server;
mod smtp;

pub use auth::Auth;
pub use misc::Misc;
pub use openid_connect::{OpenIdConnect, TokenAuthMethod};
pub use policy::{Policy, RateLimits};
pub use server::{LogFormat, Server};
pub use smtp::Smtp;

/// The limit for names that pages show: the application's and the provider's.
const MAX_NAME_CHARS: usize = 64;

/// Reads all sections, without the warnings. `None` only if `reader` has a problem.
pub(super) fn read_config(reader: &mut Reader) -> Option<Config> {
    let misc = Misc::read(reader);
    let frontend_url = misc.as_ref().map(|misc| &misc.frontend_url);
    let wants_resets = reader.boolean("auth.email_password_resets", false);
    let smtp = Smtp::read(reader, wants_resets);
    let auth = Auth::read(reader, wants_resets && smtp.is_some(), frontend_url);
    let database_url = database::read_url(reader);
    let server = Server::read(reader);
    let policy = Policy::read(reader, frontend_url);
    Some(Config {
        auth: auth?,
        misc: misc?,
        database_url: database_url?,
        smtp,
        server: server?,
        policy: policy?,
        warnings: Vec::new(),
    })
}

fn read_file_path(reader: &mut Reader, key: &str) -> Option<PathBuf> {
    let file = reader.optional(key).map(PathBuf::from);
    if let Some(Err(error)) = file.as_ref().map(File::open) {
        reader.problem(
            key,
            &format!("cannot be read: {error}"),
            "check path and permissions",
        );
    }
    file
}
