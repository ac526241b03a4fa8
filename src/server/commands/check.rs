use super::{plural, say};
use crate::server::config::Config;

/// `check`: the configuration has been read by now; says what is worth knowing about it.
#[expect(clippy::unnecessary_wraps, reason = "every subcommand has this shape")]
pub(super) fn run(config: &Config) -> Result<(), String> {
    for warning in &config.warnings {
        say(&format!("warning: {warning}"));
    }
    say(&format!("The configuration is fine, with {}.", plural(config.warnings.len(), "warning")));
    if let Some(provider) = &config.auth.openid_connect {
        say(&format!("Redirect URI to register at {}: {}", provider.name, provider.redirect_uri));
    }
    Ok(())
}
