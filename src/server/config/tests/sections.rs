use super::{configured, problem, warning, warnings};
use crate::server::config::{LogFormat, Secret};

#[test]
fn an_unknown_key_names_its_place_and_the_nearest_known_key() {
    for (more, line) in [
        (
            "token_secrt = 'x'",
            "config.toml:4:1: auth.token_secrt is not a known key; did you mean token_secret?",
        ),
        (
            "  session_lifetme = 1",
            "config.toml:4:3: auth.session_lifetme is not a known key; did you mean session_lifetime?",
        ),
        (
            "openid_connect = { enable = true }",
            "config.toml:4:20: auth.openid_connect.enable is not a known key; did you mean enabled?",
        ),
        (
            "[auth.openid_connect]\nClient_ID = 'x'",
            "config.toml:5:1: auth.openid_connect.Client_ID is not a known key; did you mean client_id?",
        ),
        (
            "[server]\n\n'trusted-proxies' = []",
            "config.toml:6:1: server.trusted-proxies is not a known key; did you mean trusted_proxies?",
        ),
        (
            "[policy]\nregistraton = false",
            "config.toml:5:1: policy.registraton is not a known key; did you mean registration?",
        ),
        (
            "[policy.openid_connect]\nredirect_url = 'x'",
            "config.toml:5:1: policy.openid_connect.redirect_url is not a known key; did you mean redirect_uri?",
        ),
        (
            "cookie_name = 'x'",
            "config.toml:4:1: auth.cookie_name is not a known key; it belongs in [policy].",
        ),
        (
            "[policy.openid_connect]\n\"ü\\n\" = 1",
            "config.toml:5:1: policy.openid_connect.ü\\n is not a known key; nearest is ca_file among redirect_uri, trust_unverified_email, trusted_audiences, ca_file.",
        ),
    ] {
        assert_eq!(problem(more), line);
    }
}

#[test]
fn a_section_that_is_none_is_a_problem() {
    assert!(problem("openid_connect = true").starts_with(
        "config.toml:4:1: auth.openid_connect must be a section; write [auth.openid_connect]"
    ));
    assert!(
        problem("[[server]]\nport = 1").starts_with("config.toml:4:3: server must be a section")
    );
}

#[test]
fn mediamanagers_own_sections_are_left_alone() {
    let more = "[misc]\ndevelopment = false\ntv_directory = '/tv'\n[[misc.tv_libraries]]\nname = 'x'\n\
                [torrents.qbittorrent]\nenabled = 'what'\n[indexers]\nx = 1.5\n\
                [metadata.tmdb]\ny = 1979-05-27\n[notifications]\nother = 1\n[notifications.gotify]\nz = true\n[something_new]\na = 1";
    assert!(warnings(more).is_empty());
}

#[test]
fn unknown_keys_of_mediamanagers_database_and_mail_are_only_warned_about() {
    for (more, line) in [
        (
            "[database]\npasword = 'x'",
            "config.toml:5:1: database.pasword is not a known key; did you mean password? It is not read.",
        ),
        (
            "[notifications.smtp_config]\nsmtp_hots = 1",
            "config.toml:5:1: notifications.smtp_config.smtp_hots is not a known key; did you mean smtp_host? It is not read.",
        ),
    ] {
        assert_eq!(warnings(more)[0], line);
    }
}

#[test]
fn a_misspelt_section_of_ours_does_not_pass_unseen() {
    assert!(
        warning("[polcy]\nregistration = false")
            .starts_with("config.toml:4:2: [polcy] is not a section of this program and is not read; did you mean [policy]?")
    );
    assert!(warning("[Server]\nport = 1").contains("did you mean [server]?"));
}

