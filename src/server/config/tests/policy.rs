use super::{configured, problem, warnings};

#[test]
fn a_cookie_name_is_a_token_and_its_prefix_needs_https() {
    for name in ["", "a b", "a;b", "a=b", "ü", "a,b", "\"a\""] {
        assert!(
            problem(&format!("[policy]\ncookie_name = '{name}'"))
                .starts_with("config.toml:5:1: policy.cookie_name is not a cookie name"),
            "{name}"
        );
    }
    for name in ["__Host-session", "__secure-session"] {
        assert!(
            problem(&format!("[policy]\ncookie_name = '{name}'")).contains("https only"),
            "{name}"
        );
        assert_eq!(
            configured(&format!(
                "[policy]\ncookie_name = '{name}'\n[misc]\nfrontend_url = 'https://m.example'"
            ))
            .expect(name)
            .policy
            .cookie_name,
            name
        );
    }
}

#[test]
fn policy_numbers_have_bounds() {
    for (key, lowest, highest) in [
        ("password_min_length", 8, 64),
        ("reset_link_lifetime", 600, 3600),
        ("setup_link_lifetime", 600, 604_800),
        ("audit_retention_days", 1, 3650),
        ("throttle.login_failures_per_ip", 5, 1000),
        ("throttle.login_failures_per_account", 3, 100),
        ("throttle.max_delay", 1, 3600),
        ("throttle.requests_per_ip", 1, 1000),
        ("throttle.mails_per_account", 1, 100),
        ("password_hash_concurrency", 1, 64),
    ] {
        assert!(
            warnings(&format!("[policy]\n{key} = {lowest}")).is_empty()
                && warnings(&format!("[policy]\n{key} = {highest}")).is_empty()
        );
        for number in [lowest - 1, highest + 1] {
            let problem = problem(&format!("[policy]\n{key} = {number}"));
            let fault =
                format!(": policy.{key} must be a whole number from {lowest} to {highest};");
            assert!(
                problem.starts_with("config.toml:5:") && problem.contains(&fault),
                "{problem}"
            );
        }
    }
    assert_eq!(
        configured("[policy]\npassword_hash_concurrency = 2")
            .expect("start")
            .policy
            .password_hash_concurrency,
        Some(2)
    );
}

#[test]
fn the_default_redirect_is_on_this_site() {
    assert_eq!(
        configured("[policy]\ndefault_redirect = '/web/dashboard'")
            .expect("start")
            .policy
            .default_redirect
            .as_str(),
        "/web/dashboard"
    );
    for page in [
        "https://evil.example",
        "//evil.example",
        "dashboard",
        "",
        "/login",
    ] {
        assert!(
            problem(&format!("[policy]\ndefault_redirect = '{page}'"))
                .starts_with("config.toml:5:1: policy.default_redirect is not a page of this site"),
            "{page}"
        );
    }
}
