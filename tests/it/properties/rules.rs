//! What is true of every input, whoever wrote it. `properties.rs` throws generated inputs at these
//! rules, `fuzz/` those that a fuzzer finds; both compile this file.

use std::{net::IpAddr, sync::LazyLock};

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ipnet::IpNet;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use mediamanager_auth::{
    domain::{Email, ExternalUser, ReturnTo, oidc_error::OidcError, return_to},
    server::{
        config::{self, Config, Sources},
        oidc::{claims, jwks, jwt},
        strict_json,
        web::{cookies, middleware::client_ip},
    },
};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

/// What `email` cuts from both ends, and nothing else.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// An accepted address is the typed one without its outer blanks and in lower case; it fits an SMTP
/// envelope and cannot end a line.
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

/// Two spellings are one address if they differ in nothing but ASCII letter case and outer blanks,
/// and only then.
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

/// Where a target is followed from: the front door under several addresses, and pages of it.
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

/// First segments of paths that are no destination (SR-120).
const NO_DESTINATION: [&str; 5] = ["api", "login", "logout", "setup", ".well-known"];

/// Wherever a browser stands on our site, an accepted target leads to a page of our site that is no
/// part of logging in or out.
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
        // What the browser then asks for is a target again: the page may be closed and send it
        // through the login once more.
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

/// The answer is an IPv4 address or an IPv6 /64, whatever stands in the headers; and a peer that is
/// no proxy of ours is itself.
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

/// A client that is none of our proxies writes what it likes; each proxy that the request passes
/// adds the address it has it from. The answer is the client's address, however much it has written
/// and whether the proxies add to the line or begin another.
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

