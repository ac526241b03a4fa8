use std::path::PathBuf;

use super::{ConfigDir, TOKEN_SECRET, pairs, with_required};
use crate::server::config::{Config, Sources, load};

const REQUIRED: [(&str, &str); 2] = [
    ("MEDIAMANAGER_AUTH__TOKEN_SECRET", TOKEN_SECRET),
    ("MEDIAMANAGER_AUTH__ADMIN_EMAILS", "[\"owner@example.org\"]"),
];

/// Loads the required variables and `variables`.
fn with_variables(dir: &ConfigDir, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    dir.load(&[&REQUIRED, variables].concat())
}

fn load_from(
    config_file: Option<PathBuf>,
    environment: &[(&str, &str)],
) -> Result<Config, Vec<String>> {
    let environment = pairs(&[environment, &REQUIRED].concat());
    load(&Sources {
        config_file,
        environment,
    })
    .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn the_environment_alone_is_enough() {
    assert_eq!(
        with_variables(&ConfigDir::with(&[]), &[])
            .expect("start")
            .auth
            .token_secret
            .expose(),
        TOKEN_SECRET
    );
    let problems = ConfigDir::with(&[]).load(&[]).expect_err("nothing");
    assert!(
        problems.len() == 2
            && problems[0]
                .starts_with("config.toml (no such file): auth.token_secret is missing; "),
        "{problems:?}"
    );
}

#[test]
fn the_own_file_wins_over_the_shared_one_and_the_environment_over_both() {
    let dir = ConfigDir::with(&[
        (
            "config.toml",
            &with_required("[server]\nport = 1\nhost = '10.0.0.1'\napp_name = 'shared'\n"),
        ),
        (
            "mediamanager-auth.toml",
            "[server]\nport = 2\napp_name = 'own'\n",
        ),
    ]);
    let server = dir
        .load(&[("MEDIAMANAGER_SERVER__PORT", "3")])
        .expect("start")
        .server;
    assert_eq!(
        (
            server.port,
            server.app_name.as_str(),
            server.host.to_string().as_str()
        ),
        (3, "own", "10.0.0.1")
    );
}

#[test]
fn the_file_is_the_argument_else_config_file_else_in_config_dir() {
    let dir = ConfigDir::with(&[
        ("config.toml", "[server]\nport = 1"),
        ("other.toml", "[server]\nport = 2"),
        ("third.toml", "[server]\nport = 3"),
    ]);
    let directory = dir.0.path();
    let other = directory.join("other.toml").display().to_string();
    let variables = [
        ("CONFIG_DIR", directory.to_str().expect("UTF-8")),
        ("CONFIG_FILE", other.as_str()),
    ];
    let port = |argument: Option<PathBuf>, variables: &[(&str, &str)]| {
        load_from(argument, variables).expect("start").server.port
    };
    assert_eq!(port(None, &variables[..1]), 1);
    assert_eq!(port(None, &variables), 2);
    assert_eq!(port(Some(directory.join("third.toml")), &variables), 3);
    assert_eq!(port(Some(directory.to_owned()), &variables), 1);
}

#[test]
fn a_named_file_must_exist_and_is_the_only_problem_then() {
    let problems = load(&Sources {
        config_file: None,
        environment: pairs(&[("CONFIG_FILE", "/nowhere/config.toml")]),
    })
    .expect_err("missing");
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "/nowhere/config.toml: cannot be read: No such file or directory (os error 2); check the path, its permissions, and that it is UTF-8 text"
        ]
    );
}

#[test]
fn variables_come_in_any_letter_case_and_deeper_ones_win() {
    let variables = [
        ("MediaManager_Auth__OpenID_Connect__Name", "deep"),
        (
            "mediamanager_auth__openid_connect",
            r#"{"enabled": true, "name": "middle", "client_secret": "s", "client_id": null}"#,
        ),
        (
            "MEDIAMANAGER_AUTH",
            r#"{"session_lifetime": 600, "openid_connect": {"client_id": "c", "name": "top", "configuration_endpoint": "https://idp.example"}}"#,
        ),
    ];
    let auth = with_variables(
        &ConfigDir::with(&[("config.toml", "[auth]\nsession_lifetime = 700\n")]),
        &variables,
    )
    .expect("start")
    .auth;
    let provider = auth.providers.into_iter().next().expect("enabled");
    assert_eq!(
        (
            auth.session_lifetime,
            provider.name.as_str(),
            provider.client_id.as_str()
        ),
        (600, "deep", "c")
    );
}

