use super::{configured, problem, warning};
use crate::server::config::LogFormat;

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
fn metrics_for_everybody_are_warned_of() {
    for address in [
        "0.0.0.0:9100",
        "[::]:9100",
        "203.0.113.7:9100",
        "[2001:db8::1]:9100",
    ] {
        assert!(
            warning(&format!("[server]\nmetrics_address = '{address}'"))
                .starts_with("server.metrics_address"),
            "{address}"
        );
    }
    for address in [
        "127.0.0.1:9100",
        "[::1]:9100",
        "192.168.0.2:9100",
        "[fd00::1]:9100",
        "[fe80::1]:9100",
        "169.254.0.1:9100",
    ] {
        let config =
            configured(&format!("[server]\nmetrics_address = '{address}'")).expect("start");
        assert_eq!(config.warnings, Vec::<String>::new(), "{address}");
    }
}
