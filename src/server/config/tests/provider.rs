use super::{ConfigDir, configured, problem, warning, with_required};
use crate::server::config::OpenIdConnect;

const ENDPOINT: &str =
    "https://auth.example.org/application/o/media/.well-known/openid-configuration";

/// The section from line 4 on, with one line replaced.
fn section(key: &str, value: &str) -> String {
    let endpoint = format!("'{ENDPOINT}'");
    let defaults = [
        ("enabled", "true"),
        ("client_id", "'c'"),
        ("client_secret", "'s'"),
        ("name", "'Authentik'"),
        ("configuration_endpoint", &endpoint),
    ];
    let lines = defaults
        .map(|(name, default)| format!("{name} = {}\n", if name == key { value } else { default }));
    format!("[auth.openid_connect]\n{}", lines.concat())
}

fn provider(more: &str) -> OpenIdConnect {
    configured(more)
        .expect(more)
        .auth
        .providers
        .into_iter()
        .next()
        .expect("enabled")
}

#[test]
fn an_enabled_provider_needs_four_keys() {
    let problems = configured("[auth.openid_connect]\nenabled = true\nclient_id = ''")
        .map(|_| ())
        .expect_err("incomplete");
    assert_eq!(
        problems,
        [
            "config.toml:6:1: auth.openid_connect.client_id is empty; copy it from the provider",
            "config.toml: auth.openid_connect.client_secret is missing; copy it from the provider, or set MEDIAMANAGER_AUTH__OPENID_CONNECT__CLIENT_SECRET",
            "config.toml: auth.openid_connect.configuration_endpoint is missing; write the provider's https address that ends in \
             /.well-known/openid-configuration, or set MEDIAMANAGER_AUTH__OPENID_CONNECT__CONFIGURATION_ENDPOINT",
            "config.toml: auth.openid_connect.name is missing; write what the button shall say, such as Authentik, \
             or set MEDIAMANAGER_AUTH__OPENID_CONNECT__NAME",
        ]
    );
}

#[test]
fn a_switched_off_provider_is_not_looked_at() {
    let more = "[auth.openid_connect]\nclient_id = 5\nconfiguration_endpoint = 'nonsense'\nname = '/'\n\
                [policy.openid_connect]\nca_file = '/nowhere'\nredirect_uri = 'x'";
    assert!(
        configured(more)
            .expect("start")
            .auth
            .providers
            .into_iter()
            .next()
            .is_none()
    );
    assert!(
        problem("[auth.openid_connect]\nenabled = false\nclient = 'x'")
            .ends_with("auth.openid_connect.client is not a known key; did you mean client_id?")
    );
}

#[test]
fn the_name_must_fit_into_a_path() {
    for name in [
        "a/b",
        r"a\\b",
        "a?b",
        "a#b",
        r"a\tb",
        "..",
        ".",
        &"x".repeat(65),
    ] {
        assert!(
            problem(&section("name", &format!("\"{name}\"")))
                .starts_with("config.toml:8:1: auth.openid_connect.name must have at most 64"),
            "{name}"
        );
    }
    assert_eq!(
        provider(&section("name", &format!("'{}'", "ü".repeat(64))))
            .name
            .chars()
            .count(),
        64
    );
}

#[test]
fn the_redirect_uri_is_computed_or_taken_to_the_letter() {
    assert_eq!(
        provider(&section("", "")).redirect_uri,
        "http://localhost:8000/api/v1/auth/cookie/Authentik/callback"
    );
    let more =
        section("name", "'Über ID+1'") + "[misc]\nfrontend_url = 'https://media.example.org/base/'";
    assert_eq!(
        provider(&more).redirect_uri,
        "https://media.example.org/base/api/v1/auth/cookie/%C3%9Cber%20ID%2B1/callback"
    );
    let more = section("", "")
        + "[policy.openid_connect]\nredirect_uri = 'https://media.example.org/api/v1/auth/oauth/callback'";
    assert_eq!(
        provider(&more).redirect_uri,
        "https://media.example.org/api/v1/auth/oauth/callback"
    );
    let more = section("", "") + "[policy.openid_connect]\nredirect_uri = '/callback'";
    assert!(
        problem(&more).starts_with(
            "config.toml:11:1: policy.openid_connect.redirect_uri is not a web address"
        )
    );
}

