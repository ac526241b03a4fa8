//! Property tests of the parsers of untrusted input. The rules are in `properties/rules.rs` and
//! `properties/token_rules.rs`; the inputs combine relevant pieces, in the same order on every
//! machine. `make fuzz` searches for others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed},
};

mod id_tokens;
mod rules;
mod token_rules;

fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..Config::default()
    }
}

/// Any text, or a sequence of the pieces.
fn text(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let joined = vec(select(pieces), 0..most).prop_map(|pieces| pieces.concat());
    prop_oneof![4 => joined, 1 => any::<String>()]
}

/// Header lines made of pieces; a piece need not be UTF-8.
fn lines(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<Vec<u8>>> {
    let line = vec(select(pieces), 0..12).prop_map(|pieces| pieces.concat());
    vec(prop_oneof![8 => line, 1 => vec(any::<u8>(), 0..40)], 0..4)
}

const OF_EMAILS: &[&str] = &[
    "a", "Ada", "@", "@", "example", ".", ".org", "-", "+", "'", " ", "\t", "\r\n", "\n", "\0",
    "\u{7f}", "\u{85}", "\"", "<", "K", "\u{212a}", "ß", "ä", "xn--",
];

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        text(OF_EMAILS, 12),
        "[ \t\r\n]{0,2}[a-zA-Z0-9.+'_-]{1,66}@[a-zA-Z0-9-]{1,65}(\\.[a-zA-Z0-9]{1,63}){0,3}[ \t\r\n]{0,2}"
    ]
}

/// A text, and the same text with other letter case and outer whitespace.
fn two_spellings() -> impl Strategy<Value = (String, String)> {
    (address(), vec(any::<bool>(), 300), "[ \t\r\n]{0,3}").prop_map(|(address, flips, blanks)| {
        let flip = |(c, is_other): (char, &bool)| {
            if *is_other {
                (c as u8 ^ 0x20) as char
            } else {
                c
            }
        };
        let other: String = address
            .chars()
            .zip(&flips)
            .map(|(c, is_other)| {
                if c.is_ascii_alphabetic() {
                    flip((c, is_other))
                } else {
                    c
                }
            })
            .collect();
        (address, format!("{blanks}{other}{blanks}"))
    })
}

const OF_TARGETS: &[&str] = &[
    "/",
    "/",
    "/",
    "//",
    "\\",
    "%2f",
    "%2F",
    "%5c",
    "%252f",
    ".",
    "..",
    "%2e",
    "%2E%2e",
    "\t",
    "\n",
    "\r",
    " ",
    "\0",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{ff0f}",
    "\u{2215}",
    "login",
    "LOGIN",
    "%6cogin",
    "%256cogin",
    "logout",
    "api",
    "setup",
    ".well-known",
    "account",
    "a",
    "ü",
    "%C3%BC",
    "%ff",
    "%00",
    "%",
    "%zz",
    ":",
    "@",
    "?",
    "#",
    ";",
    "|",
    "\"",
    "<",
    "^",
    "[",
    "]",
    "{",
    "https:",
    "javascript:",
    "evil.example",
    "user:word@evil.example",
];

const OF_FORWARDED: &[&[u8]] = &[
    b"203.0.113.7",
    b"10.0.0.1",
    b"10.0.0.2",
    b"::1",
    b"2001:db8::7",
    b"::ffff:10.0.0.1",
    b"::ffff:203.0.113.7",
    b"[2001:db8::7]:443",
    b"203.0.113.7:80",
    b",",
    b", ",
    b",,",
    b" ",
    b"\t",
    b"unknown",
    b"_hidden",
    b"for=203.0.113.7;",
    b"\xff",
    b"0x7f.1",
    b"010.0.0.1",
    b"999.1.1.1",
    b"%eth0",
    b"\"",
];

const OF_COOKIES: &[&[u8]] = &[
    b"fastapiusersauth",
    b"fastapiusersauth=",
    b"fastapiusersauth=a.b.c",
    b"__Host-",
    b"=",
    b";",
    b"; ",
    b" ",
    b"\t",
    b"a=b",
    b"a=b; ",
    b"seen=1;",
    b"\"",
    b"%3D",
    b"%66astapiusersauth",
    b"FastAPIUsersAuth=x",
    b",",
    b"$Version=1",
    b"\xff",
    b"\xc3\xa4",
    b"==",
    b";;",
    b"sealed",
    b"oidc-attempt-=x",
];

const OF_JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"a\":",
    "\"\\u0061\":",
    "\"b\":",
    "1",
    "-0",
    "1e400",
    "18446744073709551616",
    "0.5",
    "null",
    "true",
    "\"",
    "\\",
    "\"{\"",
    "\"\\\"\"",
    "\"\\ud800\"",
    " ",
    "{\"a\":1}",
    "{\"a\":1,\"a\":1}",
    "{\"a\":1,\"b\":[{\"a\":2}]}",
    "[[[[[[[[[[[[[[[[",
    "]]]]]]]]]]]]]]]]",
    "\u{feff}",
    "\0",
];

/// The proxies of the tests.
fn proxies() -> Vec<IpNet> {
    ["10.0.0.0/8", "2001:db8:ffff::/48", "127.0.0.1/32"]
        .map(|network| network.parse().unwrap())
        .to_vec()
}

fn proxy() -> impl Strategy<Value = IpAddr> {
    let v4 = any::<[u8; 3]>().prop_map(|[b, c, d]| Ipv4Addr::new(10, b, c, d));
    let v6 = any::<[u16; 5]>()
        .prop_map(|[d, e, f, g, h]| Ipv6Addr::new(0x2001, 0xdb8, 0xffff, d, e, f, g, h));
    prop_oneof![
        v4.clone().prop_map(IpAddr::V4),
        v6.prop_map(IpAddr::V6),
        v4.prop_map(|address| IpAddr::V6(address.to_ipv6_mapped()))
    ]
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn an_accepted_address_is_canonical_and_one_line(typed in address()) {
        rules::email(&typed);
    }

    #[test]
    fn spellings_of_one_address_are_equal((one, other) in two_spellings()) {
        rules::emails(&one, &other);
        assert_eq!(mediamanager_auth::domain::Email::parse(&one), mediamanager_auth::domain::Email::parse(&other));
    }

    #[test]
    fn different_addresses_stay_different(one in "[aAkK\u{212a}.+ ]{1,3}@[bB]", other in "[aAkK\u{212a}.+ ]{1,3}@[bB]") {
        rules::emails(&one, &other);
    }

    #[test]
    fn no_target_leads_a_browser_away_or_in_a_circle(raw in text(OF_TARGETS, 10), is_path in prop::bool::weighted(0.8)) {
        rules::return_to(&if is_path { format!("/{raw}") } else { raw });
    }

    #[test]
    fn a_stranger_is_counted_under_its_own_address(peer in any::<IpAddr>(), written in lines(OF_FORWARDED)) {
        rules::network(peer, &written, &proxies());
    }

    #[test]
    fn what_a_client_writes_does_not_change_what_proxies_say(
        client in any::<IpAddr>(), written in lines(OF_FORWARDED), passed in vec(proxy(), 1..4)
    ) {
        rules::network(passed[0], &written, &proxies());
        rules::behind_proxies(client, &written, &passed, &proxies());
    }

    #[test]
    fn one_well_formed_cookie_is_somebody_and_anything_else_nobody(lines in lines(OF_COOKIES)) {
        rules::cookie_header(&lines);
    }

    #[test]
    fn json_is_read_as_others_read_it_or_not_at_all(document in text(OF_JSON, 16)) {
        token_rules::strict(document.as_bytes());
    }
}
