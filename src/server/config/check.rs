//! The rules, one function per section. A function reads all of its keys before it gives up (`?`),
//! so that every problem is found in one run.

use std::fs::File;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use ipnet::IpNet;
use url::Url;

use super::{
    Auth, Config, LogFormat, Misc, OpenIdConnect, Policy, RateLimits, Secret, Server, Smtp,
    reader::Reader, urls,
};
use crate::{
    app::paths,
    domain::{Email, ProviderId, ReturnTo, external_user::ProviderRules},
    server::telemetry::log,
};

/// The `token_secret` in the complete example that MediaManager's manual prints (chapter
/// Authentication). Everybody knows it.
const DOCUMENTED_SAMPLE_SECRET: &str = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z6";
/// How invented secrets begin, in letters and digits: `CHANGE_ME…`, `secret…`,
/// `your_super_secret_key_here`.
const PLACEHOLDERS: [&str; 3] = ["changeme", "secret", "your"];
const TOKEN_SECRET_FIX: &str =
    r#"write token_secret = "…" with the output of `openssl rand -hex 32`"#;
const MIN_SECRET_BYTES: usize = 32;
const MIN_DISTINCT_SECRET_CHARS: usize = 10;

const SECONDS_PER_MONTH: u32 = 30 * 24 * 60 * 60;
const MAX_NAME_CHARS: usize = 64;
const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";
const SMTPS_PORT: u16 = 465;

