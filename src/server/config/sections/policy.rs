use url::Url;

use crate::{app::paths, domain::ReturnTo, server::config::reader::Reader};

/// `[policy]`, a section of this program.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `registration`, default true: whether visitors may create accounts (SR-038).
    pub registration: bool,
    /// `password_min_length`: the minimum length of a new password in code points. 8 to 64, default
    /// 12 (SR-010).
    pub password_min_length: u16,
    /// `cookie_name`, default `fastapiusersauth`, which MediaManager reads. `__Host-` and
    /// `__Secure-` need https (SR-092).
    pub cookie_name: String,
    /// `default_redirect`, default `/account`: the page after a login without a `return_to`.
    pub default_redirect: ReturnTo,
    /// `reset_link_lifetime`, in seconds. 600 to 3600, default 1800 (SR-042).
    pub reset_link_lifetime: u32,
    /// `setup_link_lifetime`, in seconds. 600 to 604 800, default 86 400 (SR-034).
    pub setup_link_lifetime: u32,
    /// `audit_retention_days`: days after which events are deleted from the audit log. 1 to 3650,
    /// default 90.
    pub audit_retention_days: u32,
    /// `[policy.throttle]`
    pub throttle: RateLimits,
    /// `password_hash_concurrency`: the number of passwords hashed at a time. 1 to 64; `None` for
    /// the smaller of 4 and the number of cores (SR-170).
    pub password_hash_concurrency: Option<u16>,
}

/// `[policy.throttle]`, a section of this program: the rate limits (SR-023, SR-047).
#[derive(Clone, Debug)]
pub struct RateLimits {
    /// `enabled`, default true. False allows unlimited password guessing and is warned about at
    /// every start.
    pub enabled: bool,
    /// `login_failures_per_ip`: failed logins from one client address (IPv6: /64) in ten minutes. 5
    /// to 1000, default 20.
    pub login_failures_per_ip: i32,
    /// `login_failures_per_account`: consecutive failed logins with one account before delays
    /// begin. 3 to 100, default 10.
    pub login_failures_per_account: i32,
    /// `max_delay`: the longest of these delays, which double, in seconds. 1 to 3600, default 900.
    pub max_delay: u32,
    /// `requests_per_ip`: sign-ups, and requests for links of one kind, from one client address in
    /// an hour. 1 to 1000, default 10.
    pub requests_per_ip: i32,
    /// `mails_per_account`: mails of one kind to one account in an hour. 1 to 100, default 3.
    pub mails_per_account: i32,
}

impl Policy {
    pub(super) fn read(reader: &mut Reader, frontend_url: Option<&Url>) -> Option<Self> {
        let registration = reader.boolean("policy.registration", true);
        let password_min_length = reader.number("policy.password_min_length", &(8..=64), 12);
        let cookie_name = read_cookie_name(reader, frontend_url);
        let default_redirect = reader.parsed(
            "policy.default_redirect",
            paths::ACCOUNT.path,
            |text| ReturnTo::parse(text).filter(|page| page.as_str() != "/"),
            "is not a page of this site",
            "write a path like /account or /web/dashboard",
        );
        let reset_link_lifetime = reader.number("policy.reset_link_lifetime", &(600..=3600), 1800);
        let setup_link_lifetime =
            reader.number("policy.setup_link_lifetime", &(600..=604_800), 86_400);
        let audit_retention_days = reader.number("policy.audit_retention_days", &(1..=3650), 90);
        let throttle = RateLimits::read(reader);
        let permits = "policy.password_hash_concurrency";
        let password_hash_concurrency = reader
            .has(permits)
            .then(|| reader.number(permits, &(1..=64), 4));
        Some(Self {
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
}

impl RateLimits {
    fn read(reader: &mut Reader) -> Self {
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
}

fn read_cookie_name(reader: &mut Reader, frontend_url: Option<&Url>) -> Option<String> {
    let key = "policy.cookie_name";
    // RFC 6265 §4.1.1 requires a token of RFC 9110 §5.6.2.
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
    // Browsers compare the prefixes case-insensitively.
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
