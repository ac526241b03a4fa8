//! What the operator decides, read once before listening (SR-200 to SR-209).
//!
//! ```text
//! source   files and environment  ->  one tree of values that remember where they were written
//! keys     the table of known names: an unknown one stops the start
//! reader   typed and lax access to the tree, collecting every problem instead of stopping at the first
//! check    the rules, one function per section
//! ```
//!
//! No problem and no warning ever repeats a value, so none can show a secret (SR-181). The one
//! exception is the presumed `configuration_endpoint`, which has been proven to hold no
//! credentials.
//!
//! The doc comments of the fields below are the documentation of the keys; `config.example.toml`
//! shows them in use.

mod check;
mod keys;
mod reader;
mod secret;
mod source;
#[cfg(test)]
mod tests;
mod tree;
mod urls;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use url::Url;

use crate::domain::{Email, ProviderId, ReturnTo, external_user::ProviderRules};

pub use secret::Secret;
pub use source::Sources;
pub use urls::is_private;

/// Reads, merges and checks everything.
///
/// # Errors
/// All problems at once, in the order files, names, rules. The program must not listen then.
pub fn load(sources: &Sources) -> Result<Config, Vec<Problem>> {
    let mut reader = source::load_sources(sources);
    keys::check(&mut reader);
    match check::config(&mut reader) {
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
    /// `[misc]`, the two keys of it that concern us.
    pub misc: Misc,
    /// `server.database_url`; else made from `[database]`; else a file in `data/`.
    pub database_url: Secret,
    /// `[notifications.smtp_config]`; `None` when no mail can be sent.
    pub smtp: Option<Smtp>,
    /// `[server]`
    pub server: Server,
    /// `[policy]`
    pub policy: Policy,
    /// One line each, said at every start and on the administrators' page. Those that leave the
    /// door open begin with `INSECURE:`.
    pub warnings: Vec<String>,
}

/// `[auth]`, shared with MediaManager.
#[derive(Clone, Debug)]
pub struct Auth {
    /// `token_secret`, required. The key that signs sessions and from which all other keys are
    /// derived; MediaManager must have the same one. At least 32 bytes, from `openssl rand -hex 32`
    /// (SR-201). Changing it ends all sessions and links.
    pub token_secret: Secret,
    /// `session_lifetime`: how long a login lasts, in seconds. 60 to 31 536 000, default 86 400;
    /// above 30 days a warning (SR-202).
    pub session_lifetime: u32,
    /// `admin_emails`, required. These addresses become administrators once it is proven that they
    /// belong to the person (SR-203, SR-035).
    pub admin_emails: Vec<Email>,
    /// `email_password_resets`, default false. Already false here when SMTP is incomplete (SR-204).
    pub email_password_resets: bool,
    /// The providers: `[auth.openid_connect]` with `[policy.openid_connect]`, if
    /// `enabled = true`.
    pub providers: Vec<OpenIdConnect>,
}

/// `[auth.openid_connect]`, shared with MediaManager, and our `[policy.openid_connect]` (SR-205).
#[derive(Clone, Debug)]
pub struct OpenIdConnect {
    pub id: ProviderId,
    /// `client_id`, as the provider shows it.
    pub client_id: String,
    /// `client_secret`, as the provider shows it.
    pub client_secret: Secret,
    /// `configuration_endpoint`: the provider's address that ends in
    /// `/.well-known/openid-configuration` (SR-206).
    pub configuration_endpoint: Url,
    /// The same as it was written, without a slash at the end: the provider's issuer is compared
    /// with it to the byte (SR-080).
    pub discovery_url: String,
    /// `name`: the text of the button, and a part of the redirect URI: case-sensitive, and changing
    /// it means registering anew.
    pub name: String,
    /// `policy.openid_connect.redirect_uri`; else
    /// `{frontend_url}/api/v1/auth/cookie/{name}/callback`. Register exactly this at the provider.
    pub redirect_uri: String,
    /// Whether `policy.openid_connect.redirect_uri` is set: then no other is ever sent.
    pub redirect_uri_is_configured: bool,
    /// What the provider may decide.
    pub rules: ProviderRules,
    /// `policy.openid_connect.trusted_audiences`, default none: who may stand in a token's `aud`
    /// beside us, if its `azp` is us.
    pub trusted_audiences: Vec<String>,
    /// `policy.openid_connect.ca_file`: a PEM file with the certificate authority of a provider
    /// that has a private one.
    pub ca_file: Option<PathBuf>,
}

impl OpenIdConnect {
    /// Whether this issuer publishes its metadata where `configuration_endpoint` points
    /// (OpenID Connect Discovery 1.0 §4).
    pub fn is_issuer(&self, issuer: &str) -> bool {
        self.discovery_url
            .strip_prefix(issuer.trim_end_matches('/'))
            .is_some_and(|rest| rest == "/.well-known/openid-configuration")
    }
}

/// `[misc]`, shared with MediaManager; its other keys are left alone.
#[derive(Clone, Debug)]
pub struct Misc {
    /// `frontend_url`, default `http://localhost:8000`: the address people type. All links are
    /// built from it, and its scheme decides whether cookies are `Secure` (SR-207). Use
    /// [`Config::link`] and [`Config::origin`] instead of its text.
    pub frontend_url: Url,
    /// `cors_urls`, default none: other origins whose pages may call the API, as a browser writes
    /// them.
    pub cors_urls: Vec<String>,
}

/// `[notifications.smtp_config]`, shared with MediaManager.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// `smtp_host`
    pub host: String,
    /// `smtp_port`, default 587. On 465 TLS begins with the connection, on others with STARTTLS.
    pub port: u16,
    /// `smtp_user`; `None` for a server without login.
    pub user: Option<String>,
    /// `smtp_password`
    pub password: Option<Secret>,
    /// `from_email`: the bare address that mails come from.
    pub from_email: Email,
    /// `use_tls`, default true, unlike MediaManager's. False means plaintext, on the operator's
    /// word only (SR-161); never false on port 465.
    pub use_tls: bool,
}