/// Everything, without the warnings; `None` only if there is a problem.
pub fn config(reader: &mut Reader) -> Option<Config> {
    let misc = misc(reader);
    let frontend_url = misc.as_ref().map(|misc| &misc.frontend_url);
    let wants_resets = reader.boolean("auth.email_password_resets", false);
    let smtp = smtp(reader, wants_resets);
    let auth = auth(reader, wants_resets && smtp.is_some(), frontend_url);
    let database_url = database_url(reader);
    let server = server(reader);
    let policy = policy(reader, frontend_url);
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

fn misc(reader: &mut Reader) -> Option<Misc> {
    let fix = r#"write like ["https://app.example.org"] which sites may call the API"#;
    let cors_urls = reader.list(
        "misc.cors_urls",
        urls::origin,
        "an origin (http or https, a host, and no path; never *)",
        fix,
    );
    Some(Misc {
        frontend_url: frontend_url(reader)?,
        cors_urls,
    })
}

fn frontend_url(reader: &mut Reader) -> Option<Url> {
    let key = "misc.frontend_url";
    let fault = "is not a web address (http or https, without user, query and fragment)";
    let mut url = reader.parsed(
        key,
        "http://localhost:8000",
        urls::http_url,
        fault,
        r#"write it like "https://media.example.org""#,
    )?;
    let path = url.path().trim_end_matches('/').to_owned();
    let base = path
        .strip_suffix("/web")
        .map(|base| base.trim_end_matches('/'));
    if base.is_some() {
        reader.warn(format!("{key} ends in /web, as MediaManager had it before 1.10.0: that part is dropped. Write it without."));
    }
    url.set_path(base.unwrap_or(&path));
    if url.path() != "/" {
        reader.warn(format!(
            "{key} has a path: the login pages work at the root of a host only, so the proxy has to send the whole host's /login, /pkg and so on here."
        ));
    }
    if url.scheme() == "http" && !urls::is_loopback(&url) {
        reader.warn(format!(
            "{key} is http: passwords and cookies cross the network readable, and cookies are not Secure. Put a proxy with https in front and write https here."
        ));
    }
    Some(url)
}

fn auth(
    reader: &mut Reader,
    email_password_resets: bool,
    frontend_url: Option<&Url>,
) -> Option<Auth> {
    let token_secret = token_secret(reader);
    let session_lifetime = reader.number("auth.session_lifetime", &(60..=31_536_000), 86_400);
    if session_lifetime > SECONDS_PER_MONTH {
        reader.warn("auth.session_lifetime is longer than 30 days: a lost device stays logged in that long.");
    }
    let admin_emails = admin_emails(reader);
    let providers = if reader.boolean("auth.openid_connect.enabled", false) {
        vec![openid_connect(reader, frontend_url)?]
    } else {
        Vec::new()
    };
    Some(Auth {
        token_secret: token_secret?,
        session_lifetime,
        admin_emails,
        email_password_resets,
        providers,
    })
}

fn token_secret(reader: &mut Reader) -> Option<Secret> {
    let key = "auth.token_secret";
    let text = reader.required(key, TOKEN_SECRET_FIX)?;
    let trimmed = text.trim();
    let mut characters: Vec<char> = trimmed.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    let letters: String = trimmed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    let fault = if trimmed == DOCUMENTED_SAMPLE_SECRET {
        reader.warn(format!("INSECURE: {key} is the sample printed in MediaManager's manual, so anyone can log in as anyone; {TOKEN_SECRET_FIX}."));
        return Some(Secret::new(text));
    } else if PLACEHOLDERS
        .iter()
        .any(|placeholder| letters.starts_with(placeholder))
    {
        "is a placeholder that anyone can guess"
    } else if trimmed.len() < MIN_SECRET_BYTES {
        "is shorter than 32 bytes"
    } else if characters.len() < MIN_DISTINCT_SECRET_CHARS {
        "has fewer than 10 different characters"
    } else {
        return Some(Secret::new(text));
    };
    reader.problem(key, fault, TOKEN_SECRET_FIX);
    None
}

fn admin_emails(reader: &mut Reader) -> Vec<Email> {
    let key = "auth.admin_emails";
    let fix = r#"write admin_emails = ["you@example.org"]"#;
    let emails = reader.list(
        key,
        |text| Email::parse(text).ok(),
        "an e-mail address",
        fix,
    );
    if !reader.has(key) {
        reader.missing(key, fix);
    }
    emails
}

fn openid_connect(reader: &mut Reader, frontend_url: Option<&Url>) -> Option<OpenIdConnect> {
    let client_id = reader.required("auth.openid_connect.client_id", "copy it from the provider");
    let client_secret = reader
        .required(
            "auth.openid_connect.client_secret",
            "copy it from the provider",
        )
        .map(Secret::new);
    let configuration_endpoint = configuration_endpoint(reader);
    let name = read_provider_name(reader);
    let redirect_uri_is_configured = !reader.is_blank("policy.openid_connect.redirect_uri");
    let redirect_uri = if !redirect_uri_is_configured {
        frontend_url.zip(name.as_deref()).map(|(base, name)| {
            urls::join(
                base,
                &format!("/api/v1/auth/cookie/{}/callback", urls::encoded(name)),
            )
        })
    } else {
        let fix = "write the address that is registered at the provider, or remove the key";
        // Kept to the letter, as the provider compares it.
        let parse = |text: &str| urls::http_url(text).map(|_| text.to_owned());
        reader.parsed(
            "policy.openid_connect.redirect_uri",
            "",
            parse,
            "is not a web address (http or https, without user, query and fragment)",
            fix,
        )
    };
    let rules = ProviderRules {
        trust_unverified_email: reader
            .boolean("policy.openid_connect.trust_unverified_email", false),
    };
    let name_of_a_client = |text: &str| {
        (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
    };
    let fix = r#"write the project id and clients that the provider names beside this one, like ["123456789@media"], or remove the key"#;
    let trusted_audiences = reader.list(
        "policy.openid_connect.trusted_audiences",
        name_of_a_client,
        "a name",
        fix,
    );
    let ca_file = read_file_path(reader, "policy.openid_connect.ca_file");
    let (configuration_endpoint, discovery_url) = configuration_endpoint?;
    Some(OpenIdConnect {
        id: ProviderId::new("openid_connect"),
        client_id: client_id?,
        client_secret: client_secret?,
        configuration_endpoint,
        discovery_url,
        name: name?,
        redirect_uri: redirect_uri?,
        redirect_uri_is_configured,
        rules,
        trusted_audiences,
        ca_file,
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

fn configuration_endpoint(reader: &mut Reader) -> Option<(Url, String)> {
    let key = "auth.openid_connect.configuration_endpoint";
    let fix = "write the provider's https address that ends in /.well-known/openid-configuration";
    let typed = reader.required(key, fix)?;
    let text = typed.trim();
    let without_slash = text.strip_suffix('/').unwrap_or(text);
    let Some(url) = urls::http_url(without_slash) else {
        reader.problem(
            key,
            "is not a web address (https, without user, query and fragment)",
            fix,
        );
        return None;
    };
    if url.scheme() == "http" && !urls::is_private(&url) {
        reader.problem(
            key,
            "is http, which is only accepted on this machine and in private networks",
            fix,
        );
        return None;
    }
    if url.scheme() == "http" {
        reader.warn(format!("{key} is http: who listens on the way to the provider can log in as anyone. Write https if the provider has it."));
    }
    if without_slash != text {
        reader.warn(format!("{key} ends in a slash, which is dropped."));
    }
    if !url.path().ends_with(DISCOVERY_PATH) {
        reader.warn(format!(
            "{key} does not end in {DISCOVERY_PATH}; did you mean {}?",
            urls::join(&url, DISCOVERY_PATH)
        ));
    }
    Some((url, without_slash.to_owned()))
}

fn read_provider_name(reader: &mut Reader) -> Option<String> {
    let key = "auth.openid_connect.name";
    let fix = "write what the button shall say, such as Authentik";
    let name = reader.required(key, fix)?;
    // A part of a path: dots would be read as directories.
    let is_segment = name != "."
        && name != ".."
        && !name.contains(|c: char| c.is_control() || "/\\?#".contains(c));
    if is_segment && name.chars().count() <= MAX_NAME_CHARS {
        return Some(name);
    }
    reader.problem(
        key,
        r"must have at most 64 characters and none of / \ ? # or control characters",
        fix,
    );
    None
}

fn database_url(reader: &mut Reader) -> Option<Secret> {
    let key = "server.database_url";
    if let Some(url) = reader.optional(key) {
        let is_postgres = url.starts_with("postgres:") || url.starts_with("postgresql:");
        if url.starts_with("sqlite:") || (is_postgres && Url::parse(&url).is_ok()) {
            return Some(Secret::new(url));
        }
        reader.problem(
            key,
            "is not an address of a database",
            "write sqlite://path/to/file.db or postgres://user:password@host/dbname",
        );
        return None;
    }
    if !reader.has("database") {
        return Some(Secret::new("sqlite://data/mediamanager-auth.db".to_owned()));
    }
    let mut text =
        |key: &str, default: &str| reader.text(key).unwrap_or_else(|| default.to_owned());
    let host = text("database.host", "localhost");
    let user = text("database.user", "MediaManager");
    let password = text("database.password", "MediaManager");
    let dbname = text("database.dbname", "MediaManager");
    let port: u16 = reader.number("database.port", &(1..=u16::MAX), 5432);
    // A host may also be the directory of a socket, which is encoded.
    let host = host.parse::<Ipv6Addr>().map_or_else(
        |_| urls::encoded(&host).to_string(),
        |address| format!("[{address}]"),
    );
    let (user, password, dbname) = (
        urls::encoded(&user),
        urls::encoded(&password),
        urls::encoded(&dbname),
    );
    Some(Secret::new(format!(
        "postgres://{user}:{password}@{host}:{port}/{dbname}"
    )))
}

/// What stands in MediaManager's example and is nobody's mail server (RFC 2606).
const EXAMPLE_HOST: &str = "smtp.example.com";

fn smtp(reader: &mut Reader, wants_resets: bool) -> Option<Smtp> {
    let (host_key, from_key) = (
        "notifications.smtp_config.smtp_host",
        "notifications.smtp_config.from_email",
    );
    let missing: Vec<&str> = [host_key, from_key]
        .into_iter()
        .filter(|key| reader.is_blank(key))
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(" and ");
        if wants_resets {
            reader.warn(format!("auth.email_password_resets has no effect until these are set: {missing}. Nobody can reset a password by mail."));
        } else if missing == from_key {
            reader.warn(format!("{from_key} is not set: no mail is sent."));
        }
        return None;
    }
    let host = reader.optional(host_key);
    if host
        .as_deref()
        .is_some_and(|host| host.trim().eq_ignore_ascii_case(EXAMPLE_HOST))
    {
        // With it, people would be told that a mail is on its way, and administrators would wonder
        // why nobody comes.
        reader.warn(format!("{host_key} is the example's placeholder: no mail is sent. Name your mail server, or leave it empty."));
        return None;
    }
    let from_email = reader.parsed(
        from_key,
        "",
        |text| Email::parse(text).ok(),
        "is not an e-mail address",
        "write only the address, like media@example.org",
    );
    let port = reader.number("notifications.smtp_config.smtp_port", &(1..=u16::MAX), 587);
    let user = reader.optional("notifications.smtp_config.smtp_user");
    let password = reader
        .optional("notifications.smtp_config.smtp_password")
        .map(Secret::new);
    let use_tls = reader.boolean("notifications.smtp_config.use_tls", true) || port == SMTPS_PORT;
    if !use_tls {
        reader.warn("notifications.smtp_config.use_tls is false: mails with reset links, and the SMTP password, cross the network readable.");
    }
    Some(Smtp {
        host: host?.trim().to_owned(),
        port,
        user,
        password,
        from_email: from_email?,
        use_tls,
    })
}

fn server(reader: &mut Reader) -> Option<Server> {
    let host = reader.parsed(
        "server.host",
        "127.0.0.1",
        |text| text.parse().ok(),
        "is not an IP address",
        "write 127.0.0.1, or 0.0.0.0 for all addresses",
    );
    let network = |text: &str| {
        text.parse::<IpNet>()
            .ok()
            .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    };
    let trusted_proxies = reader.list(
        "server.trusted_proxies",
        network,
        "an address or network",
        r#"write it like ["127.0.0.1", "172.16.0.0/12"]"#,
    );
    if trusted_proxies
        .iter()
        .any(|network| network.prefix_len() == 0)
    {
        reader.warn("INSECURE: server.trusted_proxies trusts every address, so anyone can pretend to be another client and escape the throttle.");
    }
    let smtp_implicit_tls = reader.boolean("server.smtp_implicit_tls", false);
    let smtp_ca_file = read_file_path(reader, "server.smtp_ca_file");
    let is_name = |text: &str| {
        !text.is_empty()
            && text.chars().count() <= MAX_NAME_CHARS
            && !text.contains(char::is_control)
    };
    let app_name = reader.parsed(
        "server.app_name",
        "MediaManager",
        |text| is_name(text).then(|| text.to_owned()),
        "must have 1 to 64 characters and no control characters",
        "the default is MediaManager",
    );
    let format = |text: &str| match text.to_ascii_lowercase().as_str() {
        "auto" => Some(LogFormat::Auto),
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    };
    let log_format = reader.parsed(
        "server.log_format",
        "auto",
        format,
        "is not known",
        "write auto, text or json",
    );
    let port = reader.number("server.port", &(0..=u16::MAX), 8000);
    let log_client_address = reader.boolean("server.log_client_address", true);
    let address = |text: &str| {
        if text.is_empty() {
            Some(None)
        } else {
            text.parse().ok().map(Some)
        }
    };
    let metrics_address = reader.parsed(
        "server.metrics_address",
        "",
        address,
        "is not an address with a port",
        "write it like 127.0.0.1:9100",
    );
    let log_level = reader.parsed(
        "server.log_level",
        "info",
        log_level,
        "is not a level",
        "write error, warn, info, debug, trace, or like info,sea_orm=warn",
    );
    Some(Server {
        host: host?,
        port,
        trusted_proxies,
        smtp_implicit_tls,
        smtp_ca_file,
        app_name: app_name?,
        log_format: log_format?,
        log_level: log_level?,
        log_client_address,
        metrics_address: metrics_address?,
    })
}

/// A level or a filter. A single word must be a level: a misspelt one would be taken for the name
/// of a module, and all others fall silent.
fn log_level(text: &str) -> Option<String> {
    let is_level = ["off", "error", "warn", "info", "debug", "trace"]
        .contains(&text.to_ascii_lowercase().as_str());
    (is_level || text.contains(['=', ',']) && log::filter(text).is_ok()).then(|| text.to_owned())
}

fn policy(reader: &mut Reader, frontend_url: Option<&Url>) -> Option<Policy> {
    let registration = reader.boolean("policy.registration", true);
    let password_min_length = reader.number("policy.password_min_length", &(8..=64), 12);
    let cookie_name = cookie_name(reader, frontend_url);
    let default_redirect = reader.parsed(
        "policy.default_redirect",
        paths::ACCOUNT.path,
        |text| ReturnTo::parse(text).filter(|page| page.as_str() != "/"),
        "is not a page of this site",
        "write a path like /account or /web/dashboard",
    );
    let reset_link_lifetime = reader.number("policy.reset_link_lifetime", &(600..=3600), 1800);
    let setup_link_lifetime = reader.number("policy.setup_link_lifetime", &(600..=604_800), 86_400);
    let audit_retention_days = reader.number("policy.audit_retention_days", &(1..=3650), 90);
    let throttle = rate_limits(reader);
    let permits = "policy.password_hash_concurrency";
    let password_hash_concurrency = reader
        .has(permits)
        .then(|| reader.number(permits, &(1..=64), 4));
    Some(Policy {
        registration,
        password_min_length,
        cookie_name: cookie_name?,
        default_redirect: default_redirect?,
        reset_link_lifetime,
        setup_link_lifetime,
        audit_retention_days,
        throttle,
        password_hash_concurrency,
    })
}

fn rate_limits(reader: &mut Reader) -> RateLimits {
    let enabled = reader.boolean("policy.throttle.enabled", true);
    if !enabled {
        reader.warn("INSECURE: policy.throttle.enabled is false: passwords can be guessed as fast as this machine checks them, and mailboxes filled.");
    }
    RateLimits {
        enabled,
        login_failures_per_ip: reader.number(
            "policy.throttle.login_failures_per_ip",
            &(5..=1000),
            20,
        ),
        login_failures_per_account: reader.number(
            "policy.throttle.login_failures_per_account",
            &(3..=100),
            10,
        ),
        max_delay: reader.number("policy.throttle.max_delay", &(1..=3600), 900),
        requests_per_ip: reader.number("policy.throttle.requests_per_ip", &(1..=1000), 10),
        mails_per_account: reader.number("policy.throttle.mails_per_account", &(1..=100), 3),
    }
}

fn cookie_name(reader: &mut Reader, frontend_url: Option<&Url>) -> Option<String> {
    let key = "policy.cookie_name";
    // A token of RFC 9110 §5.6.2, which RFC 6265 §4.1.1 asks for.
    let is_token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let parse = |text: &str| is_token(text).then(|| text.to_owned());
    let name = reader.parsed(
        key,
        "fastapiusersauth",
        parse,
        "is not a cookie name",
        "use letters, digits, - and _",
    )?;
    // Browsers compare the prefixes without regard to case.
    let lower = name.to_ascii_lowercase();
    let needs_https = lower.starts_with("__host-") || lower.starts_with("__secure-");
    if needs_https && frontend_url.is_some_and(|url| url.scheme() != "https") {
        reader.problem(
            key,
            "has a prefix that browsers accept over https only",
            "remove the prefix, or write misc.frontend_url with https",
        );
    }
    Some(name)
}
