//! `X-Forwarded-For` headers, one in each line: from an untrusted client, and from a client behind
//! one and two trusted proxies.
#![no_main]

use std::{net::IpAddr, sync::LazyLock};

use ipnet::IpNet;

#[path = "../../tests/it/properties/rules.rs"]
#[expect(dead_code, reason = "the rules of the other targets")]
mod rules;

static PROXIES: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    ["10.0.0.0/8", "2001:db8:ffff::/48"]
        .map(|network| network.parse().unwrap())
        .to_vec()
});
static OURS: LazyLock<Vec<IpAddr>> = LazyLock::new(|| {
    ["10.0.0.1", "2001:db8:ffff::1"]
        .map(|address| address.parse().unwrap())
        .to_vec()
});
static CLIENTS: LazyLock<Vec<IpAddr>> = LazyLock::new(|| {
    ["203.0.113.7", "2001:db8::7", "::ffff:203.0.113.7"]
        .map(|address| address.parse().unwrap())
        .to_vec()
});

libfuzzer_sys::fuzz_target!(|headers: &[u8]| {
    let written: Vec<Vec<u8>> = headers
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    for peer in OURS.iter().chain(CLIENTS.iter()) {
        rules::network(*peer, &written, &PROXIES);
    }
    for client in CLIENTS.iter() {
        rules::behind_proxies(*client, &written, &OURS[..1], &PROXIES);
        rules::behind_proxies(*client, &written, &OURS, &PROXIES);
    }
});