/// The configuration of a program behind https, or on plain http.
fn configured(frontend_url: &str) -> Config {
    let environment = [
        (
            "MEDIAMANAGER_AUTH__TOKEN_SECRET",
            "0123456789abcdef0123456789abcdef",
        ),
        ("MEDIAMANAGER_AUTH__ADMIN_EMAILS", "[]"),
        ("MEDIAMANAGER_MISC__FRONTEND_URL", frontend_url),
        // A directory without any file: what lies where the tests run must not matter.
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
/// A cookie that was sealed once: sealing takes randomness, and a fuzzer wants every run to be the
/// same.
static SEALED: LazyLock<String> = LazyLock::new(|| {
    let header = cookies::sealed(&CONFIG, &SEALING, "sealed", "a secret", 60).unwrap();
    header
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned()
});

/// One cookie of the name in well-formed headers is the token. Several of it, even if they agree,
/// or anything that is no cookie, are nobody (SR-093). What a stranger writes is never taken for a
/// sealed cookie, and does not hide one.
pub fn cookie_header(lines: &[Vec<u8>]) {
    let lines = lines
        .iter()
        .filter_map(|line| HeaderValue::from_bytes(line).ok());
    let mut headers: HeaderMap = lines.map(|line| (header::COOKIE, line)).collect();
    let name = CONFIG.policy.cookie_name.as_str();
    let text: Option<Vec<&str>> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(|line| line.to_str().ok())
        .collect();
    let pairs: Option<Vec<(&str, &str)>> = text.as_ref().and_then(|lines| {
        let pieces = lines
            .iter()
            .flat_map(|line| line.split(';'))
            .map(str::trim)
            .filter(|piece| !piece.is_empty());
        pieces
            .map(|piece| {
                piece
                    .split_once('=')
                    .map(|(name, value)| (name.trim(), value.trim()))
                    .filter(|(name, _)| !name.is_empty())
            })
            .collect()
    });
    let ours = pairs
        .unwrap_or_default()
        .into_iter()
        .filter(|(other, _)| *other == name)
        .map(|(_, value)| value)
        .collect::<Vec<_>>();
    let expected = if let [token] = ours[..] {
        Some(token.to_owned())
    } else {
        None
    };
    assert_eq!(
        cookies::presented_token(&CONFIG, &headers),
        expected,
        "{headers:?}"
    );

    assert_eq!(cookies::unsealed(&SEALING, &headers, ""), [], "{headers:?}");
    let is_planted = headers
        .values()
        .any(|line| line.as_bytes().windows(6).any(|window| window == b"sealed"));
    headers.append(header::COOKIE, SEALED.parse().unwrap());
    if !is_planted {
        assert_eq!(
            cookies::unsealed(&SEALING, &headers, "sealed"),
            [("sealed".to_owned(), "a secret".to_owned())],
            "{headers:?}"
        );
    }
}

/// A document is taken if the usual reader takes it, it is an object of at most 32 levels, and no
/// member stands in it twice; and then both have read the same.
pub fn strict(document: &[u8]) -> Option<Map<String, Value>> {
    let usual = match serde_json::from_slice(document) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    };
    let (levels, written) = outline(document);
    let expected = usual.filter(|members| levels <= 32 && written == members_of(members));
    let read = strict_json::object(document).ok();
    assert_eq!(read, expected);
    read
}

/// How many levels a JSON document has, and how many members are written in it: a colon each,
/// outside of texts.
fn outline(document: &[u8]) -> (usize, usize) {
    let (mut level, mut deepest, mut colons) = (0_usize, 0, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in document {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' | b'[' => level += 1,
            b'}' | b']' => level = level.saturating_sub(1),
            b':' => colons += 1,
            _ => {}
        }
        deepest = deepest.max(level);
    }
    (deepest, colons)
}

fn members_of(members: &Map<String, Value>) -> usize {
    fn inside(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(inside).sum(),
            Value::Object(members) => members_of(members),
            _ => 0,
        }
    }
    members.len() + members.values().map(inside).sum::<usize>()
}

/// The test provider and what it was asked.
const ISSUER: &str = "https://id.example.org";
const CLIENT_ID: &str = "mediamanager";
const NONCE: &str = "n-0S6_WzA2Mj";
const ACCESS_TOKEN: &str = "SlAV32hkKG";
const NOW: i64 = 1_800_000_000;

static KEYS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../keys/keys.json")).unwrap());
static SIGNING: LazyLock<EncodingKey> = LazyLock::new(|| {
    EncodingKey::from_ed_der(
        &STANDARD
            .decode(KEYS["ed25519"]["der"].as_str().unwrap())
            .unwrap(),
    )
});
static PUBLISHED: LazyLock<Vec<jwks::Key>> = LazyLock::new(|| {
    let published = ["rsa", "p256", "ed25519"].map(|name| {
        let mut key = KEYS[name]["jwk"].clone();
        key["kid"] = name.into();
        key
    });
    jwks::read(
        serde_json::json!({ "keys": published })
            .to_string()
            .as_bytes(),
    )
    .unwrap()
});

/// A token that the provider has not signed is never believed.
pub fn forged_token(token: &str) {
    let Ok(unverified) = jwt::read(token, &["jwt"]) else {
        return;
    };
    let algorithms = jwks::ALGORITHMS.map(|(name, _)| name.to_owned());
    assert!(
        unverified.verify(&PUBLISHED, &algorithms).is_err(),
        "{token}"
    );
}

/// Of a token that the provider has signed, with any header and any claims: who it names is really
/// what it says, of us, now and for this login (SR-062 to SR-067, SR-073).
pub fn id_token(header: &[u8], payload: &[u8]) -> Option<ExternalUser> {
    let (head, body) = (strict(header), strict(payload));
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let token = format!(
        "{signed}.{}",
        crypto::sign(signed.as_bytes(), &SIGNING, Algorithm::EdDSA).unwrap()
    );
    let unverified = match jwt::read(&token, &["jwt"]) {
        Ok(unverified) => unverified,
        Err(why) => {
            assert!(!why.contains(char::is_control), "{why:?}");
            return None;
        }
    };
    let (head, body) = (
        head.expect("a header that is no strict JSON"),
        body.expect("claims that are no strict JSON"),
    );
    let verified = unverified.verify(&PUBLISHED, &["EdDSA".to_owned()]).ok()?;
    assert_eq!(head["alg"], "EdDSA");
    assert!(
        head.get("kid").is_none_or(|kid| kid == "ed25519"),
        "{head:?}"
    );
    assert!(
        head.get("typ").is_none_or(|typ| typ
            .as_str()
            .is_some_and(|typ| typ.eq_ignore_ascii_case("jwt"))),
        "{head:?}"
    );
    assert!(
        ["crit", "cty", "enc"]
            .iter()
            .all(|name| !head.contains_key(*name)),
        "{head:?}"
    );
    assert_eq!(verified.claims, body);

    let expected = claims::ExpectedClaims {
        issuer: ISSUER,
        client_id: CLIENT_ID,
        trusted_audiences: &[],
        nonce: NONCE,
        access_token: ACCESS_TOKEN,
        now: NOW,
    };
    let half_hash = verified.half_hash(ACCESS_TOKEN).unwrap();
    match claims::external_user(&verified, &expected) {
        Ok(person) => {
            believed(&person, &body, &half_hash);
            Some(person)
        }
        Err(fault) => {
            assert_eq!(fault.error, OidcError::InvalidToken);
            assert!(
                !fault.reason.contains(char::is_control),
                "{:?}",
                fault.reason
            );
            None
        }
    }
}

fn believed(person: &ExternalUser, body: &Map<String, Value>, half_hash: &str) {
    assert_eq!(
        (person.issuer.as_str(), &body["iss"], &body["nonce"]),
        (ISSUER, &ISSUER.into(), &NONCE.into())
    );
    assert!(
        body["aud"] == CLIENT_ID || body["aud"] == serde_json::json!([CLIENT_ID]),
        "{body:?}"
    );
    assert!(
        body.get("azp").is_none_or(|azp| azp == CLIENT_ID),
        "{body:?}"
    );
    assert!(
        body.get("at_hash")
            .is_none_or(|at_hash| at_hash == half_hash),
        "{body:?}"
    );
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let seconds = |name: &str| {
        body.get(name)
            .map(|date| date.as_f64().unwrap() - NOW as f64)
    };
    assert!(
        seconds("exp").unwrap() > -61.0 && (-661.0..61.0).contains(&seconds("iat").unwrap()),
        "{body:?}"
    );
    assert!(seconds("nbf").is_none_or(|nbf| nbf < 61.0), "{body:?}");

    assert_eq!(person.subject, body["sub"]);
    assert!(
        (1..=255).contains(&person.subject.len())
            && person
                .subject
                .bytes()
                .all(|byte| (b' '..0x7f).contains(&byte)),
        "{person:?}"
    );
    assert!(
        person
            .email
            .as_ref()
            .is_none_or(|email| body["email"] == *email && !email.is_empty()),
        "{person:?}"
    );
    assert!(
        !person.is_email_verified
            || (person.email.is_some()
                && [true.into(), "true".into()].contains(&body["email_verified"])),
        "{body:?}"
    );
    let is_kept = |sid: &String| {
        body["sid"] == *sid && (1..=255).contains(&sid.len()) && !sid.contains(char::is_control)
    };
    assert!(person.session.as_ref().is_none_or(is_kept), "{person:?}");
}
