use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use crate::server::config::Config;

/// Shorter than the timeout of common supervisors.
const TIMEOUT: Duration = Duration::from_secs(5);

/// `healthcheck`: requests `/readyz` from the running program, for a supervisor that needs an exit
/// code.
pub(super) async fn run(config: &Config) -> Result<(), String> {
    let host = match config.server.host {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    let address = SocketAddr::new(host, config.server.port);
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .map_err(|err| err.to_string())?;
    match client.get(format!("http://{address}/readyz")).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(format!(
            "http://{address} answers, but is not ready ({}): the database cannot be reached, or the program is stopping",
            response.status()
        )),
        Err(_) => Err(format!("nobody answers at http://{address}")),
    }
}
