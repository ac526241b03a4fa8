//! Sends a mail over SMTP (SR-160, SR-161). Queueing and retries are in `flows::mail`.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};

use crate::{
    domain::Email,
    server::{clock::Clock, config::Config, crypto::random},
};

mod message;

pub use message::MailMessage;

/// How long one attempt to send may take (SR-162).
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// The time limit of [`Mailer::inspect`], for which an operator waits.
const DIAGNOSTIC_TIMEOUT: Duration = Duration::from_secs(10);
const SMTPS_PORT: u16 = 465;

/// The transport of mails.
#[derive(Clone)]
pub enum Mailer {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// Keeps the messages in memory, for tests.
    Memory(SentMessages),
    /// For a configuration without mail settings.
    Off,
}

/// The messages that a [`Mailer::Memory`] has sent.
pub type SentMessages = Arc<Mutex<Vec<Message>>>;

/// The reason that a mail was not sent.
#[derive(Debug, PartialEq, Eq)]
pub struct SendError {
    /// The server's response or the connection error, for the CLI and the diagnostics. It is not
    /// logged, because servers repeat addresses in their responses.
    pub reason: String,
    /// The reason without the server's text.
    pub log_reason: String,
    /// Whether another attempt may succeed.
    pub is_temporary: bool,
}

impl Mailer {
    /// Prepares the transport without opening a connection.
    ///
    /// # Errors
    /// A sentence for the operator, about `smtp_ca_file` or the name of the host.
    pub fn new(config: &Config) -> Result<Self, String> {
        let Some(smtp) = &config.smtp else {
            return Ok(Self::Off);
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(smtp.port)
            .timeout(Some(SEND_TIMEOUT));
        if smtp.use_tls {
            let parameters = tls_parameters(&smtp.host, config)?;
            transport = transport.tls(if is_implicit_tls(config, smtp.port) {
                Tls::Wrapper(parameters)
            } else {
                Tls::Required(parameters)
            });
        }
        if let Some(user) = &smtp.user {
            let password = smtp
                .password
                .as_ref()
                .map(|password| password.expose().to_owned())
                .unwrap_or_default();
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self::Smtp(transport.build()))
    }

    /// Checks that the server accepts the connection and the login, without sending a mail.
    pub async fn inspect(&self) -> Result<(), SendError> {
        let Self::Smtp(transport) = self else {
            return Ok(());
        };
        match tokio::time::timeout(DIAGNOSTIC_TIMEOUT, transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(SendError::local(
                "the mail server takes the connection and then refuses to talk",
                true,
            )),
            Ok(Err(err)) => Err(SendError::from_server(&err)),
            Err(_) => Err(SendError::local(
                "the mail server does not answer within 10 seconds",
                true,
            )),
        }
    }

    /// Sends a mail to one address and returns the server's response.
    pub async fn send(
        &self,
        config: &Config,
        clock: &Clock,
        to: &str,
        message: &MailMessage,
    ) -> Result<String, SendError> {
        let message = compose(config, clock, to, message)
            .map_err(|reason| SendError::local(&reason, false))?;
        match self {
            Self::Off => Err(SendError::local(
                "there are no mail settings ([notifications.smtp_config])",
                false,
            )),
            Self::Memory(sent) => {
                sent.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(message);
                Ok("kept".to_owned())
            }
            Self::Smtp(transport) => {
                match tokio::time::timeout(SEND_TIMEOUT, transport.send(message)).await {
                    Ok(Ok(response)) => Ok(format!(
                        "{} {}",
                        response.code(),
                        response.message().collect::<Vec<_>>().join(" ")
                    )),
                    Ok(Err(err)) => Err(SendError::from_server(&err)),
                    Err(_) => Err(SendError::local(
                        "the mail server did not finish within 30 seconds",
                        true,
                    )),
                }
            }
        }
    }
}

impl SendError {
    fn local(reason: &str, is_temporary: bool) -> Self {
        Self {
            reason: reason.to_owned(),
            log_reason: reason.to_owned(),
            is_temporary,
        }
    }

    fn from_server(err: &lettre::transport::smtp::Error) -> Self {
        let (reason, code) = (
            describe_causes(err),
            err.status().map(|code| code.to_string()),
        );
        // A rejected login is a wrong setting, so the mail is kept until it is corrected.
        let is_about_login = code
            .as_deref()
            .is_some_and(|code| ["530", "534", "535", "538"].contains(&code));
        let log_reason = code.map_or_else(
            || reason.clone(),
            |code| format!("the mail server answered {code}"),
        );
        Self {
            is_temporary: is_about_login || !err.is_permanent(),
            reason,
            log_reason,
        }
    }
}

/// Whether a port uses implicit TLS instead of STARTTLS (RFC 8314 §3).
pub fn is_implicit_tls(config: &Config, port: u16) -> bool {
    port == SMTPS_PORT || config.server.smtp_implicit_tls
}

/// Certificates are always verified, also against the configured certificate authority.
fn tls_parameters(host: &str, config: &Config) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(file) = &config.server.smtp_ca_file {
        let file_error = |what: String| {
            format!(
                "server.smtp_ca_file {}: {what}; it must be a PEM file with a certificate",
                file.display()
            )
        };
        let pem = fs::read(file).map_err(|err| file_error(err.to_string()))?;
        parameters = parameters.add_root_certificate(
            Certificate::from_pem(&pem).map_err(|err| file_error(err.to_string()))?,
        );
    }
    parameters
        .build_rustls()
        .map_err(|err| format!("cannot prepare TLS for notifications.smtp_config.smtp_host: {err}"))
}

