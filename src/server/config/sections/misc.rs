use url::Url;

use crate::server::config::{reader::Reader, urls};

/// `[misc]`, shared with MediaManager, whose other keys are ignored.
#[derive(Clone, Debug)]
pub struct Misc {
    /// `frontend_url`, default `http://localhost:8000`: the address that users open. All links are
    /// built from it, and its scheme decides whether cookies are `Secure` (SR-207). Use
    /// [`Config::link`](crate::server::config::Config::link) and
    /// [`Config::origin`](crate::server::config::Config::origin) instead of its text.
    pub frontend_url: Url,
    /// `cors_urls`, default none: other origins whose pages may call the API, in the form of the
    /// `Origin` header.
    pub cors_urls: Vec<String>,
}

impl Misc {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let fix = r#"write like ["https://app.example.org"] which sites may call the API"#;
        let cors_urls = reader.list(
            "misc.cors_urls",
            urls::parse_origin,
            "an origin (http or https, a host, and no path; never *)",
            fix,
        );
        Some(Self {
            frontend_url: read_frontend_url(reader)?,
            cors_urls,
        })
    }
}

fn read_frontend_url(reader: &mut Reader) -> Option<Url> {
    let key = "misc.frontend_url";
    let fault = "is not a web address (http or https, without user, query and fragment)";
    let mut url = reader.parsed(
        key,
        "http://localhost:8000",
        urls::parse_http_url,
        fault,
        r#"write it like "https://media.example.org""#,
    )?;
    let path = url.path().trim_end_matches('/').to_owned();
    let base = path
        .strip_suffix("/web")
        .map(|base| base.trim_end_matches('/'));
    if base.is_some() {
        reader.warn(format!("{key} ends in /web, as MediaManager had it before 1.10.0: that part is dropped. Write it without."));
    }
    url.set_path(base.unwrap_or(&path));
    if url.path() != "/" {
        reader.warn(format!(
            "{key} has a path: the login pages work at the root of a host only, so the proxy has to send the whole host's /login, /pkg and so on here."
        ));
    }
    if url.scheme() == "http" && !urls::is_loopback(&url) {
        reader.warn(format!(
            "{key} is http: passwords and cookies cross the network readable, and cookies are not Secure. Put a proxy with https in front and write https here."
        ));
    }
    Some(url)
}
