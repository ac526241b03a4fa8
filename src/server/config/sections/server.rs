use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;

use super::{MAX_NAME_CHARS, read_file_path};
use crate::server::{
    config::{reader::Reader, urls},
    telemetry::log,
};

/// `[server]`, a section of this program.
#[derive(Clone, Debug)]
pub struct Server {
    /// `host`, default 127.0.0.1: the address to listen on. In a container 0.0.0.0.
    pub host: IpAddr,
    /// `port`, default 8000. 0 lets the system choose.
    pub port: u16,
    /// `trusted_proxies`, default none: addresses or networks whose `X-Forwarded-For` is trusted
    /// (SR-130).
    pub trusted_proxies: Vec<IpNet>,
    /// `smtp_implicit_tls`, default false: implicit TLS on ports other than 465, which always uses
    /// it.
    pub smtp_implicit_tls: bool,
    /// `smtp_ca_file`: a PEM file with the mail server's private certificate authority.
    pub smtp_ca_file: Option<PathBuf>,
    /// `app_name`, default MediaManager: the application's name on pages and in mails.
    pub app_name: String,
    /// `log_format`, default auto.
    pub log_format: LogFormat,
    /// `log_level`, default info: a level, or a filter like `info,sea_orm=warn`.
    pub log_level: String,
    /// `log_client_address`, default true: whether log lines contain the client address.
    pub log_client_address: bool,
    /// `metrics_address`, default none: the address that serves `GET /metrics` to Prometheus. It
    /// must not be public, because the metrics reveal usage.
    pub metrics_address: Option<SocketAddr>,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text at a terminal, else JSON.
    Auto,
    Text,
    /// One JSON object per line.
    Json,
}

impl Server {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let host = reader.parsed(
            "server.host",
            "127.0.0.1",
            |text| text.parse().ok(),
            "is not an IP address",
            "write 127.0.0.1, or 0.0.0.0 for all addresses",
        );
        let parse_network = |text: &str| {
            text.parse::<IpNet>()
                .ok()
                .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
        };
        let trusted_proxies = reader.list(
            "server.trusted_proxies",
            parse_network,
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
        let parse_format = |text: &str| match text.to_ascii_lowercase().as_str() {
            "auto" => Some(LogFormat::Auto),
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        };
        let log_format = reader.parsed(
            "server.log_format",
            "auto",
            parse_format,
            "is not known",
            "write auto, text or json",
        );
        let port = reader.number("server.port", &(0..=u16::MAX), 8000);
        let log_client_address = reader.boolean("server.log_client_address", true);
        let parse_address = |text: &str| {
            if text.is_empty() {
                Some(None)
            } else {
                text.parse().ok().map(Some)
            }
        };
        let metrics_address = reader.parsed(
            "server.metrics_address",
            "",
            parse_address,
            "is not an address with a port",
            "write it like 127.0.0.1:9100",
        );
        if metrics_address
            .flatten()
            .is_some_and(|address: SocketAddr| !is_local(address.ip()))
        {
            reader.warn("server.metrics_address can be reached by others, and the metrics reveal who uses the program how much. Write 127.0.0.1 or an address of the network in which Prometheus runs, or let only Prometheus reach the port.");
        }
        let log_level = reader.parsed(
            "server.log_level",
            "info",
            parse_log_level,
            "is not a level",
            "write error, warn, info, debug, trace, or like info,sea_orm=warn",
        );
        Some(Self {
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
}

/// Whether an address is this machine's or one of a private network (RFC 1918, RFC 3927, RFC 4193).
fn is_local(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    address.is_loopback() || is_link_local || urls::is_private_address(address)
}

/// Accepts a level or a filter. A single word must be a level, because the library takes any other
/// word for the name of a module and disables all others.
fn parse_log_level(text: &str) -> Option<String> {
    let is_level = ["off", "error", "warn", "info", "debug", "trace"]
        .contains(&text.to_ascii_lowercase().as_str());
    (is_level || text.contains(['=', ',']) && log::filter(text).is_ok()).then(|| text.to_owned())
}
