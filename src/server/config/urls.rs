//! Rules for web addresses.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

/// All characters except the unreserved ones (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An absolute http or https address without credentials, query or fragment.
pub fn parse_http_url(text: &str) -> Option<Url> {
    // The parser repairs blanks, backslashes and a missing `//` like a browser's address bar. A
    // setting is not repaired, because the operator should see its real value.
    let is_plain = text.starts_with("https://") || text.starts_with("http://");
    if !is_plain || text.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace()) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    is_bare.then_some(url)
}

/// Parses an address without a path and returns its origin as a browser sends it.
pub fn parse_origin(text: &str) -> Option<String> {
    parse_http_url(text)
        .filter(|url| url.path() == "/")
        .map(|url| url.origin().ascii_serialization())
}

/// Appends `path`, which begins with `/`, to `base`, which may have a path.
pub fn join(base: &Url, path: &str) -> String {
    format!("{}{path}", base.as_str().trim_end_matches('/'))
}

/// Encodes a text as one path segment or one other component of a URL.
pub fn percent_encode(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, RESERVED)
}

/// Whether the host is this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

/// Whether the address is of a private network (RFC 1918, RFC 4193).
pub fn is_private_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

/// Whether the host is this machine, in a private network (RFC 1918, RFC 4193), or a name without a
/// dot, which only private networks resolve.
pub fn is_private(url: &Url) -> bool {
    is_loopback(url)
        || match url.host() {
            Some(Host::Domain(name)) => !name.contains('.'),
            Some(Host::Ipv4(address)) => is_private_address(address.into()),
            Some(Host::Ipv6(address)) => is_private_address(address.to_canonical()),
            None => false,
        }
}
