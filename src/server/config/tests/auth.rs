use super::{ConfigDir, TOKEN_SECRET, configured, problem, warning, warnings};
use crate::server::config::Config;

fn with_token_secret(text: &str) -> Result<Config, Vec<String>> {
    ConfigDir::with(&[(
        "config.toml",
        "[auth]\nadmin_emails = ['owner@example.org']\n",
    )])
    .load(&[("MEDIAMANAGER_AUTH__TOKEN_SECRET", text)])
}

#[test]
fn a_missing_token_secret_names_file_variable_and_command() {
    let problems =
        ConfigDir::with(&[("config.toml", "[auth]\nadmin_emails = ['a@example.org']\n")])
            .load(&[])
            .expect_err("missing");
    assert_eq!(
        problems,
        [
            "config.toml: auth.token_secret is missing; write token_secret = \"…\" with the output of `openssl rand -hex 32`, \
          or set MEDIAMANAGER_AUTH__TOKEN_SECRET"
        ]
    );
}

#[test]
fn a_guessable_token_secret_is_refused() {
    let long_placeholders = [
        "CHANGE_ME_GENERATE_RANDOM_STRING",
        "changeme-0123456789-0123456789-0123456789",
        "secret0123456789abcdef0123456789abcdef",
    ];
    for (text, fault) in [
        ("", "is empty"),
        ("   ", "is empty"),
        ("CHANGE_ME", "placeholder"),
        (long_placeholders[0], "placeholder"),
        (long_placeholders[1], "placeholder"),
        (long_placeholders[2], "placeholder"),
        ("your_super_secret_key_here", "placeholder"),
        ("0123456789abcdef0123456789abcde", "shorter than 32 bytes"),
        (
            "    0123456789abcdef0123456789abcde    ",
            "shorter than 32 bytes",
        ),
        (
            "ababababababababababababababababababab",
            "fewer than 10 different",
        ),
    ] {
        let problems = with_token_secret(text).map(|_| ()).expect_err(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].contains(fault) && problems[0].contains("openssl rand -hex 32"),
            "{text:?}: {}",
            problems[0]
        );
    }
    // Umlauts count in bytes: 16 of them are 32.
    assert!(with_token_secret("äöüßàéèêôûñçåøæþ").is_ok());
}

#[test]
fn a_good_token_secret_is_kept_to_the_byte() {
    let with_blanks = format!(" {TOKEN_SECRET}\t");
    assert_eq!(
        with_token_secret(&with_blanks)
            .expect("start")
            .auth
            .token_secret
            .expose(),
        with_blanks
    );
}

#[test]
fn the_secret_of_the_manual_starts_with_a_loud_warning() {
    let config =
        with_token_secret("a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z6").expect("start");
    assert_eq!(config.warnings.len(), 1);
    assert!(
        config.warnings[0].starts_with("INSECURE: auth.token_secret is the sample"),
        "{}",
        config.warnings[0]
    );
}

#[test]
fn a_session_lasts_a_minute_to_a_year_and_a_warning_comes_after_thirty_days() {
    for (text, expected) in [("60", 60), ("\"3600\"", 3600), ("2_592_000", 2_592_000)] {
        let config = configured(&format!("session_lifetime = {text}")).expect(text);
        assert_eq!(
            (config.auth.session_lifetime, config.warnings.len()),
            (expected, 0)
        );
    }
    assert!(warning("session_lifetime = 2592001").contains("longer than 30 days"));
    assert!(warning("session_lifetime = 31536000").contains("longer than 30 days"));
    for text in [
        "59",
        "31536001",
        "-1",
        "86400.0",
        "\"1 day\"",
        "true",
        "99999999999999999999",
        "\"\"",
        "[60]",
    ] {
        let line = problem(&format!("session_lifetime = {text}"));
        assert_eq!(
            line,
            "config.toml:4:1: auth.session_lifetime must be a whole number from 60 to 31536000; the default is 86400",
            "{text}"
        );
    }
}