#[test]
fn a_redirect_uri_that_cannot_work_is_warned_of() {
    let key = "policy.openid_connect.redirect_uri";
    let with = |base: &str, uri: &str| {
        section("", "")
            + &format!(
                "[misc]\nfrontend_url = '{base}'\n[policy.openid_connect]\nredirect_uri = '{uri}'"
            )
    };
    let base = "https://media.example.org";
    for origin in [
        "http://media.example.org",
        "https://media.example.org:8443",
        "https://auth.example.org",
    ] {
        let text = warning(&with(base, &format!("{origin}/api/v1/auth/oauth/callback")));
        assert!(
            text.starts_with(key) && text.contains("another origin than misc.frontend_url"),
            "{origin}: {text}"
        );
    }
    for path in [
        "",
        "/",
        "/login",
        "/api/v1/auth/oauth/callback/",
        "/api/v1/auth/cookie/authentik/callback",
        "/auth/oauth/callback",
    ] {
        let text = warning(&with(base, &format!("{base}{path}")));
        assert!(
            text.starts_with(key) && text.contains("is not served"),
            "{path}: {text}"
        );
    }
    for (base, path) in [
        (base, "/api/v1/auth/oauth/callback"),
        (base, "/api/v1/auth/cookie/Authentik/callback"),
        (base, "/api/v1/auth/cookie/%41uthentik/callback"),
        (
            "https://media.example.org/base/",
            "/api/v1/auth/oauth/callback",
        ),
    ] {
        let uri = format!("{}{path}", base.trim_end_matches('/'));
        let config = configured(&with(base, &uri)).expect("start");
        let warns = config.warnings.iter().any(|text| text.starts_with(key));
        assert!(!warns, "{uri}: {:?}", config.warnings);
    }
}

#[test]
fn how_the_client_authenticates_may_be_chosen() {
    use crate::server::config::TokenAuthMethod;
    let with = |value: &str| {
        section("", "")
            + &format!("[policy.openid_connect]\ntoken_endpoint_auth_method = '{value}'")
    };
    assert_eq!(provider(&section("", "")).token_auth_method, None);
    assert_eq!(provider(&with("")).token_auth_method, None);
    for (text, method) in [
        ("client_secret_basic", TokenAuthMethod::Basic),
        (" client_secret_post ", TokenAuthMethod::Post),
    ] {
        assert_eq!(provider(&with(text)).token_auth_method, Some(method));
    }
    for text in ["private_key_jwt", "none", "Client_Secret_Post"] {
        assert!(
            problem(&with(text)).starts_with(
                "config.toml:11:1: policy.openid_connect.token_endpoint_auth_method is not supported"
            ),
            "{text}"
        );
    }
}

#[test]
fn coming_back_after_a_logout_may_be_chosen() {
    let with = |value: &str| {
        section("", "") + &format!("[policy.openid_connect]\npost_logout_redirect = {value}")
    };
    assert_eq!(provider(&section("", "")).post_logout_redirect, None);
    assert_eq!(provider(&with("'yes'")).post_logout_redirect, Some(true));
    assert_eq!(provider(&with("false")).post_logout_redirect, Some(false));
    assert!(problem(&with("'maybe'")).contains("must be true or false"));
}

#[test]
fn blanks_around_the_credentials_are_not_part_of_them() {
    let provider = provider(
        &section("client_id", "\" c\\n\"")
            .replace("client_secret = 's'", "client_secret = \"\\ts \""),
    );
    assert_eq!(provider.client_id, "c");
    assert_eq!(provider.client_secret.expose(), "s");
}

