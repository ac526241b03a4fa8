use super::{configured, problem, warning};

#[test]
fn frontend_url_gives_origin_links_and_cookie_mode() {
    for (typed, origin, link, is_https) in [
        (
            "https://media.example.org",
            "https://media.example.org",
            "https://media.example.org/login",
            true,
        ),
        (
            "https://media.example.org/",
            "https://media.example.org",
            "https://media.example.org/login",
            true,
        ),
        (
            "https://Media.example.org:443/base//",
            "https://media.example.org",
            "https://media.example.org/base/login",
            true,
        ),
        (
            "http://localhost:8000",
            "http://localhost:8000",
            "http://localhost:8000/login",
            false,
        ),
        (
            "http://[::1]:8000",
            "http://[::1]:8000",
            "http://[::1]:8000/login",
            false,
        ),
    ] {
        let config = configured(&format!("[misc]\nfrontend_url = '{typed}'")).expect(typed);
        assert_eq!(
            (
                config.origin().as_str(),
                config.link("/login").as_str(),
                config.is_https()
            ),
            (origin, link, is_https)
        );
        // A path is a warning and not a problem: our own pages are at the root of the host, but
        // MediaManager may need the path.
        let has_path = config.misc.frontend_url.path() != "/";
        assert_eq!(
            config
                .warnings
                .iter()
                .filter(|warning| warning.contains("has a path"))
                .count(),
            usize::from(has_path)
        );
        assert_eq!(
            config.warnings.len(),
            usize::from(has_path),
            "{:?}",
            config.warnings
        );
    }
}

#[test]
fn a_final_web_is_dropped_with_a_warning() {
    for (typed, link) in [
        ("https://m.example/web", "https://m.example/x"),
        ("https://m.example/web/", "https://m.example/x"),
    ] {
        let config = configured(&format!("[misc]\nfrontend_url = '{typed}'")).expect(typed);
        assert_eq!(
            (config.link("/x").as_str(), config.warnings.len()),
            (link, 1)
        );
        assert!(config.warnings[0].starts_with("misc.frontend_url ends in /web"));
    }
    assert_eq!(
        configured("[misc]\nfrontend_url = 'https://m.example/a/web/'")
            .expect("start")
            .link("/x"),
        "https://m.example/a/x"
    );
    assert!(!warning("[misc]\nfrontend_url = 'https://m.example/myweb'").contains("ends in /web"));
}

#[test]
fn http_beyond_this_machine_is_warned_about() {
    for host in ["media.example.org", "192.168.1.5:8000", "nas"] {
        assert!(
            warning(&format!("[misc]\nfrontend_url = 'http://{host}'")).contains("not Secure"),
            "{host}"
        );
    }
}

#[test]
fn a_frontend_url_that_is_no_web_address_is_refused() {
    for typed in [
        "",
        "media.example.org",
        "localhost:8000",
        "/",
        "ftp://m.example",
        "https://m.example?x",
        "https://m.example#x",
        "https://u@m.example",
        "https://",
        "https:\\\\m.example",
    ] {
        assert!(
            problem(&format!("[misc]\nfrontend_url = '{typed}'"))
                .starts_with("config.toml:5:1: misc.frontend_url is not a web address"),
            "{typed}"
        );
    }
}

#[test]
fn cors_urls_are_origins() {
    let config = configured("[misc]\ncors_urls = ['http://localhost:8000', 'https://App.example.org:443/', 'https://app.example.org']").expect("start");
    assert_eq!(
        config.misc.cors_urls,
        ["http://localhost:8000", "https://app.example.org"]
    );
    for typed in [
        "*",
        "null",
        "https://*.example.org/x",
        "app.example.org",
        "https://app.example.org/path",
        "https://app.example.org?x",
    ] {
        assert!(
            problem(&format!("[misc]\ncors_urls = ['{typed}']"))
                .starts_with("config.toml:5:14: misc.cors_urls entry 1 is not an origin"),
            "{typed}"
        );
    }
}