#[test]
fn admin_emails_are_canonical_and_unique() {
    let dir = ConfigDir::with(&[(
        "config.toml",
        &format!("[auth]\ntoken_secret = '{TOKEN_SECRET}'\n"),
    )]);
    let config = dir
        .load(&[(
            "MEDIAMANAGER_AUTH__ADMIN_EMAILS",
            r#"["Owner@Example.ORG", " owner@example.org ", "b@host"]"#,
        )])
        .expect("start");
    let emails: Vec<&str> = config
        .auth
        .admin_emails
        .iter()
        .map(crate::domain::Email::as_str)
        .collect();
    assert_eq!(emails, ["owner@example.org", "b@host"]);
}

#[test]
fn admin_emails_must_be_written_and_may_be_empty() {
    let load = |line: &str| {
        ConfigDir::with(&[(
            "config.toml",
            &format!("[auth]\ntoken_secret = '{TOKEN_SECRET}'\n{line}\n"),
        )])
        .load(&[])
    };
    let missing = load("").expect_err("missing");
    assert_eq!(
        missing,
        [
            r#"config.toml: auth.admin_emails is missing; write admin_emails = ["you@example.org"], or set MEDIAMANAGER_AUTH__ADMIN_EMAILS"#
        ]
    );
    let empty = load("admin_emails = []").expect("start");
    assert!(empty.auth.admin_emails.is_empty() && empty.warnings.is_empty());
    assert_eq!(
        load("admin_emails = 'a@b'").expect_err("text"),
        [
            r#"config.toml:3:1: auth.admin_emails must be a list; write admin_emails = ["you@example.org"]"#
        ]
    );
    assert_eq!(
        load("admin_emails = [\n  'a@b',\n  1,\n  'c',\n]").expect_err("entries"),
        [
            r#"config.toml:5:3: auth.admin_emails entry 2 is not an e-mail address; write admin_emails = ["you@example.org"]"#,
            r#"config.toml:6:3: auth.admin_emails entry 3 is not an e-mail address; write admin_emails = ["you@example.org"]"#
        ]
    );
}

#[test]
fn resets_without_mail_are_off_and_the_missing_keys_are_named() {
    let smtp = "email_password_resets = true\n[notifications.smtp_config]\n";
    for (more, missing) in [
        (
            "email_password_resets = true".to_owned(),
            "notifications.smtp_config.smtp_host and notifications.smtp_config.from_email.",
        ),
        (
            format!("{smtp}smtp_host = ''\nfrom_email = 'a@b'"),
            ": notifications.smtp_config.smtp_host.",
        ),
        (
            format!("{smtp}smtp_host = 'mail'"),
            ": notifications.smtp_config.from_email.",
        ),
    ] {
        let config = configured(&more).expect(&more);
        assert!(!config.auth.email_password_resets && config.smtp.is_none());
        assert!(
            config.warnings[0].starts_with("auth.email_password_resets has no effect")
                && config.warnings[0].contains(missing),
            "{}",
            config.warnings[0]
        );
    }
    let config =
        configured(&format!("{smtp}smtp_host = 'mail'\nfrom_email = 'a@b'")).expect("start");
    assert!(
        config.auth.email_password_resets && config.smtp.is_some() && config.warnings.is_empty()
    );
}

#[test]
fn types_are_as_lax_as_in_mediamanager() {
    for (text, expected) in [
        ("true", true),
        ("\"yes\"", true),
        ("\"On\"", true),
        ("1", true),
        ("\"1\"", true),
        ("false", false),
        ("\"no\"", false),
        ("\"OFF\"", false),
        ("0", false),
    ] {
        assert_eq!(
            configured(&format!("[policy]\nregistration = {text}"))
                .expect(text)
                .policy
                .registration,
            expected,
            "{text}"
        );
    }
    for text in ["2", "\"\"", "\"maybe\"", "[true]", "1979-05-27"] {
        assert_eq!(
            problem(&format!("[policy]\nregistration = {text}")),
            "config.toml:5:1: policy.registration must be true or false; the default is true"
        );
    }
    assert_eq!(
        problem("[server]\napp_name = 5"),
        "config.toml:5:1: server.app_name must be text; put it in quotes"
    );
    assert!(warnings("[server]\nport = '9000'").is_empty());
}
