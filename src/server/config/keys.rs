//! The table of the known sections and keys.

use super::Problem;
use super::reader::Reader;
use super::tree::{self, Value};

struct Section {
    path: &'static str,
    keys: &'static [&'static str],
    unknown: UnknownKeys,
}

/// The effect of an unknown key in a section.
enum UnknownKeys {
    /// For our own sections: a typo could silently disable a protection (SR-208).
    Reject,
    /// For MediaManager's sections: a newer version may have keys that this program does not know.
    Warn,
    /// For MediaManager's sections whose other keys this program does not need.
    Ignore,
}

const SECTIONS: [Section; 10] = [
    Section {
        path: "auth",
        keys: &[
            "token_secret",
            "session_lifetime",
            "admin_emails",
            "email_password_resets",
            "openid_connect",
        ],
        unknown: UnknownKeys::Reject,
    },
    Section {
        path: "auth.openid_connect",
        keys: &[
            "enabled",
            "client_id",
            "client_secret",
            "configuration_endpoint",
            "name",
        ],
        unknown: UnknownKeys::Reject,
    },
    Section {
        path: "misc",
        keys: &["frontend_url", "cors_urls"],
        unknown: UnknownKeys::Ignore,
    },
    Section {
        path: "database",
        keys: &["host", "port", "user", "password", "dbname"],
        unknown: UnknownKeys::Warn,
    },
    Section {
        path: "notifications",
        keys: &["smtp_config"],
        unknown: UnknownKeys::Ignore,
    },
    Section {
        path: "notifications.smtp_config",
        keys: &[
            "smtp_host",
            "smtp_port",
            "smtp_user",
            "smtp_password",
            "from_email",
            "use_tls",
        ],
        unknown: UnknownKeys::Warn,
    },
    Section {
        path: "server",
        keys: &[
            "host",
            "port",
            "database_url",
            "trusted_proxies",
            "smtp_implicit_tls",
            "smtp_ca_file",
            "app_name",
            "log_format",
            "log_level",
            "log_client_address",
            "metrics_address",
        ],
        unknown: UnknownKeys::Reject,
    },
    Section {
        path: "policy",
        keys: &[
            "registration",
            "password_min_length",
            "cookie_name",
            "default_redirect",
            "reset_link_lifetime",
            "setup_link_lifetime",
            "audit_retention_days",
            "password_hash_concurrency",
            "openid_connect",
            "throttle",
        ],
        unknown: UnknownKeys::Reject,
    },
    Section {
        path: "policy.throttle",
        keys: &[
            "enabled",
            "login_failures_per_ip",
            "login_failures_per_account",
            "max_delay",
            "requests_per_ip",
            "mails_per_account",
        ],
        unknown: UnknownKeys::Reject,
    },
    Section {
        path: "policy.openid_connect",
        keys: &[
            "redirect_uri",
            "trust_unverified_email",
            "trusted_audiences",
            "ca_file",
            "token_endpoint_auth_method",
            "post_logout_redirect",
        ],
        unknown: UnknownKeys::Reject,
    },
];

/// Keys whose value may come from a file named by a `…_FILE` variable, and that cause a warning in
/// a world-readable configuration file.
pub const SECRETS: [&str; 5] = [
    "auth.token_secret",
    "auth.openid_connect.client_secret",
    "database.password",
    "notifications.smtp_config.smtp_password",
    "server.database_url",
];

/// Keys that hold a list, which an environment variable gives as JSON.
pub const LISTS: [&str; 4] = [
    "auth.admin_emails",
    "misc.cors_urls",
    "server.trusted_proxies",
    "policy.openid_connect.trusted_audiences",
];

/// MediaManager's sections without a key for this program.
const IGNORED_SECTIONS: [&str; 3] = ["torrents", "indexers", "metadata"];

/// The Jaro-Winkler similarity (1.0 is equal) above which an unknown name is a likely, or a
/// possible, typo of a known one.
const LIKELY_TYPO: f64 = 0.9;
const POSSIBLE_TYPO: f64 = 0.7;

/// Whether a path names a section.
pub fn is_section(path: &str) -> bool {
    SECTIONS.iter().any(|section| section.path == path)
}

/// Whether a top-level name is a section that this program reads.
pub fn is_top_level(name: &str) -> bool {
    top_level_names().any(|known| known == name)
}

/// Reports unknown keys in the known sections, and known sections whose value is not a table.
pub fn check_names(reader: &mut Reader) {
    for (name, node) in reader
        .tree
        .iter()
        .filter(|(name, _)| !is_top_level(name) && !IGNORED_SECTIONS.contains(&name.as_str()))
    {
        let (nearest, similarity) = find_nearest(name, top_level_names());
        // An unknown section may be MediaManager's. `[polcy]` with `registration = false` must
        // still be reported, because registration would stay open.
        if similarity > LIKELY_TYPO {
            let (place, name) = (&node.place, name.escape_debug());
            reader.warnings.push(format!("{place}: [{name}] is not a section of this program and is not read; did you mean [{nearest}]?"));
        }
    }
    for section in &SECTIONS {
        let Some(node) = tree::get(&reader.tree, section.path) else {
            continue;
        };
        let Value::Table(table) = &node.value else {
            let text = format!(
                "{path} must be a section; write [{path}] on a line of its own and its keys below it",
                path = section.path
            );
            reader.problems.push(Problem {
                place: node.place.clone(),
                text,
            });
            continue;
        };
        for (name, node) in table
            .iter()
            .filter(|(name, _)| !section.keys.contains(&name.as_str()))
        {
            let problem = Problem {
                place: node.place.clone(),
                text: describe_unknown_key(section, name),
            };
            match section.unknown {
                UnknownKeys::Reject => reader.problems.push(problem),
                UnknownKeys::Warn => reader.warnings.push(format!("{problem} It is not read.")),
                UnknownKeys::Ignore => {}
            }
        }
    }
}

fn top_level_names() -> impl Iterator<Item = &'static str> {
    SECTIONS
        .iter()
        .map(|section| section.path)
        .filter(|path| !path.contains('.'))
}

fn describe_unknown_key(section: &Section, name: &str) -> String {
    let home = SECTIONS.iter().find(|other| other.keys.contains(&name));
    let (nearest, similarity) = find_nearest(name, section.keys.iter().copied());
    let fix = match home {
        Some(home) => format!("it belongs in [{}].", home.path),
        None if similarity > POSSIBLE_TYPO => format!("did you mean {nearest}?"),
        None => format!("nearest is {nearest} among {}.", section.keys.join(", ")),
    };
    format!(
        "{}.{} is not a known key; {fix}",
        section.path,
        name.escape_debug()
    )
}

/// Finds the known name that is most similar to `name`, ignoring case, and their similarity.
fn find_nearest(name: &str, known: impl Iterator<Item = &'static str>) -> (&'static str, f64) {
    let name = name.to_ascii_lowercase();
    known
        .map(|known| (known, strsim::jaro_winkler(&name, known)))
        .max_by(|left, right| left.1.total_cmp(&right.1))
        .unwrap_or_default()
}
