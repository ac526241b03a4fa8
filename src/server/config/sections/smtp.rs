use crate::{
    domain::Email,
    server::config::{Secret, reader::Reader},
};

/// The placeholder in MediaManager's example, a reserved name (RFC 2606).
const EXAMPLE_HOST: &str = "smtp.example.com";
const SMTPS_PORT: u16 = 465;

/// `[notifications.smtp_config]`, shared with MediaManager.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// `smtp_host`
    pub host: String,
    /// `smtp_port`, default 587. Port 465 uses implicit TLS, other ports STARTTLS (RFC 8314 §3).
    pub port: u16,
    /// `smtp_user`; `None` for a server without login.
    pub user: Option<String>,
    /// `smtp_password`
    pub password: Option<Secret>,
    /// `from_email`: the sender's address, without a display name.
    pub from_email: Email,
    /// `use_tls`, default true, unlike in MediaManager: plaintext requires an explicit false
    /// (SR-161). Always true on port 465.
    pub use_tls: bool,
}

impl Smtp {
    pub(super) fn read(reader: &mut Reader, wants_resets: bool) -> Option<Self> {
        let (host_key, from_key) = (
            "notifications.smtp_config.smtp_host",
            "notifications.smtp_config.from_email",
        );
        let missing: Vec<&str> = [host_key, from_key]
            .into_iter()
            .filter(|key| reader.is_blank(key))
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(" and ");
            if wants_resets {
                reader.warn(format!("auth.email_password_resets has no effect until these are set: {missing}. Nobody can reset a password by mail."));
            } else if missing == from_key {
                reader.warn(format!("{from_key} is not set: no mail is sent."));
            }
            return None;
        }
        let host = reader.optional(host_key);
        if host
            .as_deref()
            .is_some_and(|host| host.trim().eq_ignore_ascii_case(EXAMPLE_HOST))
        {
            // Mails would be queued and never delivered, while pages announce them.
            reader.warn(format!("{host_key} is the example's placeholder: no mail is sent. Name your mail server, or leave it empty."));
            return None;
        }
        let from_email = reader.parsed(
            from_key,
            "",
            |text| Email::parse(text).ok(),
            "is not an e-mail address",
            "write only the address, like media@example.org",
        );
        let port = reader.number("notifications.smtp_config.smtp_port", &(1..=u16::MAX), 587);
        let user = reader.optional("notifications.smtp_config.smtp_user");
        let password = reader
            .optional("notifications.smtp_config.smtp_password")
            .map(Secret::new);
        let use_tls =
            reader.boolean("notifications.smtp_config.use_tls", true) || port == SMTPS_PORT;
        if !use_tls {
            reader.warn("notifications.smtp_config.use_tls is false: mails with reset links, and the SMTP password, cross the network readable.");
        }
        Some(Self {
            host: host?.trim().to_owned(),
            port,
            user,
            password,
            from_email: from_email?,
            use_tls,
        })
    }
}