#[test]
fn the_endpoint_is_https_except_at_home() {
    let key = "configuration_endpoint";
    for host in [
        "localhost:9000",
        "127.0.0.1",
        "[::1]",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.2:8443",
        "authentik",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "idp.localhost",
    ] {
        let more = section(
            key,
            &format!("'http://{host}/.well-known/openid-configuration'"),
        );
        assert!(
            warning(&more).starts_with("auth.openid_connect.configuration_endpoint is http"),
            "{host}"
        );
    }
    for host in [
        "auth.example.org",
        "8.8.8.8",
        "172.32.0.1",
        "[2001:db8::1]",
        "auth.local",
    ] {
        let more = section(
            key,
            &format!("'http://{host}/.well-known/openid-configuration'"),
        );
        assert!(problem(&more).starts_with("config.toml:9:1: auth.openid_connect.configuration_endpoint is http, which is only accepted"), "{host}");
    }
    assert_eq!(
        provider(&section("", "")).configuration_endpoint.as_str(),
        ENDPOINT
    );
}

#[test]
fn an_endpoint_that_is_no_plain_address_is_refused() {
    for address in [
        "auth.example.org",
        "/x",
        "ftp://auth.example.org",
        "https://",
        "https://u:p@auth.example.org",
        "https://a.example?x",
        "https://a.example#x",
        "https:a.example",
        "https://a b.example",
    ] {
        let more = section("configuration_endpoint", &format!("'{address}'"));
        assert!(
            problem(&more).starts_with(
                "config.toml:9:1: auth.openid_connect.configuration_endpoint is not a web address"
            ),
            "{address}"
        );
    }
}

#[test]
fn a_final_slash_is_dropped_and_another_ending_is_questioned() {
    let more = section("configuration_endpoint", &format!("'{ENDPOINT}/'"));
    assert_eq!(
        warning(&more),
        "auth.openid_connect.configuration_endpoint ends in a slash, which is dropped."
    );
    assert_eq!(provider(&more).configuration_endpoint.as_str(), ENDPOINT);
    assert_eq!(
        warning(&section(
            "configuration_endpoint",
            "'https://auth.example.org/realms/home'"
        )),
        "auth.openid_connect.configuration_endpoint does not end in /.well-known/openid-configuration; \
         did you mean https://auth.example.org/realms/home/.well-known/openid-configuration?"
    );
}

#[test]
fn nobody_is_trusted_beside_us_unless_it_is_named() {
    assert_eq!(
        provider(&section("", "")).trusted_audiences,
        Vec::<String>::new()
    );
    let trusted =
        |list: &str| section("", "") + "[policy.openid_connect]\ntrusted_audiences = " + list;
    assert_eq!(
        provider(&trusted("['280000000000000000', ' tv@media ']")).trusted_audiences,
        ["280000000000000000", "tv@media"]
    );
    for list in ["['']", "[5]", "['a\\u0000']", "[['a']]"] {
        let text = problem(&trusted(&list.replace('\'', "\"")));
        assert!(
            text.contains("policy.openid_connect.trusted_audiences entry 1 is not a name"),
            "{list}: {text}"
        );
    }
    assert!(problem(&trusted("'a'")).contains("trusted_audiences must be a list"));
}

#[test]
fn ca_file_must_be_there() {
    let dir = ConfigDir::with(&[]);
    let ca = dir.write("ca.pem", b"pem", 0o644);
    dir.write(
        "config.toml",
        with_required(
            &(section("", "")
                + "[policy.openid_connect]\ntrust_unverified_email = 'on'\nca_file = '"
                + &ca
                + "'"),
        )
        .as_bytes(),
        0o600,
    );
    let provider = dir
        .load(&[])
        .expect("start")
        .auth
        .providers
        .into_iter()
        .next()
        .expect("enabled");
    assert!(
        provider.rules.trust_unverified_email
            && provider
                .ca_file
                .is_some_and(|path| path.ends_with("ca.pem"))
    );
    let more = section("", "") + "[policy.openid_connect]\nca_file = '/nowhere/ca.pem'";
    assert_eq!(
        problem(&more),
        "config.toml:11:1: policy.openid_connect.ca_file cannot be read: No such file or directory (os error 2); check path and permissions"
    );
}
