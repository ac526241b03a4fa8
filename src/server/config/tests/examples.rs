use super::{ConfigDir, TOKEN_SECRET};
use crate::server::config::Config;

const OUR_EXAMPLE: &str = include_str!("../../../../config.example.toml");

/// The complete example of MediaManager's manual, chapter Authentication, with the other sections
/// of MediaManager's example file.
const MANUALS_EXAMPLE: &str = r#"
[misc]
frontend_url = "http://localhost:8000" # without a slash at the end
cors_urls = ["http://localhost:8000"]
image_directory = "/data/images"
tv_directory = "/data/tv"
movie_directory = "/data/movies"
torrent_directory = "/data/torrents"
development = false

[[misc.tv_libraries]]
name = "Live Action"
path = "/data/tv/live-action"

[database]
host = "db"
port = 5432
user = "MediaManager"
password = "MediaManager"
dbname = "MediaManager"

[auth]
token_secret = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z6"
session_lifetime = 604800  # 1 week
admin_emails = ["admin@example.com", "manager@example.com"]
email_password_resets = true

[auth.openid_connect]
enabled = true
client_id = "mediamanager-client"
client_secret = "your-secret-key-here"
configuration_endpoint = "https://auth.example.com/.well-known/openid-configuration"
name = "Authentik"

[notifications]
[notifications.email_notifications]
enabled = false
emails = ["admin@example.com"]
[notifications.gotify]
enabled = false
api_key = ""
url = "https://gotify.example.com"

[torrents]
[torrents.qbittorrent]
enabled = false
host = "http://localhost"
port = 8080
username = "admin"
password = "admin"

[indexers]
[indexers.prowlarr]
enabled = false
url = "http://localhost:9696"
api_key = ""
timeout_seconds = 60

[[indexers.title_scoring_rules]]
name = "avoid_cam"
keywords = ["cam", "ts"]
score_modifier = -10000
negate = false

[metadata]
[metadata.tmdb]
tmdb_relay_url = "https://metadata-relay.dorninger.co/tmdb"
"#;

fn load_text(text: &str) -> Result<Config, Vec<String>> {
    ConfigDir::with(&[("config.toml", text)]).load(&[])
}

#[test]
fn the_published_example_starts() {
    let config = load_text(MANUALS_EXAMPLE).expect("start");
    assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
    assert!(
        config.warnings[0].contains(
            "notifications.smtp_config.smtp_host and notifications.smtp_config.from_email"
        )
    );
    assert!(config.warnings[1].starts_with("INSECURE: auth.token_secret"));
    assert!(!config.auth.email_password_resets);
    assert_eq!(
        (config.auth.session_lifetime, config.auth.admin_emails.len()),
        (604_800, 2)
    );
    let provider = config.auth.providers.into_iter().next().expect("enabled");
    assert_eq!(
        provider.redirect_uri,
        "http://localhost:8000/api/v1/auth/cookie/Authentik/callback"
    );
    assert_eq!(
        config.database_url.expose(),
        "postgres://MediaManager:MediaManager@db:5432/MediaManager"
    );
}

#[test]
fn mediamanagers_example_file_starts_once_its_placeholder_is_replaced() {
    // MediaManager's container copies this file to the disk at its first start.
    let smtp = "[notifications.smtp_config]\nsmtp_host = 'smtp.example.com'\nsmtp_port = 587\nsmtp_user = 'admin'\nsmtp_password = 'admin'\n\
                from_email = 'mediamanager@example.com'\nuse_tls = true\n";
    let off = "[auth]\nemail_password_resets = false\ntoken_secret = 'CHANGE_ME_GENERATE_RANDOM_STRING'\nadmin_emails = ['admin@example.com']\n\
               [auth.openid_connect]\nenabled = false\nclient_id = ''\nclient_secret = ''\n\
               configuration_endpoint = 'https://openid.example.com/'\nname = 'OpenID'\n";
    let file = format!("{off}{smtp}");
    assert!(load_text(&file).expect_err("placeholder")[0].contains("placeholder"));
    let config =
        load_text(&file.replace("CHANGE_ME_GENERATE_RANDOM_STRING", TOKEN_SECRET)).expect("start");
    assert!(
        config.smtp.is_none()
            && config.warnings.len() == 1
            && config.warnings[0].contains("placeholder: no mail is sent"),
        "{:?}",
        config.warnings
    );
    let config = load_text(
        &file
            .replace("CHANGE_ME_GENERATE_RANDOM_STRING", TOKEN_SECRET)
            .replace("smtp.example.com", "mail"),
    )
    .expect("start");
    assert!(config.warnings.is_empty() && config.smtp.is_some_and(|smtp| smtp.use_tls));
}

#[test]
fn our_example_is_refused_as_it_stands_and_shows_the_defaults() {
    let problems = load_text(OUR_EXAMPLE).map(|_| ()).expect_err("placeholder");
    assert!(
        problems.len() == 1 && problems[0].contains("auth.token_secret is a placeholder"),
        "{problems:?}"
    );

    let line = "\ntoken_secret = \"CHANGE_ME\"\n";
    assert_eq!(
        OUR_EXAMPLE.matches(line).count(),
        1,
        "`make run` replaces this line"
    );
    let example = load_text(&OUR_EXAMPLE.replace("\"CHANGE_ME\"", &format!("\"{TOKEN_SECRET}\"")))
        .expect("start");
    let required = [
        ("MEDIAMANAGER_AUTH__TOKEN_SECRET", TOKEN_SECRET),
        ("MEDIAMANAGER_AUTH__ADMIN_EMAILS", "[]"),
    ];
    let defaults = ConfigDir::with(&[]).load(&required).expect("start");
    assert_eq!(format!("{example:?}"), format!("{defaults:?}"));
    assert_eq!(
        example.database_url.expose(),
        defaults.database_url.expose()
    );
}

#[test]
fn the_keys_that_our_example_only_mentions_are_right_too() {
    let is_setting = |line: &&str| {
        line.starts_with("# [database]")
            || (line.starts_with("# ")
                && line.contains(" = ")
                && !line.contains("host = \"0.0.0.0\""))
    };
    let mentioned: Vec<&str> = OUR_EXAMPLE.lines().filter(is_setting).collect();
    assert_eq!(mentioned.len(), 13, "{mentioned:#?}");
    let text: String = OUR_EXAMPLE
        .lines()
        .map(|line| {
            if mentioned.contains(&line) {
                line.trim_start_matches("# ")
            } else {
                line
            }
        })
        .map(|line| {
            if line.starts_with("database_url") || line.starts_with("smtp_ca_file") {
                ""
            } else {
                line
            }
        })
        .map(|line| line.replace("CHANGE_ME", TOKEN_SECRET) + "\n")
        .collect();
    let config = load_text(&text).expect("start");
    assert_eq!(
        config.database_url.expose(),
        "postgres://MediaManager:MediaManager@localhost:5432/MediaManager"
    );
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}