/// `[server]`, ours.
#[derive(Clone, Debug)]
pub struct Server {
    /// `host`, default 127.0.0.1: the address to listen on. In a container 0.0.0.0.
    pub host: IpAddr,
    /// `port`, default 8000. 0 lets the system choose.
    pub port: u16,
    /// `trusted_proxies`, default none: addresses or networks whose `X-Forwarded-For` is believed
    /// (SR-130).
    pub trusted_proxies: Vec<IpNet>,
    /// `smtp_implicit_tls`, default false: TLS from the start of the connection, on another port
    /// than 465, where it always is.
    pub smtp_implicit_tls: bool,
    /// `smtp_ca_file`: a PEM file with the certificate authority of a mail server that has a
    /// private one.
    pub smtp_ca_file: Option<PathBuf>,
    /// `app_name`, default MediaManager: what pages and mails call the application.
    pub app_name: String,
    /// `log_format`, default auto.
    pub log_format: LogFormat,
    /// `log_level`, default info: a level, or a filter like `info,sea_orm=warn`.
    pub log_level: String,
    /// `log_client_address`, default true: whether log lines name the client's address.
    pub log_client_address: bool,
    /// `metrics_address`, default none: where `GET /metrics` answers Prometheus. Never for
    /// visitors: it says who comes how often.
    pub metrics_address: Option<SocketAddr>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text at a terminal, else JSON.
    Auto,
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// `[policy]`, ours.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `registration`, default true: whether visitors may create accounts (SR-038).
    pub registration: bool,
    /// `password_min_length`: code points of a new password. 8 to 64, default 12 (SR-010).
    pub password_min_length: u16,
    /// `cookie_name`, default `fastapiusersauth`, which MediaManager reads. `__Host-` and
    /// `__Secure-` need https (SR-092).
    pub cookie_name: String,
    /// `default_redirect`, default `/account`: where a login leads that came from nowhere in
    /// particular.
    pub default_redirect: ReturnTo,
    /// `reset_link_lifetime`, in seconds. 600 to 3600, default 1800 (SR-042).
    pub reset_link_lifetime: u32,
    /// `setup_link_lifetime`, in seconds. 600 to 604 800, default 86 400 (SR-034).
    pub setup_link_lifetime: u32,
    /// `audit_retention_days`: how long what has happened is kept for the administrators' page, in
    /// days. 1 to 3650, default 90.
    pub audit_retention_days: u32,
    /// `[policy.throttle]`
    pub throttle: RateLimits,
    /// `password_hash_concurrency`: how many passwords are hashed at a time, 1 to 64; `None` for
    /// the smaller of the cores and 4 (SR-170).
    pub password_hash_concurrency: Option<u16>,
}

/// `[policy.throttle]`, ours: how often people may try (SR-023, SR-047).
#[derive(Clone, Debug)]
pub struct RateLimits {
    /// `enabled`, default true. False leaves the door to everybody who guesses, and is warned about
    /// at every start.
    pub enabled: bool,
    /// `login_failures_per_ip`: failed logins of one address (IPv6: /64) in ten minutes. 5 to 1000,
    /// default 20.
    pub login_failures_per_ip: i32,
    /// `login_failures_per_account`: consecutive failed logins with one account before delays
    /// begin. 3 to 100, default 10.
    pub login_failures_per_account: i32,
    /// `max_delay`: seconds up to which these delays double. 1 to 3600, default 900.
    pub max_delay: u32,
    /// `requests_per_ip`: accounts, and links of a kind, that one address may ask for in an hour. 1
    /// to 1000, default 10.
    pub requests_per_ip: i32,
    /// `mails_per_account`: mails of a kind that one account gets in an hour. 1 to 100, default 3.
    pub mails_per_account: i32,
}

impl Config {
    /// Whether people reach us over https. Decides the `Secure` flag of cookies, never a request
    /// header (SR-092).
    pub fn is_https(&self) -> bool {
        self.misc.frontend_url.scheme() == "https"
    }

    /// `scheme://host[:port]` of `frontend_url` as a browser sends it in `Origin`.
    pub fn origin(&self) -> String {
        self.misc.frontend_url.origin().ascii_serialization()
    }

    /// The address that a person opens for `path`, which begins with `/` (SR-043).
    pub fn link(&self, path: &str) -> String {
        urls::join(&self.misc.frontend_url, path)
    }
}

/// One reason not to start: a line that names the place, the key, the fault and the fix (SR-200).
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
