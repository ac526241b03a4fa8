//! Rules that hold for every input. Tests generate inputs for them in `properties.rs`, the fuzzer in
//! `fuzz/`; both compile this file.

use std::{net::IpAddr, sync::LazyLock};

use axum::http::{HeaderMap, HeaderValue, header};
use ipnet::IpNet;
use mediamanager_auth::{
    domain::{Email, ReturnTo, return_to},
    server::{
        config::{self, Config, Sources},
        web::{cookies, middleware::client_ip},
    },
};
use url::{Url, form_urlencoded};

/// Exactly the characters that `Email` trims.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// An accepted address is the input, trimmed and in lower case; it fits an SMTP envelope and
/// contains no line break.
pub fn email(typed: &str) {
    let Ok(address) = Email::parse(typed) else {
        return;
    };
    let text = address.as_str();
    assert_eq!(text, typed.trim_matches(BLANKS).to_ascii_lowercase());
    assert_eq!(
        Email::parse(text).as_ref(),
        Ok(&address),
        "its canonical form is another address"
    );
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
    let (local, domain) = text.split_once('@').unwrap();
    assert_eq!(local, address.local_part());
    assert!(
        (1..=64).contains(&local.len())
            && !domain.is_empty()
            && text.len() <= 254
            && !domain.contains('@'),
        "{text}"
    );
    assert!(
        domain
            .split('.')
            .all(|label| (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')),
        "{text}"
    );
}

/// Two inputs are the same address if and only if they differ only in ASCII letter case and outer
/// whitespace.
pub fn emails(one: &str, other: &str) {
    if let (Ok(first), Ok(second)) = (Email::parse(one), Email::parse(other)) {
        assert_eq!(
            first == second,
            one.trim_matches(BLANKS)
                .eq_ignore_ascii_case(other.trim_matches(BLANKS)),
            "{one:?} {other:?}"
        );
    }
}

/// Base URLs from which a target is resolved: the site's root under several addresses, and pages of
/// it.
static PAGES: LazyLock<Vec<Url>> = LazyLock::new(|| {
    let pages = [
        "http://localhost:8000",
        "https://media.example.org/login?return_to=/x#y",
        "https://[2001:db8::1]:8443/login/verify",
        "http://nas/api/v1/x/",
    ];
    pages
        .into_iter()
        .map(|page| page.parse().unwrap())
        .collect()
});

/// First path segments that are no destination (SR-120).
const NO_DESTINATION: [&str; 5] = ["api", "login", "logout", "setup", ".well-known"];

/// From every page of the site, an accepted target resolves to a page of the site that is not part
/// of login or logout.
pub fn return_to(raw: &str) {
    let carried = return_to::with_target("/page", ReturnTo::parse(raw).as_ref());
    let Some(target) = ReturnTo::parse(raw) else {
        assert_eq!(carried, "/page", "a bad target is carried along");
        return;
    };
    assert_eq!(target.as_str(), raw, "a good target is changed");
    assert!(raw.len() <= 2048);
    let parameter = carried.strip_prefix("/page?").unwrap();
    let read: Vec<_> = form_urlencoded::parse(parameter.as_bytes()).collect();
    assert_eq!(read, [("return_to".into(), raw.into())], "{carried}");
    HeaderValue::from_str(raw).expect("a Location header takes it");
    for page in PAGES.iter() {
        let there = page.join(raw).expect(raw);
        assert_eq!(there.origin(), page.origin(), "{raw:?} leads to {there}");
        assert!(
            there.username().is_empty() && there.password().is_none(),
            "{raw:?} leads to {there}"
        );
        assert!(!there.path().starts_with("//"), "{raw:?} leads to {there}");
        let path = percent_encoding::percent_decode_str(there.path())
            .decode_utf8()
            .expect(raw)
            .to_ascii_lowercase();
        let first = path.split('/').nth(1).unwrap_or_default();
        assert!(!NO_DESTINATION.contains(&first), "{raw:?} leads to {there}");
        // The resolved path is a target again: its page may require a login and pass it on as
        // `return_to`.
        let asked = &there[url::Position::BeforePath..];
        assert!(
            asked.len() > 2048 || ReturnTo::parse(asked).is_some(),
            "{raw:?} becomes {asked}"
        );
    }
}

fn forwarded(lines: &[Vec<u8>]) -> HeaderMap {
    let lines = lines
        .iter()
        .filter_map(|line| HeaderValue::from_bytes(line).ok());
    lines
        .map(|line| (header::HeaderName::from_static("x-forwarded-for"), line))
        .collect()
}

fn is_trusted(address: IpAddr, proxies: &[IpNet]) -> bool {
    proxies
        .iter()
        .any(|proxy| proxy.contains(&address.to_canonical()))
}

/// The result is an IPv4 address or an IPv6 /64, whatever the headers contain; a peer that is no
/// trusted proxy is its own client.
pub fn network(peer: IpAddr, written: &[Vec<u8>], proxies: &[IpNet]) {
    let network = client_ip::rate_limit_key(Some(peer), &forwarded(written), proxies);
    match network.strip_suffix("/64") {
        None => assert!(network.parse::<std::net::Ipv4Addr>().is_ok(), "{network}"),
        Some(prefix) => {
            let prefix: std::net::Ipv6Addr = prefix.parse().expect(&network);
            assert!(
                prefix.to_ipv4_mapped().is_none() && prefix.segments()[4..] == [0; 4],
                "{network}"
            );
        }
    }
    if !is_trusted(peer, proxies) {
        assert_eq!(
            network,
            client_ip::rate_limit_key(Some(peer), &HeaderMap::new(), proxies),
            "a stranger's header matters"
        );
    }
    assert_eq!(
        client_ip::rate_limit_key(None, &forwarded(written), proxies),
        "unknown"
    );
}

/// An untrusted client may send any header; each trusted proxy appends the address of its peer. The
/// result is the client's address, however much the client sends and whether the proxies extend the
/// header line or add another.
pub fn behind_proxies(client: IpAddr, written: &[Vec<u8>], passed: &[IpAddr], proxies: &[IpNet]) {
    let (Some(peer), false) = (passed.last(), is_trusted(client, proxies)) else {
        return;
    };
    assert!(passed.iter().all(|proxy| is_trusted(*proxy, proxies)));
    let added: Vec<String> = [&client]
        .into_iter()
        .chain(&passed[..passed.len() - 1])
        .map(ToString::to_string)
        .collect();
    let written: Vec<Vec<u8>> = written
        .iter()
        .filter(|line| HeaderValue::from_bytes(line).is_ok())
        .cloned()
        .collect();
    let in_lines: Vec<Vec<u8>> = written
        .iter()
        .cloned()
        .chain(added.iter().map(|hop| hop.clone().into_bytes()))
        .collect();
    let added = added.join(", ").into_bytes();
    let in_one = if written.is_empty() {
        added
    } else {
        [written.join(&b", "[..]), added].join(&b", "[..])
    };
    let expected = client_ip::rate_limit_key(Some(client), &HeaderMap::new(), proxies);
    for headers in [forwarded(&in_lines), forwarded(&[in_one])] {
        assert_eq!(
            client_ip::rate_limit_key(Some(*peer), &headers, proxies),
            expected,
            "{headers:?}"
        );
    }
}

/// The configuration of a program behind HTTPS or on plain HTTP.
fn configured(frontend_url: &str) -> Config {
    let environment = [
        (
            "MEDIAMANAGER_AUTH__TOKEN_SECRET",
            "0123456789abcdef0123456789abcdef",
        ),
        ("MEDIAMANAGER_AUTH__ADMIN_EMAILS", "[]"),
        ("MEDIAMANAGER_MISC__FRONTEND_URL", frontend_url),
        // A directory that does not exist, so that no local file is loaded.
        ("CONFIG_DIR", "/nowhere"),
    ];
    let environment = environment
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    config::load(&Sources {
        config_file: None,
        environment,
    })
    .expect("a configuration")
}

static CONFIG: LazyLock<Config> = LazyLock::new(|| configured("https://media.example.org"));
static SEALING: LazyLock<cookie::Key> = LazyLock::new(|| cookie::Key::from(&[7; 64]));
/// A sealed cookie, sealed once: sealing is randomized, and fuzzing must be deterministic.
static SEALED: LazyLock<String> = LazyLock::new(|| {
    let header = cookies::seal(&CONFIG, &SEALING, "sealed", "a secret", 60).unwrap();
    header
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned()
});

/// One readable cookie of the name is the token. Duplicates, even equal ones, and an unreadable one
/// yield no token, whatever other cookies there are (SR-093). Unsealed input is never accepted as a
/// sealed cookie and does not hide one.
pub fn cookie_header(lines: &[Vec<u8>]) {
    let lines = lines
        .iter()
        .filter_map(|line| HeaderValue::from_bytes(line).ok());
    let mut headers: HeaderMap = lines.map(|line| (header::COOKIE, line)).collect();
    let name = CONFIG.policy.cookie_name.as_bytes();
    let pieces = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let ours: Vec<Option<String>> = pieces
        .filter_map(|piece| {
            let mut halves = piece.splitn(2, |byte| *byte == b'=');
            let is_ours = halves.next().unwrap_or_default().trim_ascii() == name;
            let value = halves.next().map(<[u8]>::trim_ascii);
            is_ours.then(|| {
                value
                    .filter(|value| value.iter().all(|byte| (b' '..=b'~').contains(byte)))
                    .and_then(|value| String::from_utf8(value.to_vec()).ok())
            })
        })
        .collect();
    let expected = if let [token] = &ours[..] {
        token.clone()
    } else {
        None
    };
    assert_eq!(
        cookies::presented_token(&CONFIG, &headers),
        expected,
        "{headers:?}"
    );

    assert_eq!(cookies::unseal(&SEALING, &headers, ""), [], "{headers:?}");
    let is_planted = headers
        .values()
        .any(|line| line.as_bytes().windows(6).any(|window| window == b"sealed"));
    headers.append(header::COOKIE, SEALED.parse().unwrap());
    if !is_planted {
        assert_eq!(
            cookies::unseal(&SEALING, &headers, "sealed"),
            [("sealed".to_owned(), "a secret".to_owned())],
            "{headers:?}"
        );
    }
}