#[test]
fn variables_of_other_programs_are_ignored() {
    let others = [
        ("MEDIAMANAGER_LOG_LEVEL", "x"),
        ("MEDIAMANAGER_NO_STARTUP_ART", "1"),
        ("MEDIAMANAGER_TORRENTS__QBITTORRENT__PORT", "x"),
        ("MEDIAMANAGER_MISC__DEVELOPMENT", "x"),
        ("MEDIAMANAGER_AUTH_PORT", "tcp://10.0.0.1:80"),
        ("MEDIAMANAGER_NOTIFICATIONS__GOTIFY", "{}"),
        ("PORT", "80"),
        ("TOKEN_SECRET", "x"),
        ("AUTH__NAME", "x"),
    ];
    assert!(
        with_variables(&ConfigDir::with(&[]), &others)
            .expect("start")
            .warnings
            .is_empty()
    );
}

#[test]
fn an_unknown_variable_within_our_sections_is_a_problem() {
    assert_eq!(
        with_variables(
            &ConfigDir::with(&[]),
            &[("MEDIAMANAGER_AUTH__TOKEN_SECRT", "x")]
        )
        .expect_err("unknown"),
        [
            "MEDIAMANAGER_AUTH__TOKEN_SECRT: auth.token_secrt is not a known key; did you mean token_secret?"
        ]
    );
}

