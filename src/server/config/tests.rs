//! Each test loads a file and an environment and checks the problems and warnings.

mod auth;
mod examples;
mod keys;
mod misc;
mod policy;
mod provider;
mod server;
mod smtp;
mod sources;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::{Config, Sources, load};

const TOKEN_SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// A directory of configuration files that only their owner can read.
struct ConfigDir(TempDir);

impl ConfigDir {
    fn with(files: &[(&str, &str)]) -> Self {
        let dir = Self(tempfile::tempdir().expect("a temporary directory"));
        for (name, text) in files {
            dir.write(name, text.as_bytes(), 0o600);
        }
        dir
    }

    /// Writes a file and returns its path.
    fn write(&self, name: &str, content: &[u8], mode: u32) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
        path.display().to_string()
    }

    /// Loads the directory. Problems are returned as lines; the directory's name is cut from them
    /// and from the warnings.
    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let directory = self.0.path().display().to_string();
        let relative = |line: String| line.replace(&format!("{directory}/"), "");
        let mut environment = pairs(variables);
        environment.push(("CONFIG_DIR".to_owned(), directory.clone()));
        match load(&Sources {
            config_file: None,
            environment,
        }) {
            Ok(config) => Ok(Config {
                warnings: config.warnings.into_iter().map(relative).collect(),
                ..config
            }),
            Err(problems) => Err(problems
                .iter()
                .map(ToString::to_string)
                .map(relative)
                .collect()),
        }
    }
}

