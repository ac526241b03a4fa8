use clap::Subcommand;

use super::print;
use crate::{
    domain::Email,
    server::{
        clock::Clock,
        config::Config,
        mailer::{self, MailMessage, Mailer},
    },
    text::en::{error_message, mails},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Send a test mail over the configured server, and say what it answers
    Test { address: String },
}

/// `mail test ADDRESS`: sends a mail like all other mails, and prints the server's response.
pub(super) async fn run(config: &Config, Command::Test { address }: Command) -> Result<(), String> {
    let email = Email::parse(&address).map_err(error_message)?;
    let Some(smtp) = &config.smtp else {
        return Err("There are no mail settings: [notifications.smtp_config] needs smtp_host and from_email.".to_owned());
    };
    let security = match (smtp.use_tls, mailer::is_implicit_tls(config, smtp.port)) {
        (false, _) => "without TLS",
        (true, true) => "with TLS from the start",
        (true, false) => "with STARTTLS",
    };
    let login = if smtp.user.is_some() {
        "logging in"
    } else {
        "without login"
    };
    print(&format!(
        "Sending to {email} over {}:{}, {security}, {login} …",
        smtp.host, smtp.port
    ));
    let app = &config.server.app_name;
    let message = MailMessage::new(
        mails::test::subject(app),
        &[mails::GREETING, &mails::test::body(app)],
    );
    match Mailer::new(config)?
        .send(config, &Clock::System, email.as_str(), &message)
        .await
    {
        Ok(response) => {
            print(&format!("Accepted: {response}"));
            Ok(())
        }
        Err(error) => {
            let outlook = if error.is_temporary {
                "A mail of the program would be tried again."
            } else {
                "A mail of the program would be given up."
            };
            Err(format!("Not sent: {}. {outlook}", error.reason))
        }
    }
}