/// Builds the MIME message with one recipient, fixed headers, and user input in the body only, so
/// that no input can inject a header (SR-160).
fn compose(
    config: &Config,
    clock: &Clock,
    to: &str,
    mail: &MailMessage,
) -> Result<Message, String> {
    let smtp = config.smtp.as_ref().ok_or("there are no mail settings")?;
    let app_name = &config.server.app_name;
    let mut texts = [to, app_name, &mail.subject]
        .into_iter()
        .chain(mail.body_texts());
    if texts.any(|text| text.contains(char::is_control)) {
        return Err("a control character in an address, the subject or the text".to_owned());
    }
    let to = mailbox_address(
        &Email::parse(to).map_err(|_| "the account's address cannot receive mail".to_owned())?,
    );
    let from = mailbox_address(&smtp.from_email);
    let host = config
        .misc
        .frontend_url
        .host_str()
        .unwrap_or("localhost")
        .trim_matches(['[', ']'])
        .replace(':', ".");
    // Without an explicit envelope the library would parse both addresses out of the headers, by
    // stricter rules than ours.
    let envelope =
        Envelope::new(Some(from.clone()), vec![to.clone()]).map_err(|err| err.to_string())?;
    let message = Message::builder()
        .envelope(envelope)
        .from(Mailbox::new(Some(app_name.clone()), from))
        .to(Mailbox::new(None, to))
        .subject(&mail.subject)
        .date(UNIX_EPOCH + Duration::from_secs(u64::try_from(clock.now()).unwrap_or_default()))
        .message_id(Some(format!("<{}@{host}>", random::uuid())))
        // Stops automatic replies such as vacation notices (RFC 3834 §5).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    message
        .multipart(MultiPart::alternative_plain_html(
            mail.text(app_name),
            mail.html(app_name),
        ))
        .map_err(|err| err.to_string())
}

/// Converts without the library's check. [`Email`] rejects more dangerous characters than SMTP
/// (blanks, brackets, control characters) and, unlike the library, allows any dots.
fn mailbox_address(email: &Email) -> Address {
    let (local, domain) = email.as_str().split_once('@').unwrap_or_default();
    Address::new_dangerous(local, domain)
}

/// Joins an error and its causes into one line.
fn describe_causes(err: &lettre::transport::smtp::Error) -> String {
    let mut reason = err.to_string();
    let mut cause = std::error::Error::source(err);
    while let Some(err) = cause {
        let text = err.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        cause = err.source();
    }
    reason
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(500)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::{self, Sources};

    fn config() -> Config {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        let toml = "auth.token_secret = '0123456789abcdef0123456789abcdef'\nauth.admin_emails = []\n\
                    notifications.smtp_config = { smtp_host = 'mail.example.org', from_email = 'media@example.org' }";
        std::fs::write(file.path(), toml).unwrap();
        config::load(&Sources {
            config_file: Some(file.path().to_owned()),
            environment: Vec::new(),
        })
        .unwrap()
    }

    #[test]
    fn nothing_that_a_visitor_wrote_becomes_a_header() {
        let compose = |to: &str, subject: &str| {
            compose(
                &config(),
                &Clock::System,
                to,
                &MailMessage::new(subject, &["x"]),
            )
        };
        assert!(compose("ada@example.org", "Hello").is_ok());
        assert!(
            compose("a..b@nas", "Hello").is_ok(),
            "what can have an account can get a mail"
        );
        for (to, subject) in [
            ("ada@example.org\r\nBcc: eve@example.org", "Hello"),
            ("ada@example.org", "Hello\r\nBcc: eve@example.org"),
            ("ada@example.org, eve@example.org", "Hello"),
            ("Ada <ada@example.org>", "Hello"),
            ("", "Hello"),
        ] {
            assert!(compose(to, subject).is_err(), "{to:?} {subject:?}");
        }
    }

    #[test]
    fn a_control_character_anywhere_refuses_the_mail() {
        let compose =
            |mail: &MailMessage| compose(&config(), &Clock::System, "ada@example.org", mail);
        let mail = |text: &str, label: &str, url: &str, closing: &str| {
            MailMessage::new("Hello", &["x", text]).with_link(
                label,
                url.to_owned(),
                &["x", closing],
            )
        };
        assert!(compose(&mail("a – b", "Go", "https://x/", "Bye")).is_ok());
        for bad in ["a\0b", "a\r\n.\r\nb", "a\u{1b}[2Jb", "a\u{85}b"] {
            for mail in [
                mail(bad, "x", "x", "x"),
                mail("x", bad, "x", "x"),
                mail("x", "x", bad, "x"),
                mail("x", "x", "x", bad),
            ] {
                assert!(compose(&mail).is_err(), "{mail:?}");
            }
        }
    }
}