#[test]
fn frontend_url_gives_origin_links_and_cookie_mode() {
    for (typed, origin, link, is_https) in [
        (
            "https://media.example.org",
            "https://media.example.org",
            "https://media.example.org/login",
            true,
        ),
        (
            "https://media.example.org/",
            "https://media.example.org",
            "https://media.example.org/login",
            true,
        ),
        (
            "https://Media.example.org:443/base//",
            "https://media.example.org",
            "https://media.example.org/base/login",
            true,
        ),
        (
            "http://localhost:8000",
            "http://localhost:8000",
            "http://localhost:8000/login",
            false,
        ),
        (
            "http://[::1]:8000",
            "http://[::1]:8000",
            "http://[::1]:8000/login",
            false,
        ),
    ] {
        let config = configured(&format!("[misc]\nfrontend_url = '{typed}'")).expect(typed);
        assert_eq!(
            (
                config.origin().as_str(),
                config.link("/login").as_str(),
                config.is_https()
            ),
            (origin, link, is_https)
        );
        // Below a path people can be reached, but our own addresses do not carry it: said, not
        // refused, because MediaManager may need it.
        let has_path = config.misc.frontend_url.path() != "/";
        assert_eq!(
            config
                .warnings
                .iter()
                .filter(|warning| warning.contains("has a path"))
                .count(),
            usize::from(has_path)
        );
        assert_eq!(
            config.warnings.len(),
            usize::from(has_path),
            "{:?}",
            config.warnings
        );
    }
}

#[test]
fn a_final_web_is_dropped_with_a_warning() {
    for (typed, link) in [
        ("https://m.example/web", "https://m.example/x"),
        ("https://m.example/web/", "https://m.example/x"),
    ] {
        let config = configured(&format!("[misc]\nfrontend_url = '{typed}'")).expect(typed);
        assert_eq!(
            (config.link("/x").as_str(), config.warnings.len()),
            (link, 1)
        );
        assert!(config.warnings[0].starts_with("misc.frontend_url ends in /web"));
    }
    assert_eq!(
        configured("[misc]\nfrontend_url = 'https://m.example/a/web/'")
            .expect("start")
            .link("/x"),
        "https://m.example/a/x"
    );
    assert!(!warning("[misc]\nfrontend_url = 'https://m.example/myweb'").contains("ends in /web"));
}

#[test]
fn http_beyond_this_machine_is_warned_about() {
    for host in ["media.example.org", "192.168.1.5:8000", "nas"] {
        assert!(
            warning(&format!("[misc]\nfrontend_url = 'http://{host}'")).contains("not Secure"),
            "{host}"
        );
    }
}

#[test]
fn a_frontend_url_that_is_no_web_address_is_refused() {
    for typed in [
        "",
        "media.example.org",
        "localhost:8000",
        "/",
        "ftp://m.example",
        "https://m.example?x",
        "https://m.example#x",
        "https://u@m.example",
        "https://",
        "https:\\\\m.example",
    ] {
        assert!(
            problem(&format!("[misc]\nfrontend_url = '{typed}'"))
                .starts_with("config.toml:5:1: misc.frontend_url is not a web address"),
            "{typed}"
        );
    }
}

#[test]
fn cors_urls_are_origins() {
    let config = configured("[misc]\ncors_urls = ['http://localhost:8000', 'https://App.example.org:443/', 'https://app.example.org']").expect("start");
    assert_eq!(
        config.misc.cors_urls,
        ["http://localhost:8000", "https://app.example.org"]
    );
    for typed in [
        "*",
        "null",
        "https://*.example.org/x",
        "app.example.org",
        "https://app.example.org/path",
        "https://app.example.org?x",
    ] {
        assert!(
            problem(&format!("[misc]\ncors_urls = ['{typed}']"))
                .starts_with("config.toml:5:14: misc.cors_urls entry 1 is not an origin"),
            "{typed}"
        );
    }
}

