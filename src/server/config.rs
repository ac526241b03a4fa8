//! The configuration, which is read once before the program listens (SR-200 to SR-209).
//!
//! ```text
//! source    reads files and environment into one tree of values, each with its place
//! keys      the table of known names: an unknown name stops the start
//! reader    typed access to the tree, which collects every problem instead of stopping at the first
//! sections  the fields and the rules, one file a section
//! ```
//!
//! No problem or warning repeats a value, because the value could be a secret (SR-181). The one
//! exception is the suggested `configuration_endpoint`, which was checked to hold no credentials.
//!
//! The doc comments of the fields are the documentation of the keys; `config.example.toml` shows
//! them in use.

mod keys;
mod reader;
mod secret;
mod sections;
mod source;
#[cfg(test)]
mod tests;
mod tree;
mod urls;

use std::fmt;

pub use secret::Secret;
pub use sections::{
    Auth, LogFormat, Misc, OpenIdConnect, Policy, RateLimits, Server, Smtp, TokenAuthMethod,
};
pub use source::Sources;
pub use urls::is_private;

/// Reads, merges and checks all settings.
///
/// # Errors
/// All problems at once, in the order files, names, rules. The program must not listen then
/// (SR-200).
pub fn load(sources: &Sources) -> Result<Config, Vec<Problem>> {
    let mut reader = source::load_sources(sources);
    keys::check_names(&mut reader);
    match sections::read_config(&mut reader) {
        Some(config) if reader.problems.is_empty() => Ok(Config {
            warnings: reader.warnings,
            ..config
        }),
        _ => Err(reader.problems),
    }
}

/// A configuration that has passed every rule.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[auth]`
    pub auth: Auth,
    /// `[misc]`
    pub misc: Misc,
    /// `server.database_url`, else a URL built from `[database]`, else a SQLite file in `data/`.
    pub database_url: Secret,
    /// `[notifications.smtp_config]`; `None` when it is incomplete and no mail can be sent.
    pub smtp: Option<Smtp>,
    /// `[server]`
    pub server: Server,
    /// `[policy]`
    pub policy: Policy,
    /// One line each, logged at every start and shown on the administrators' page. Warnings of a
    /// setting that disables a protection begin with `INSECURE:`.
    pub warnings: Vec<String>,
}

impl Config {
    /// Whether users reach the site over https. This decides the `Secure` flag of cookies; a
    /// request header could be forged (SR-092).
    pub fn is_https(&self) -> bool {
        self.misc.frontend_url.scheme() == "https"
    }

    /// `scheme://host[:port]` of `frontend_url`, as a browser sends it in `Origin`.
    pub fn origin(&self) -> String {
        self.misc.frontend_url.origin().ascii_serialization()
    }

    /// The public URL of `path`, which begins with `/`. Built from the configuration and never from
    /// the `Host` header (SR-043).
    pub fn link(&self, path: &str) -> String {
        urls::join(&self.misc.frontend_url, path)
    }
}

/// A problem that prevents the start: one line with place, key, fault and fix (SR-200).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `file:line:column`, a file, or the environment variable.
    place: String,
    /// Key, fault and fix. Never a value.
    text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

impl std::error::Error for Problem {}
