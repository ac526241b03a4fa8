//! The way out of the program over SMTP (SR-160, SR-161). Sends one letter at a time; when and how often is the business of
//! `flows::mail`.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};

use crate::server::{clock::Clock, config::Config, random};

mod letter;

pub use letter::Letter;

/// How long one attempt to send may take (SR-162).
const LIMIT: Duration = Duration::from_secs(30);
const SMTPS_PORT: u16 = 465;

/// How mail leaves the program.
#[derive(Clone)]
pub enum Mailer {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// Kept here, as they would have gone out.
    Memory(Outgone),
    /// There are no mail settings.
    Off,
}

/// The letters that a [`Mailer::Memory`] has sent.
pub type Outgone = Arc<Mutex<Vec<Message>>>;

/// Why a letter did not go out.
#[derive(Debug, PartialEq, Eq)]
pub struct NotSent {
    /// What the server said, or why it could not be reached. Holds neither the letter nor a password.
    pub reason: String,
    /// Trying again may help.
    pub is_temporary: bool,
}

impl Mailer {
    /// Prepares the connection and opens none yet.
    ///
    /// # Errors
    /// A sentence for the operator, about `smtp_ca_file` or the name of the host.
    pub fn new(config: &Config) -> Result<Self, String> {
        let Some(smtp) = &config.smtp else { return Ok(Self::Off) };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host).port(smtp.port).timeout(Some(LIMIT));
        if smtp.use_tls {
            let parameters = tls(&smtp.host, config)?;
            transport = transport.tls(if smtp.port == SMTPS_PORT { Tls::Wrapper(parameters) } else { Tls::Required(parameters) });
        }
        if let Some(user) = &smtp.user {
            let password = smtp.password.as_ref().map(|password| password.expose().to_owned()).unwrap_or_default();
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self::Smtp(transport.build()))
    }

    /// Sends a letter to one address; the server's words of acceptance.
    ///
    /// # Errors
    /// [`NotSent`].
    pub async fn send(&self, config: &Config, clock: &Clock, to: &str, letter: &Letter) -> Result<String, NotSent> {
        let message = compose(config, clock, to, letter).map_err(|reason| NotSent { reason, is_temporary: false })?;
        match self {
            Self::Off => Err(NotSent { reason: "there are no mail settings ([notifications.smtp_config])".to_owned(), is_temporary: false }),
            Self::Memory(outgone) => {
                outgone.lock().unwrap_or_else(PoisonError::into_inner).push(message);
                Ok("kept".to_owned())
            }
            Self::Smtp(transport) => match tokio::time::timeout(LIMIT, transport.send(message)).await {
                Ok(Ok(response)) => Ok(format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" "))),
                Ok(Err(err)) => Err(NotSent { is_temporary: !err.is_permanent(), reason: explain(&err) }),
                Err(_) => Err(NotSent { reason: "the mail server did not finish within 30 seconds".to_owned(), is_temporary: true }),
            },
        }
    }
}

/// Certificates are checked, against the operator's authority too if there is one.
fn tls(host: &str, config: &Config) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(file) = &config.server.smtp_ca_file {
        let fault = |what: String| format!("server.smtp_ca_file {}: {what}; it must be a PEM file with a certificate", file.display());
        let pem = fs::read(file).map_err(|err| fault(err.to_string()))?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(|err| fault(err.to_string()))?);
    }
    parameters.build_rustls().map_err(|err| format!("cannot prepare TLS for notifications.smtp_config.smtp_host: {err}"))
}

/// One recipient, fixed headers, and text only in the body: nothing that a visitor wrote can become a header (SR-160).
fn compose(config: &Config, clock: &Clock, to: &str, letter: &Letter) -> Result<Message, String> {
    let smtp = config.smtp.as_ref().ok_or("there are no mail settings")?;
    let app_name = &config.server.app_name;
    if [to, app_name, &letter.subject].iter().any(|text| text.contains(char::is_control)) {
        return Err("a control character in an address or a subject".to_owned());
    }
    let to: Address = to.parse().map_err(|_| "the account's address cannot receive mail".to_owned())?;
    let from: Address = smtp.from_email.as_str().parse().map_err(|_| "notifications.smtp_config.from_email cannot send mail".to_owned())?;
    let host = config.misc.frontend_url.host_str().unwrap_or("localhost").trim_matches(['[', ']']).replace(':', ".");
    let message = Message::builder()
        .from(Mailbox::new(Some(app_name.clone()), from))
        .to(Mailbox::new(None, to))
        .subject(&letter.subject)
        .date(UNIX_EPOCH + Duration::from_secs(u64::try_from(clock.now()).unwrap_or_default()))
        .message_id(Some(format!("<{}@{host}>", random::uuid())))
        // Nobody's holiday notice need answer it (RFC 3834 §5).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    message.multipart(MultiPart::alternative_plain_html(letter.text(app_name), letter.html(app_name))).map_err(|err| err.to_string())
}

/// All causes in one line.
fn explain(err: &lettre::transport::smtp::Error) -> String {
    let mut reason = err.to_string();
    let mut cause = std::error::Error::source(err);
    while let Some(err) = cause {
        let text = err.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        cause = err.source();
    }
    reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}
