use mail_parser::MessageParser;

/// The mail settings of an installation.
pub const SMTP: &str = "[notifications.smtp_config]\nsmtp_host = 'mail.example.org'\nfrom_email = 'media@example.org'\n";

/// A mail as its reader sees it.
#[derive(Debug)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The headers, one a line.
    pub headers: String,
}

impl Mail {
    pub fn parse(bytes: &[u8]) -> Self {
        let mail = MessageParser::default().parse(bytes).unwrap();
        let to: Vec<_> = mail
            .to()
            .unwrap()
            .iter()
            .map(|address| address.address().unwrap().to_owned())
            .collect();
        assert_eq!(to.len(), 1, "one recipient");
        let raw = String::from_utf8_lossy(bytes);
        Self {
            to: to.concat(),
            subject: mail.subject().unwrap().to_owned(),
            text: mail.body_text(0).unwrap().replace("\r\n", "\n"),
            html: mail.body_html(0).unwrap().into_owned(),
            headers: raw.split("\r\n\r\n").next().unwrap().to_owned(),
        }
    }

    /// Path and query of the only link to the program.
    pub fn link(&self) -> String {
        let mut links = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("http://localhost:8000"));
        let link = links
            .next()
            .unwrap_or_else(|| panic!("no link in {}", self.text))
            .to_owned();
        assert_eq!(links.next(), None);
        link
    }
}