#[test]
fn lists_and_sections_in_variables_are_json() {
    for (name, text) in [
        (
            "MEDIAMANAGER_MISC__CORS_URLS",
            "https://a.example,https://b.example",
        ),
        ("MEDIAMANAGER_SERVER__TRUSTED_PROXIES", ""),
        ("MEDIAMANAGER_MISC__CORS_URLS", "{}"),
    ] {
        let problems = with_variables(&ConfigDir::with(&[]), &[(name, text)]).expect_err(text);
        assert!(
            problems.len() == 1
                && problems[0].contains(r#"must be a list in JSON; write it like ["one", "two"]"#),
            "{problems:?}"
        );
    }
    assert_eq!(
        with_variables(&ConfigDir::with(&[]), &[("MEDIAMANAGER_SERVER", "[]")]).expect_err("list"),
        [
            r#"MEDIAMANAGER_SERVER: server must be a section in JSON; write it like {"key": "value"}, or set single keys as MEDIAMANAGER_SERVER__KEY"#
        ]
    );
}

#[test]
fn every_secret_can_come_from_a_file() {
    let dir = ConfigDir::with(&[]);
    let file = |name: &str, content: &str| dir.write(name, content.as_bytes(), 0o644);
    let (token, client, password) = (
        file("token", &format!("{TOKEN_SECRET}\n")),
        file("client", "c\r\n"),
        file("password", " two newlines\n\n"),
    );
    let variables = [
        ("MEDIAMANAGER_AUTH__TOKEN_SECRET_FILE", token.as_str()),
        REQUIRED[1],
        (
            "MEDIAMANAGER_AUTH__OPENID_CONNECT",
            r#"{"enabled": true, "name": "n", "client_id": "c", "configuration_endpoint": "https://idp.example"}"#,
        ),
        (
            "MEDIAMANAGER_AUTH__OPENID_CONNECT__CLIENT_SECRET_FILE",
            &client,
        ),
        ("mediamanager_database__password_file", &password),
        (
            "MEDIAMANAGER_NOTIFICATIONS__SMTP_CONFIG",
            r#"{"smtp_host": "mail", "from_email": "a@b"}"#,
        ),
        (
            "MEDIAMANAGER_NOTIFICATIONS__SMTP_CONFIG__SMTP_PASSWORD_FILE",
            &client,
        ),
    ];
    let config = dir.load(&variables).expect("start");
    assert_eq!(config.auth.token_secret.expose(), TOKEN_SECRET);
    assert_eq!(
        config
            .auth
            .providers
            .into_iter()
            .next()
            .expect("enabled")
            .client_secret
            .expose(),
        "c"
    );
    assert_eq!(
        config.database_url.expose(),
        "postgres://MediaManager:%20two%20newlines%0A@localhost:5432/MediaManager"
    );
    assert_eq!(
        config
            .smtp
            .and_then(|smtp| smtp.password)
            .expect("password")
            .expose(),
        "c"
    );

    let address = file("address", "sqlite://x.db");
    let config = with_variables(
        &dir,
        &[("MEDIAMANAGER_SERVER__DATABASE_URL_FILE", &address)],
    )
    .expect("start");
    assert_eq!(config.database_url.expose(), "sqlite://x.db");
}

#[test]
fn a_secret_has_one_variable_and_its_file_is_there() {
    let dir = ConfigDir::with(&[]);
    let file = dir.write("token", TOKEN_SECRET.as_bytes(), 0o600);
    assert_eq!(
        with_variables(&dir, &[("MEDIAMANAGER_AUTH__TOKEN_SECRET_FILE", &file)]).expect_err("two"),
        [
            "MEDIAMANAGER_AUTH__TOKEN_SECRET_FILE: auth.token_secret is set by two variables; keep the one with the value or the one with the file"
        ]
    );
    assert_eq!(
        dir.load(&[
            REQUIRED[1],
            ("MEDIAMANAGER_AUTH__TOKEN_SECRET_FILE", "/nowhere")
        ])
        .expect_err("no file"),
        [
            "MEDIAMANAGER_AUTH__TOKEN_SECRET_FILE: auth.token_secret cannot be read from that file: \
          No such file or directory (os error 2); check path and permissions"
        ]
    );
}

#[test]
fn a_secret_file_wins_over_the_configuration_file() {
    let dir = ConfigDir::with(&[(
        "config.toml",
        &with_required("").replace(TOKEN_SECRET, "CHANGE_ME"),
    )]);
    let file = dir.write("token", TOKEN_SECRET.as_bytes(), 0o600);
    assert_eq!(
        dir.load(&[("MEDIAMANAGER_AUTH__TOKEN_SECRET_FILE", &file)])
            .expect("start")
            .auth
            .token_secret
            .expose(),
        TOKEN_SECRET
    );
}

#[test]
fn byte_order_marks_and_windows_line_ends_are_tolerated() {
    let text = format!(
        "\u{feff}{}",
        with_required("token_secrt = 1\n").replace('\n', "\r\n")
    );
    let problems = ConfigDir::with(&[("config.toml", &text)])
        .load(&[])
        .expect_err("unknown key");
    assert_eq!(
        problems,
        ["config.toml:4:1: auth.token_secrt is not a known key; did you mean token_secret?"]
    );
    assert!(
        ConfigDir::with(&[("config.toml", &text.replace("token_secrt = 1\r\n", ""))])
            .load(&[])
            .is_ok()
    );
}

#[test]
fn syntax_errors_have_line_and_column_and_hide_no_other_problem() {
    let text = "[auth]\ntoken_secret = \"hunter2\nadmin_emails = [\"a@example.org\"]\n[server\nport = 5\n[policy]\ncookie_nam = 1\n";
    assert_eq!(
        ConfigDir::with(&[("config.toml", text)])
            .load(&[])
            .expect_err("syntax"),
        [
            "config.toml:2:24: this is not TOML: invalid basic string, expected `\"`",
            "config.toml:4:8: this is not TOML: unclosed table, expected `]`",
            "config.toml:7:1: policy.cookie_nam is not a known key; did you mean cookie_name?",
        ]
    );
    let twice = ConfigDir::with(&[(
        "config.toml",
        &with_required("'ä' = 1\nsession_lifetime = 60\nsession_lifetime = 61\n"),
    )])
    .load(&[])
    .expect_err("twice");
    assert_eq!(twice[0], "config.toml:6:1: this is not TOML: duplicate key");
    assert!(twice[1].starts_with("config.toml:4:1: auth.ä"));
}

#[test]
fn a_file_that_is_not_utf8_is_named() {
    let dir = ConfigDir::with(&[]);
    dir.write("config.toml", b"[auth]\nx = '\xff'", 0o600);
    assert_eq!(
        dir.load(&[]).expect_err("bytes"),
        [
            "config.toml: cannot be read: stream did not contain valid UTF-8; check the path, its permissions, and that it is UTF-8 text"
        ]
    );
}

#[test]
fn a_world_readable_file_with_a_secret_is_warned_about() {
    let dir = ConfigDir::with(&[]);
    dir.write("config.toml", with_required("").as_bytes(), 0o644);
    dir.write(
        "mediamanager-auth.toml",
        b"[policy]\nregistration = false\n",
        0o644,
    );
    let warnings = dir.load(&[]).expect("start").warnings;
    assert_eq!(
        warnings,
        [
            "config.toml holds secrets and everyone on this machine can read it; run chmod o-r on it."
        ]
    );
    dir.write("config.toml", with_required("").as_bytes(), 0o640);
    assert!(dir.load(&[]).expect("start").warnings.is_empty());
}
