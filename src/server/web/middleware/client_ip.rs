use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

use crate::{
    server::{config::Config, diagnostics::CheckResult},
    text::en::pages::users::diagnostics::proxy as text,
};

/// The rate limit key of a request: the client's IPv4 address or IPv6 /64, because one subscriber
/// usually has at least a /64 (SR-022).
pub fn rate_limit_key(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    trusted_proxies: &[IpNet],
) -> String {
    match peer.map(|peer| client(peer.to_canonical(), headers, trusted_proxies)) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// The rightmost `X-Forwarded-For` entry that is not a trusted proxy, or the peer if that entry is
/// unreadable. The header is read only from trusted proxies (SR-130): anyone can send it, and the
/// entries further left are set by the client, so they are ignored.
fn client(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &[IpNet]) -> IpAddr {
    if !is_trusted(trusted_proxies, &peer) {
        return peer;
    }
    forwarded_client(headers, trusted_proxies)
        .flatten()
        .unwrap_or(peer)
}

/// The rightmost entry that is not a trusted proxy: `None` without one, `Some(None)` if it is
/// unreadable.
fn forwarded_client(headers: &HeaderMap, trusted_proxies: &[IpNet]) -> Option<Option<IpAddr>> {
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let mut hops = lines
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
        .map(address);
    hops.find(|hop| !hop.is_some_and(|hop| is_trusted(trusted_proxies, &hop)))
}

/// Whether `X-Forwarded-For` from this address is trusted.
fn is_trusted(trusted_proxies: &[IpNet], address: &IpAddr) -> bool {
    trusted_proxies.iter().any(|proxy| proxy.contains(address))
}

/// Compares the proxy headers of the administrator's own request with the settings. On the command
/// line there is no request to check.
pub fn check_proxy_headers(
    config: &Config,
    peer: Option<IpAddr>,
    headers: &HeaderMap,
) -> CheckResult {
    let check = "proxy";
    let Some(peer) = peer.map(|peer| peer.to_canonical()) else {
        return CheckResult::ok(check, text::NO_ADDRESS);
    };
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .filter(|value| !value.is_empty())
    };
    let is_trusted_peer = is_trusted(&config.server.trusted_proxies, &peer);
    if header("x-forwarded-for").is_some() && !is_trusted_peer {
        return CheckResult::warning(check, text::not_trusted(peer), text::trust_it(peer));
    }
    if header("x-forwarded-for").is_none() && is_trusted_peer {
        return CheckResult::warning(check, text::sets_no_header(peer), text::SET_FORWARDED_FOR);
    }
    let trusted_proxies = &config.server.trusted_proxies;
    if is_trusted_peer && forwarded_client(headers, trusted_proxies) == Some(None) {
        return CheckResult::warning(check, text::unreadable_hop(peer), text::WRITE_ADDRESSES);
    }
    let public = config.origin();
    let (scheme, host) = public.split_once("://").unwrap_or_default();
    let (forwarded_scheme, forwarded_host) = (
        header("x-forwarded-proto").unwrap_or(scheme),
        header("x-forwarded-host").unwrap_or(host),
    );
    if !(forwarded_scheme.eq_ignore_ascii_case(scheme) && forwarded_host.eq_ignore_ascii_case(host))
    {
        let message = text::other_origin(forwarded_scheme, forwarded_host, &public);
        return CheckResult::warning(check, message, text::CHANGE_FRONTEND_URL);
    }
    let client_ip = rate_limit_key(Some(peer), headers, &config.server.trusted_proxies);
    CheckResult::ok(
        check,
        text::found(&client_ip, is_trusted_peer.then_some(peer)),
    )
}

/// An address, also with a port or in the brackets of a URL, as some proxies write it.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(hop.trim_ascii()).ok()?;
    let in_brackets = || {
        let address = text.strip_prefix('[')?.strip_suffix(']')?;
        address.parse::<Ipv6Addr>().ok().map(IpAddr::from)
    };
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = text.parse().ok().or_else(with_port).or_else(in_brackets)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn from(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(
                "x-forwarded-for",
                HeaderValue::from_bytes(line.as_bytes()).unwrap(),
            );
        }
        rate_limit_key(
            Some(peer.parse().unwrap()),
            &headers,
            &["10.0.0.0/8".parse().unwrap()],
        )
    }

    #[test]
    fn a_stranger_cannot_choose_its_address() {
        assert_eq!(from("203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
        assert_eq!(
            from("10.0.0.1", &["198.51.100.1, 203.0.113.7"]),
            "203.0.113.7"
        );
        assert_eq!(
            from("10.0.0.1", &["198.51.100.1", "203.0.113.7, 10.0.0.2"]),
            "203.0.113.7"
        );
    }

    #[test]
    fn an_unreadable_hop_means_the_peer() {
        assert_eq!(from("10.0.0.1", &["203.0.113.7, nonsense"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_the_client_wrote_cannot_make_its_own_hop_unreadable() {
        for written in ["nonsense", "", ",", "203.0.113.9:80", "\u{ff}"] {
            assert_eq!(
                from("10.0.0.1", &[&format!("{written}, 203.0.113.7")]),
                "203.0.113.7",
                "{written}"
            );
            assert_eq!(
                from("10.0.0.1", &[written, "203.0.113.7, 10.0.0.2"]),
                "203.0.113.7",
                "{written}"
            );
        }
    }

    // Azure Application Gateway, IIS with ARR.
    #[test]
    fn a_hop_may_have_a_port_and_brackets() {
        for (hop, expected) in [
            ("203.0.113.7:5678", "203.0.113.7"),
            ("[2001:db8:1:2::7]:443", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2::7]", "2001:db8:1:2::/64"),
            ("[::ffff:203.0.113.7]:1", "203.0.113.7"),
            (" 203.0.113.7:1 , 10.0.0.2:80", "203.0.113.7"),
        ] {
            assert_eq!(from("10.0.0.1", &[hop]), expected, "{hop}");
        }
        for hop in [
            "203.0.113.7:",
            "203.0.113.7:x",
            "203.0.113.7:65536",
            "[203.0.113.7]",
            "[2001:db8::7",
            "2001:db8::7]",
            "[2001:db8::7]x",
            "unknown",
            "_hidden",
        ] {
            assert_eq!(from("10.0.0.1", &[hop]), "10.0.0.1", "{hop}");
        }
    }

    #[test]
    fn mapped_addresses_are_folded_and_ipv6_is_counted_by_64() {
        assert_eq!(from("::ffff:203.0.113.7", &[]), "203.0.113.7");
        assert_eq!(from("2001:db8:1:2:3:4:5:6", &[]), "2001:db8:1:2::/64");
    }
}
