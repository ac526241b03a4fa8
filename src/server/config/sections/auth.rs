use url::Url;

use super::OpenIdConnect;
use crate::{
    domain::Email,
    server::config::{Secret, reader::Reader},
};

/// The `token_secret` of the complete example in MediaManager's manual (chapter Authentication),
/// which is public.
const DOCUMENTED_SAMPLE_SECRET: &str = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z6";
/// The beginnings of common placeholders, reduced to lower-case letters and digits: `CHANGE_ME…`,
/// `secret…`, `your_super_secret_key_here`.
const PLACEHOLDERS: [&str; 3] = ["changeme", "secret", "your"];
const TOKEN_SECRET_FIX: &str =
    r#"write token_secret = "…" with the output of `openssl rand -hex 32`"#;
const MIN_SECRET_BYTES: usize = 32;
const MIN_DISTINCT_SECRET_CHARS: usize = 10;
const SECONDS_PER_MONTH: u32 = 30 * 24 * 60 * 60;

/// `[auth]`, shared with MediaManager.
#[derive(Clone, Debug)]
pub struct Auth {
    /// `token_secret`, required: the key that signs sessions and from which all other keys are
    /// derived. MediaManager must have the same one. At least 32 bytes, from `openssl rand -hex 32`
    /// (SR-201). Changing it revokes all sessions and links.
    pub token_secret: Secret,
    /// `session_lifetime`: seconds from the login to the end of the session. 60 to 31 536 000,
    /// default 86 400; above 30 days a warning (SR-202).
    pub session_lifetime: u32,
    /// `admin_emails`, required: users with these addresses become administrators once the address
    /// is verified (SR-203, SR-035).
    pub admin_emails: Vec<Email>,
    /// `email_password_resets`, default false. Also false when SMTP is not configured completely
    /// (SR-204).
    pub email_password_resets: bool,
    /// The providers: `[auth.openid_connect]` with `[policy.openid_connect]`, if `enabled = true`.
    pub providers: Vec<OpenIdConnect>,
}

impl Auth {
    pub(super) fn read(
        reader: &mut Reader,
        email_password_resets: bool,
        frontend_url: Option<&Url>,
    ) -> Option<Self> {
        let token_secret = read_token_secret(reader);
        let session_lifetime = reader.number("auth.session_lifetime", &(60..=31_536_000), 86_400);
        if session_lifetime > SECONDS_PER_MONTH {
            reader.warn("auth.session_lifetime is longer than 30 days: a lost device stays logged in that long.");
        }
        let admin_emails = read_admin_emails(reader);
        let providers = if reader.boolean("auth.openid_connect.enabled", false) {
            vec![OpenIdConnect::read(reader, frontend_url)?]
        } else {
            Vec::new()
        };
        Some(Self {
            token_secret: token_secret?,
            session_lifetime,
            admin_emails,
            email_password_resets,
            providers,
        })
    }
}

fn read_token_secret(reader: &mut Reader) -> Option<Secret> {
    let key = "auth.token_secret";
    let text = reader.required(key, TOKEN_SECRET_FIX)?;
    let trimmed = text.trim();
    let mut characters: Vec<char> = trimmed.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    let letters: String = trimmed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    let fault = if trimmed == DOCUMENTED_SAMPLE_SECRET {
        reader.warn(format!("INSECURE: {key} is the sample printed in MediaManager's manual, so anyone can log in as anyone; {TOKEN_SECRET_FIX}."));
        return Some(Secret::new(text));
    } else if PLACEHOLDERS
        .iter()
        .any(|placeholder| letters.starts_with(placeholder))
    {
        "is a placeholder that anyone can guess"
    } else if trimmed.len() < MIN_SECRET_BYTES {
        "is shorter than 32 bytes"
    } else if characters.len() < MIN_DISTINCT_SECRET_CHARS {
        "has fewer than 10 different characters"
    } else {
        return Some(Secret::new(text));
    };
    reader.problem(key, fault, TOKEN_SECRET_FIX);
    None
}

fn read_admin_emails(reader: &mut Reader) -> Vec<Email> {
    let key = "auth.admin_emails";
    let fix = r#"write admin_emails = ["you@example.org"]"#;
    let emails = reader.list(
        key,
        |text| Email::parse(text).ok(),
        "an e-mail address",
        fix,
    );
    if !reader.has(key) {
        reader.report_missing(key, fix);
    }
    emails
}