#[test]
fn the_database_is_sqlite_or_mediamanagers_or_the_address_given() {
    let url = |more: &str| {
        configured(more)
            .expect(more)
            .database_url
            .expose()
            .to_owned()
    };
    assert_eq!(
        url("[database]"),
        "postgres://MediaManager:MediaManager@localhost:5432/MediaManager"
    );
    assert_eq!(
        url(
            "[database]\nhost = 'db'\nport = '5433'\nuser = 'u:s'\npassword = 'p@/%:ß'\ndbname = 'a b'"
        ),
        "postgres://u%3As:p%40%2F%25%3A%C3%9F@db:5433/a%20b"
    );
    assert_eq!(
        url("[database]\nhost = '::1'\npassword = ''"),
        "postgres://MediaManager:@[::1]:5432/MediaManager"
    );
    assert_eq!(
        url("[database]\nhost = 'db'\nport = 'x'\n[server]\ndatabase_url = 'sqlite://x.db'"),
        "sqlite://x.db"
    );
    for good in [
        "postgres://u:p@h/d",
        "postgresql://h/d",
        "sqlite::memory:",
        "sqlite:///var/lib/x.db",
    ] {
        assert_eq!(url(&format!("[server]\ndatabase_url = '{good}'")), good);
    }
    for bad in [
        "mysql://h/d",
        "postgres",
        "postgres://h:port/d",
        "/data/x.db",
    ] {
        assert!(
            problem(&format!("[server]\ndatabase_url = '{bad}'")).starts_with(
                "config.toml:5:1: server.database_url is not an address of a database"
            ),
            "{bad}"
        );
    }
    assert!(
        problem("[database]\nport = 0")
            .starts_with("config.toml:5:1: database.port must be a whole number from 1 to 65535")
    );
}

#[test]
fn mail_is_encrypted_unless_the_operator_insists() {
    let smtp = |more: &str| {
        configured(&format!(
            "[notifications.smtp_config]\nsmtp_host = 'mail'\nfrom_email = 'a@b'\n{more}"
        ))
        .expect(more)
    };
    let config = smtp("");
    let defaults = config.smtp.expect("complete");
    assert_eq!(
        (
            defaults.port,
            defaults.use_tls,
            defaults.user.is_none(),
            defaults.password.is_none()
        ),
        (587, true, true, true)
    );
    assert!(config.warnings.is_empty());

    let plain = smtp("use_tls = false");
    assert!(
        !plain.smtp.expect("complete").use_tls
            && plain.warnings[0].starts_with("notifications.smtp_config.use_tls is false")
    );
    let implicit = smtp("use_tls = false\nsmtp_port = 465");
    assert!(implicit.smtp.expect("complete").use_tls && implicit.warnings.is_empty());
    let login = smtp("smtp_user = 'u'\nsmtp_password = ' p '")
        .smtp
        .expect("complete");
    assert_eq!(
        (
            login.user.as_deref(),
            login.password.as_ref().map(Secret::expose)
        ),
        (Some("u"), Some(" p "))
    );
}

#[test]
fn a_host_without_sender_sends_nothing_and_says_so() {
    assert_eq!(
        warning("[notifications.smtp_config]\nsmtp_host = 'mail'"),
        "notifications.smtp_config.from_email is not set: no mail is sent."
    );
    let more = "[notifications.smtp_config]\nsmtp_host = 'mail'\nfrom_email = 'Media <a@b>'";
    assert!(problem(more).starts_with(
        "config.toml:6:1: notifications.smtp_config.from_email is not an e-mail address"
    ));
}

#[test]
fn trusted_proxies_are_addresses_and_networks() {
    let config = configured("[server]\nhost = '::'\ntrusted_proxies = ['127.0.0.1', '172.16.0.0/12', 'fd00::/8', '127.0.0.1/32']").expect("start");
    let networks: Vec<String> = config
        .server
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(networks, ["127.0.0.1/32", "172.16.0.0/12", "fd00::/8"]);
    assert!(
        problem("[server]\ntrusted_proxies = ['caddy']").starts_with(
            "config.toml:5:20: server.trusted_proxies entry 1 is not an address or network"
        )
    );
    assert!(
        warning("[server]\ntrusted_proxies = ['0.0.0.0/0']")
            .starts_with("INSECURE: server.trusted_proxies")
    );
}