fn pairs(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A configuration with the required keys of `[auth]` in its first three lines, and `more` from
/// line 4 on.
fn with_required(more: &str) -> String {
    format!(
        "[auth]\ntoken_secret = \"{TOKEN_SECRET}\"\nadmin_emails = [\"owner@example.org\"]\n{more}"
    )
}

/// Loads the required keys and `more`.
fn configured(more: &str) -> Result<Config, Vec<String>> {
    ConfigDir::with(&[("config.toml", &with_required(more))]).load(&[])
}

/// The only problem with the required keys and `more`.
fn problem(more: &str) -> String {
    let problems = configured(more).map(|_| ()).expect_err(more);
    assert_eq!(problems.len(), 1, "{more:?}: {problems:#?}");
    problems[0].clone()
}

/// The warnings about the required keys and `more`, which have no problem.
fn warnings(more: &str) -> Vec<String> {
    configured(more).expect(more).warnings
}

/// The only warning about the required keys and `more`, which have no problem.
fn warning(more: &str) -> String {
    let warnings = warnings(more);
    assert_eq!(warnings.len(), 1, "{more:?}: {warnings:#?}");
    warnings[0].clone()
}

#[test]
fn the_required_keys_are_enough() {
    let config = configured("").expect("start");
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.auth.token_secret.expose(), TOKEN_SECRET);
    assert_eq!(
        config.database_url.expose(),
        "sqlite://data/mediamanager-auth.db"
    );
    assert_eq!(config.server.host.to_string(), "127.0.0.1");
    assert_eq!(
        (config.server.port, config.auth.session_lifetime),
        (8000, 86_400)
    );
    assert!(
        config.smtp.is_none()
            && config.auth.providers.is_empty()
            && !config.auth.email_password_resets
    );
    assert!(config.policy.registration && config.server.log_client_address);
    assert_eq!(
        (
            config.policy.reset_link_lifetime,
            config.policy.setup_link_lifetime,
            config.policy.audit_retention_days
        ),
        (1800, 86_400, 90)
    );
    assert_eq!(
        (
            config.policy.cookie_name.as_str(),
            config.policy.default_redirect.as_str()
        ),
        ("fastapiusersauth", "/account")
    );
    assert_eq!(
        (
            config.policy.password_min_length,
            config.policy.password_hash_concurrency
        ),
        (12, None)
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let dir = ConfigDir::with(&[
        (
            "config.toml",
            "[auth]\ntoken_secret = 'CHANGE_ME'\nsession_lifetime = 'long'\nadmin_emails = ['a@example.org', 'b']\ntoken_secrt = 1\n\
             [auth.openid_connect]\nenabled = 'yes'\nname = 'a/b'\nconfiguration_endpoint = 'http://idp.example.org'\n\
             [misc]\nfrontend_url = 'media.example.org'\ncors_urls = ['*']\n[server]\nhost = 'localhost'\nport = 70000\n",
        ),
        (
            "mediamanager-auth.toml",
            "[policy]\nregistration = 'maybe'\ncookie_name = 'a b'\ndefault_redirect = '//evil.example'\npassword_min_length = 4\nbroken = \n",
        ),
    ]);
    let problems = dir
        .load(&[
            ("MEDIAMANAGER_SERVER__LOG_FORMAT", "xml"),
            ("MEDIAMANAGER_SERVER__TRUSTED_PROXIES", "10.0.0.1"),
        ])
        .expect_err("problems");
    let beginnings: Vec<&str> = problems
        .iter()
        .map(|line| line.split([';', '(']).next().unwrap_or_default().trim())
        .collect();
    assert_eq!(
        beginnings,
        [
            "mediamanager-auth.toml:6:10: this is not TOML: string values must be quoted, expected literal string",
            "MEDIAMANAGER_SERVER__TRUSTED_PROXIES: server.trusted_proxies must be a list in JSON",
            "config.toml:5:1: auth.token_secrt is not a known key",
            "config.toml:12:14: misc.cors_urls entry 1 is not an origin",
            "config.toml:11:1: misc.frontend_url is not a web address",
            "config.toml:2:1: auth.token_secret is a placeholder that anyone can guess",
            "config.toml:3:1: auth.session_lifetime must be a whole number from 60 to 31536000",
            "config.toml:4:34: auth.admin_emails entry 2 is not an e-mail address",
            "config.toml:9:1: auth.openid_connect.configuration_endpoint is http, which is only accepted on this machine and in private networks",
            "config.toml:8:1: auth.openid_connect.name must have at most 64 characters and none of / \\ ? # or control characters",
            "config.toml:14:1: server.host is not an IP address",
            "MEDIAMANAGER_SERVER__LOG_FORMAT: server.log_format is not known",
            "config.toml:15:1: server.port must be a whole number from 0 to 65535",
            "mediamanager-auth.toml:2:1: policy.registration must be true or false",
            "mediamanager-auth.toml:5:1: policy.password_min_length must be a whole number from 8 to 64",
            "mediamanager-auth.toml:3:1: policy.cookie_name is not a cookie name",
            "mediamanager-auth.toml:4:1: policy.default_redirect is not a page of this site",
        ]
    );
}

#[test]
fn every_problem_is_one_line_with_a_fix() {
    for more in [
        "x\\ny = 1",
        "\"x\\ny\" = 1",
        "session_lifetime = 1",
        "[server]\nhost = \"a\\nb\"",
        "[misc]\nfrontend_url = \"https://a\\nb\"",
        "[server]\nlog_level = \"inf\"",
    ] {
        for line in configured(more).map(|_| ()).expect_err(more) {
            assert!(
                !line.contains('\n') && (line.contains("; ") || line.contains("not TOML")),
                "{line}"
            );
        }
    }
}

#[test]
fn no_problem_or_debug_output_shows_a_secret() {
    let secret = "hunter2hunter2HUNTER2";
    let everywhere = format!(
        "[auth]\ntoken_secret = ['{secret}']\nsession_lifetime = '{secret}'\nadmin_emails = ['{secret}']\nemail_password_resets = '{secret}'\n\
         [auth.openid_connect]\nenabled = true\nname = '{secret}/'\nclient_secret = {{ a = '{secret}' }}\n\
         configuration_endpoint = 'https://u:{secret}@idp.example.org'\n\
         [misc]\nfrontend_url = '{secret}'\ncors_urls = ['{secret}']\n[database]\npassword = '{secret}'\nport = '{secret}'\n\
         [notifications.smtp_config]\nsmtp_host = 'x'\nfrom_email = '{secret}'\nsmtp_port = '{secret}'\nsmtp_password = \"{secret}\\q\"\n\
         [server]\nhost = '{secret}'\nport = {secret}\ndatabase_url = '{secret}'\ntrusted_proxies = ['{secret}']\nlog_format = '{secret}'\n\
         [policy]\ncookie_name = '{secret} '\ndefault_redirect = '{secret}'\n"
    );
    let dir = ConfigDir::with(&[("config.toml", &everywhere)]);
    let variables = [
        ("MEDIAMANAGER_AUTH", secret),
        (
            "MEDIAMANAGER_POLICY",
            "{\"cookie_name\": hunter2hunter2HUNTER2}",
        ),
        ("MEDIAMANAGER_MISC__CORS_URLS", secret),
    ];
    let problems = dir.load(&variables).expect_err("problems");
    assert!(
        problems.len() > 15 && !format!("{problems:?}").contains("hunter2"),
        "{problems:#?}"
    );

    let good = format!(
        "{}[auth.openid_connect]\nenabled = true\nclient_id = 'c'\nclient_secret = '{secret}'\nname = 'n'\nconfiguration_endpoint = 'http://idp/'\n\
         [database]\npassword = '{secret}'\nsslmode = '{secret}'\n\
         [notifications.smtp_config]\nsmtp_host = 'x'\nfrom_email = 'a@b'\nsmtp_password = '{secret}'\n",
        with_required("")
    );
    let config = ConfigDir::with(&[("config.toml", &good)])
        .load(&[])
        .expect("start");
    assert!(config.database_url.expose().contains(secret));
    let debug = format!("{config:?}");
    assert!(
        !debug.contains("hunter2") && !debug.contains(TOKEN_SECRET),
        "{debug}"
    );
}
