//! `/users/check`

pub const TITLE: &str = "System check";
pub const LEAD: &str = "Looked at just now, from where this program runs.";
/// Precedes the hint of a check.
pub const HINT: &str = "What to do: ";
pub const CHECK_AGAIN: &str = "Check again";

/// The check of the proxy's headers. `peer` is the address that the request came from.
pub mod proxy {
    use std::fmt::Display;

    pub const NO_ADDRESS: &str = "this request has come without an address";
    pub const SET_FORWARDED_FOR: &str = "let the proxy set X-Forwarded-For";
    pub const WRITE_ADDRESSES: &str =
        "let the proxy write addresses into X-Forwarded-For, such as 203.0.113.7";
    pub const CHANGE_FRONTEND_URL: &str = "misc.frontend_url is to be the address that people type; the proxy should send all others there";

    pub fn not_trusted(peer: impl Display) -> String {
        format!(
            "{peer} forwards this request for somebody else, but is not believed: all who come through it are one visitor to throttles and log"
        )
    }

    pub fn trust_it(peer: impl Display) -> String {
        format!("if {peer} is your proxy, name it in server.trusted_proxies")
    }

    pub fn sets_no_header(peer: impl Display) -> String {
        format!(
            "{peer} is one of server.trusted_proxies, but does not say for whom it forwards this request"
        )
    }

    pub fn unreadable_hop(peer: impl Display) -> String {
        format!(
            "the address for which {peer} forwards this request cannot be read: all who come through it share one rate limit and one address in the log"
        )
    }

    pub fn other_origin(scheme: &str, host: &str, expected: &str) -> String {
        format!(
            "the proxy says that this was asked for at {scheme}://{host}, and not at {expected}"
        )
    }

    /// `proxy` is the trusted proxy that forwarded the request.
    pub fn found(client_ip: &str, proxy: Option<impl Display>) -> String {
        match proxy {
            Some(proxy) => format!("this request comes from {client_ip}, through {proxy}"),
            None => format!("this request comes from {client_ip}, without a proxy"),
        }
    }
}
