use std::net::Ipv6Addr;

use url::Url;

use crate::server::config::{Secret, reader::Reader, urls};

/// Reads `server.database_url`, or builds the URL from `[database]`. The default is a SQLite file.
pub(super) fn read_url(reader: &mut Reader) -> Option<Secret> {
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
    // A host may also be the directory of a Unix socket, whose slashes must be encoded.
    let host = host.parse::<Ipv6Addr>().map_or_else(
        |_| urls::percent_encode(&host).to_string(),
        |address| format!("[{address}]"),
    );
    let (user, password, dbname) = (
        urls::percent_encode(&user),
        urls::percent_encode(&password),
        urls::percent_encode(&dbname),
    );
    Some(Secret::new(format!(
        "postgres://{user}:{password}@{host}:{port}/{dbname}"
    )))
}
