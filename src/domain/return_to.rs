use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// The longest target that is carried through a login, in bytes (SR-120).
const MAX_BYTES: usize = 2048;
/// The longest target in the cookie of a login with a provider, in bytes: a site that starts several
/// logins must not fill the `Cookie` header beyond what proxies accept.
const MAX_COOKIE_BYTES: usize = 256;
/// Where nobody is sent after a login: machines' paths, and pages that would log in or out again.
const EXCLUDED_PATHS: [&str; 5] = ["/api", "/login", "/logout", "/setup", "/.well-known"];

/// A place on this very site to go to after a login. It cannot lead anywhere else (SR-120), also not
/// after a trip through a cookie: reading one back parses it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Accepts a path with optional query and fragment, and keeps a good one unchanged to the byte.
    ///
    /// `None` for everything that a browser could read as another origin (`//evil`, `/\evil`,
    /// `/%2f/evil`, a tab that is dropped between two slashes), for paths that are no destination,
    /// and for what a `Location` header cannot carry.
    pub fn parse(raw: &str) -> Option<Self> {
        let path = raw.split(['?', '#']).next().unwrap_or_default();
        let decoded = percent_decode_str(path).decode_utf8().ok()?;
        let is_good = raw.len() <= MAX_BYTES
            && raw.is_ascii()
            && raw.starts_with('/')
            && !raw.chars().any(|c| c == '\\' || c.is_control() || c.is_whitespace())
            && !decoded.chars().any(|c| c == '\\' || c.is_control())
            && !decoded.starts_with("//")
            // Dot segments would let `/x/../login` past the list below.
            && !decoded.split('/').any(|segment| segment == "." || segment == "..")
            && !is_excluded(&decoded);
        is_good.then(|| Self(raw.to_owned()))
    }

    /// Whether the target may be kept in a cookie.
    pub fn is_short(&self) -> bool {
        // The cookie's JSON writes a quotation mark with two characters.
        self.0.len() + self.0.matches('"').count() <= MAX_COOKIE_BYTES
    }

    /// The target as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_excluded(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    EXCLUDED_PATHS.iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

impl TryFrom<String> for ReturnTo {
    type Error = &'static str;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        Self::parse(&raw).ok_or("not a path of this site")
    }
}

impl From<ReturnTo> for String {
    fn from(target: ReturnTo) -> Self {
        target.0
    }
}

/// A page's address with the place to go to afterwards as its parameter `return_to`.
pub fn with_target(page: &str, target: Option<&ReturnTo>) -> String {
    match target {
        Some(target) => format!(
            "{page}?return_to={}",
            utf8_percent_encode(target.as_str(), NON_ALPHANUMERIC)
        ),
        None => page.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_target_is_kept_to_the_byte() {
        for target in [
            "/",
            "/account",
            "/web/dashboard?q=a%2Fb&x=//evil#frag",
            "/f%C3%BCr/alle",
            "/loginx",
            "/a:b@c",
        ] {
            assert_eq!(ReturnTo::parse(target).expect(target).as_str(), target);
        }
    }

    #[test]
    fn no_target_leaves_the_site() {
        for target in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/%2fevil.example",
            "/%2F/evil.example",
            "/%5cevil.example",
            "/\t/evil.example",
            "/ /evil",
            "/a\nb",
            "/a%0d%0aSet-Cookie:x",
            "/a%00",
            "/\u{a0}x",
            "/%ff",
            // A header cannot carry it, and the browser has its own way to write it.
            "/für",
            "/web?q=ü",
            "/web#ü",
        ] {
            assert_eq!(ReturnTo::parse(target), None, "{target:?}");
        }
        assert_eq!(ReturnTo::parse(&format!("/{}", "a".repeat(2048))), None);
    }

    #[test]
    fn machines_paths_and_login_itself_are_no_destination() {
        for target in [
            "/api/v1/users/me",
            "/api",
            "/login",
            "/LOGIN",
            "/login?x",
            "/login/verify",
            "/logout",
            "/setup",
            "/x/../login",
            "/x/%2e%2e/logout",
            "/%6cogin",
        ] {
            assert_eq!(ReturnTo::parse(target), None, "{target:?}");
        }
    }
}