#[test]
fn log_settings_are_checked() {
    let server = configured(
        "[server]\nlog_format = 'JSON'\nlog_level = 'info,sea_orm=warn'\nlog_client_address = 'no'",
    )
    .expect("start")
    .server;
    assert_eq!(
        (
            server.log_format,
            server.log_level.as_str(),
            server.log_client_address
        ),
        (LogFormat::Json, "info,sea_orm=warn", false)
    );
    for level in ["inof", "info,sea_orm=wran"] {
        assert!(
            problem(&format!("[server]\nlog_level = '{level}'"))
                .starts_with("config.toml:5:1: server.log_level is not a level"),
            "{level}"
        );
    }
    assert!(
        problem("[server]\napp_name = ''")
            .starts_with("config.toml:5:1: server.app_name must have 1 to 64 characters")
    );
}

#[test]
fn the_address_of_the_metrics_has_a_port() {
    assert_eq!(configured("").expect("start").server.metrics_address, None);
    let server = configured("[server]\nmetrics_address = '[::1]:9100'")
        .expect("start")
        .server;
    assert_eq!(server.metrics_address, "[::1]:9100".parse().ok());
    for address in ["9100", "localhost", "127.0.0.1", "127.0.0.1:70000"] {
        assert!(
            problem(&format!("[server]\nmetrics_address = '{address}'")).starts_with(
                "config.toml:5:1: server.metrics_address is not an address with a port"
            )
        );
    }
}

#[test]
fn a_cookie_name_is_a_token_and_its_prefix_needs_https() {
    for name in ["", "a b", "a;b", "a=b", "ü", "a,b", "\"a\""] {
        assert!(
            problem(&format!("[policy]\ncookie_name = '{name}'"))
                .starts_with("config.toml:5:1: policy.cookie_name is not a cookie name"),
            "{name}"
        );
    }
    for name in ["__Host-session", "__secure-session"] {
        assert!(
            problem(&format!("[policy]\ncookie_name = '{name}'")).contains("https only"),
            "{name}"
        );
        assert_eq!(
            configured(&format!(
                "[policy]\ncookie_name = '{name}'\n[misc]\nfrontend_url = 'https://m.example'"
            ))
            .expect(name)
            .policy
            .cookie_name,
            name
        );
    }
}

#[test]
fn policy_numbers_have_bounds() {
    for (key, lowest, highest) in [
        ("password_min_length", 8, 64),
        ("reset_link_lifetime", 600, 3600),
        ("setup_link_lifetime", 600, 604_800),
        ("audit_retention_days", 1, 3650),
        ("throttle.login_failures_per_ip", 5, 1000),
        ("throttle.login_failures_per_account", 3, 100),
        ("throttle.max_delay", 1, 3600),
        ("throttle.requests_per_ip", 1, 1000),
        ("throttle.mails_per_account", 1, 100),
        ("password_hash_concurrency", 1, 64),
    ] {
        assert!(
            warnings(&format!("[policy]\n{key} = {lowest}")).is_empty()
                && warnings(&format!("[policy]\n{key} = {highest}")).is_empty()
        );
        for number in [lowest - 1, highest + 1] {
            let problem = problem(&format!("[policy]\n{key} = {number}"));
            let fault =
                format!(": policy.{key} must be a whole number from {lowest} to {highest};");
            assert!(
                problem.starts_with("config.toml:5:") && problem.contains(&fault),
                "{problem}"
            );
        }
    }
    assert_eq!(
        configured("[policy]\npassword_hash_concurrency = 2")
            .expect("start")
            .policy
            .password_hash_concurrency,
        Some(2)
    );
}

#[test]
fn the_default_redirect_is_on_this_site() {
    assert_eq!(
        configured("[policy]\ndefault_redirect = '/web/dashboard'")
            .expect("start")
            .policy
            .default_redirect
            .as_str(),
        "/web/dashboard"
    );
    for page in [
        "https://evil.example",
        "//evil.example",
        "dashboard",
        "",
        "/login",
    ] {
        assert!(
            problem(&format!("[policy]\ndefault_redirect = '{page}'"))
                .starts_with("config.toml:5:1: policy.default_redirect is not a page of this site"),
            "{page}"
        );
    }
}
