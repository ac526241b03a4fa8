use html_escape::encode_text;

use crate::text::en::mails;

/// The content of a mail: paragraphs and at most one link.
#[derive(Clone, Debug, Default)]
pub struct MailMessage {
    pub subject: String,
    pub paragraphs: Vec<String>,
    pub link: Option<MailLink>,
    /// The paragraphs after the link.
    pub closing: Vec<String>,
}

/// The button of a mail.
#[derive(Clone)]
pub struct MailLink {
    pub label: String,
    pub url: String,
}

/// Not derived, because the URL may hold a token (SR-181).
impl std::fmt::Debug for MailLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl MailMessage {
    pub fn new(subject: impl Into<String>, paragraphs: &[&str]) -> Self {
        Self {
            subject: subject.into(),
            paragraphs: paragraphs.iter().map(|&text| text.to_owned()).collect(),
            ..Self::default()
        }
    }

    pub fn with_link(self, label: &str, url: String, closing: &[&str]) -> Self {
        Self {
            link: Some(MailLink {
                label: label.to_owned(),
                url,
            }),
            closing: closing.iter().map(|&text| text.to_owned()).collect(),
            ..self
        }
    }

    /// All texts of the body.
    pub fn body_texts(&self) -> impl Iterator<Item = &str> {
        let link = self.link.iter().flat_map(|link| [&link.label, &link.url]);
        self.paragraphs
            .iter()
            .chain(link)
            .chain(&self.closing)
            .map(String::as_str)
    }

    /// The plain text part.
    pub fn text(&self, app_name: &str) -> String {
        let link = self
            .link
            .iter()
            .map(|link| format!("{}:\n{}", link.label, link.url));
        let parts: Vec<String> = self
            .paragraphs
            .iter()
            .cloned()
            .chain(link)
            .chain(self.closing.iter().cloned())
            .collect();
        format!("{}\n\n-- \n{app_name}\n", parts.join("\n\n"))
    }

    /// The HTML part. Readable without its styles. It declares that it supports dark mode, because
    /// some clients invert the colours of a mail that does not.
    pub fn html(&self, app_name: &str) -> String {
        let paragraph =
            |text: &String| format!("<p style=\"margin:0 0 16px\">{}</p>", encode_text(text));
        let paragraphs: String = self.paragraphs.iter().map(paragraph).collect();
        let closing: String = self.closing.iter().map(paragraph).collect();
        let link = self.link.as_ref().map_or_else(String::new, |link| {
            let url = html_escape::encode_double_quoted_attribute(&link.url);
            format!(
                "<p style=\"margin:24px 0\"><a class=\"button\" href=\"{url}\" style=\"display:inline-block;padding:12px 20px;border-radius:10px;\
                 background:#443598;color:#ffffff;font-weight:600;text-decoration:none\">{}</a></p>\
                 <p class=\"quiet\" style=\"margin:0 0 16px;font-size:14px;color:#5b5672;word-break:break-all\">{}</p>",
                encode_text(&link.label),
                encode_text(&mails::copy_address(&link.url)),
            )
        });
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"supported-color-schemes\" content=\"light dark\"><title>{subject}</title>\
             <style>:root{{color-scheme:light dark}}@media (prefers-color-scheme:dark){{.page{{background:#0d0d16!important;color:#eceaf6!important}}\
             .button{{background:#f7c066!important;color:#2a1a05!important}}.quiet{{color:#b0abc4!important}}}}</style></head>\
             <body class=\"page\" style=\"margin:0;padding:32px 20px;background:#fafafc;color:#1b1837;font:16px/1.5 system-ui,'Segoe UI',Roboto,sans-serif\">\
             <div style=\"max-width:32em;margin:0 auto\"><h1 style=\"margin:0 0 20px;font:600 24px/1.2 Georgia,serif\">{subject}</h1>{paragraphs}{link}{closing}\
             <p class=\"quiet\" style=\"margin:32px 0 0;font-size:14px;color:#5b5672\">{}</p></div></body></html>",
            encode_text(app_name),
            subject = encode_text(&self.subject),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_visitor_wrote_is_text_in_both_parts() {
        let mail = MailMessage::new("Hello <b>", &["from <script>alert(1)</script> & co"])
            .with_link("Go", "https://x/?a=1&b=\"2\"".into(), &["Bye"]);
        let html = mail.html("My <app>");
        assert!(
            html.contains("from &lt;script&gt;alert(1)&lt;/script&gt; &amp; co")
                && html.contains("My &lt;app&gt;"),
            "{html}"
        );
        assert!(
            html.contains("href=\"https://x/?a=1&amp;b=&quot;2&quot;\""),
            "{html}"
        );
        let text = mail.text("My <app>");
        assert_eq!(
            text,
            "from <script>alert(1)</script> & co\n\nGo:\nhttps://x/?a=1&b=\"2\"\n\nBye\n\n-- \nMy <app>\n"
        );
        assert!(!format!("{mail:?}").contains("https://x"));
    }
}
