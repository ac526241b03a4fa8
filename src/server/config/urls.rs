//! What counts as a web address, and whose it is.

use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

/// Everything but the characters that mean themselves in any part of an address (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An absolute http or https address without credentials, query or fragment.
pub fn http_url(text: &str) -> Option<Url> {
    // The parser repairs what a browser's address bar would: blanks, backslashes, a missing `//`. A
    // setting is right or refused.
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

/// An origin as a browser sends it, from an address with nothing behind the host and port.
pub fn origin(text: &str) -> Option<String> {
    http_url(text)
        .filter(|url| url.path() == "/")
        .map(|url| url.origin().ascii_serialization())
}

/// `base` and `path` in one address; `path` begins with `/`, and `base` may have a path of its own.
pub fn join(base: &Url, path: &str) -> String {
    format!("{}{path}", base.as_str().trim_end_matches('/'))
}

/// Any text as one segment of a path, or as one component of an address.
pub fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, RESERVED)
}

/// This very machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

/// This machine, a private network (RFC 1918, RFC 4193), or a name without a dot, which only a
/// private network resolves.
pub fn is_private(url: &Url) -> bool {
    let is_private_address = |address| match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    };
    is_loopback(url)
        || match url.host() {
            Some(Host::Domain(name)) => !name.contains('.'),
            Some(Host::Ipv4(address)) => is_private_address(address.into()),
            Some(Host::Ipv6(address)) => is_private_address(address.to_canonical()),
            None => false,
        }
}
