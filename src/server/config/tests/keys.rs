use super::{problem, warning, warnings};

#[test]
fn an_unknown_key_names_its_place_and_the_nearest_known_key() {
    for (more, line) in [
        (
            "token_secrt = 'x'",
            "config.toml:4:1: auth.token_secrt is not a known key; did you mean token_secret?",
        ),
        (
            "  session_lifetme = 1",
            "config.toml:4:3: auth.session_lifetme is not a known key; did you mean session_lifetime?",
        ),
        (
            "openid_connect = { enable = true }",
            "config.toml:4:20: auth.openid_connect.enable is not a known key; did you mean enabled?",
        ),
        (
            "[auth.openid_connect]\nClient_ID = 'x'",
            "config.toml:5:1: auth.openid_connect.Client_ID is not a known key; did you mean client_id?",
        ),
        (
            "[server]\n\n'trusted-proxies' = []",
            "config.toml:6:1: server.trusted-proxies is not a known key; did you mean trusted_proxies?",
        ),
        (
            "[policy]\nregistraton = false",
            "config.toml:5:1: policy.registraton is not a known key; did you mean registration?",
        ),
        (
            "[policy.openid_connect]\nredirect_url = 'x'",
            "config.toml:5:1: policy.openid_connect.redirect_url is not a known key; did you mean redirect_uri?",
        ),
        (
            "cookie_name = 'x'",
            "config.toml:4:1: auth.cookie_name is not a known key; it belongs in [policy].",
        ),
        (
            "[policy.openid_connect]\n\"ü\\n\" = 1",
            "config.toml:5:1: policy.openid_connect.ü\\n is not a known key; nearest is post_logout_redirect among redirect_uri, trust_unverified_email, trusted_audiences, ca_file, token_endpoint_auth_method, post_logout_redirect.",
        ),
    ] {
        assert_eq!(problem(more), line);
    }
}

#[test]
fn a_section_that_is_none_is_a_problem() {
    assert!(problem("openid_connect = true").starts_with(
        "config.toml:4:1: auth.openid_connect must be a section; write [auth.openid_connect]"
    ));
    assert!(
        problem("[[server]]\nport = 1").starts_with("config.toml:4:3: server must be a section")
    );
}

#[test]
fn mediamanagers_own_sections_are_left_alone() {
    let more = "[misc]\ndevelopment = false\ntv_directory = '/tv'\n[[misc.tv_libraries]]\nname = 'x'\n\
                [torrents.qbittorrent]\nenabled = 'what'\n[indexers]\nx = 1.5\n\
                [metadata.tmdb]\ny = 1979-05-27\n[notifications]\nother = 1\n[notifications.gotify]\nz = true\n[something_new]\na = 1";
    assert!(warnings(more).is_empty());
}

#[test]
fn unknown_keys_of_mediamanagers_database_and_mail_are_only_warned_about() {
    for (more, line) in [
        (
            "[database]\npasword = 'x'",
            "config.toml:5:1: database.pasword is not a known key; did you mean password? It is not read.",
        ),
        (
            "[notifications.smtp_config]\nsmtp_hots = 1",
            "config.toml:5:1: notifications.smtp_config.smtp_hots is not a known key; did you mean smtp_host? It is not read.",
        ),
    ] {
        assert_eq!(warnings(more)[0], line);
    }
}

#[test]
fn a_misspelt_section_of_ours_does_not_pass_unseen() {
    assert!(
        warning("[polcy]\nregistration = false")
            .starts_with("config.toml:4:2: [polcy] is not a section of this program and is not read; did you mean [policy]?")
    );
    assert!(warning("[Server]\nport = 1").contains("did you mean [server]?"));
}
