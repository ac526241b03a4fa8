use clap::Args;

use super::{plural, print};
use crate::server::{
    clock::Clock,
    config::Config,
    diagnostics::CheckStatus,
    flows::{default_password, diagnostics},
    mailer::Mailer,
    oidc::Providers,
};

#[derive(Args)]
pub(super) struct Check {
    /// Read the configuration only, and ask nobody
    #[arg(long)]
    offline: bool,
}

/// `check`: prints the configuration's warnings and the result of every diagnostic check. Fails if
/// a check does.
pub(super) async fn run(config: &Config, arguments: Check) -> Result<(), String> {
    if arguments.offline {
        for warning in &config.warnings {
            print(&format!("warning: {warning}"));
        }
    }
    print(&format!(
        "The configuration is fine, with {}.",
        plural(config.warnings.len(), "warning")
    ));
    for provider in &config.auth.providers {
        print(&format!(
            "Redirect URI to register at {}: {}",
            provider.name, provider.redirect_uri
        ));
    }
    if arguments.offline {
        return Ok(());
    }
    let providers = Providers::new(&config.auth.providers, &Clock::System)?;
    let mut results = diagnostics::run_checks(config, &providers, &Mailer::new(config)?).await;
    results.extend(default_password::check_database(config).await);
    for result in &results {
        print(&result.to_string());
    }
    match results
        .iter()
        .filter(|result| result.status == CheckStatus::Error)
        .count()
    {
        0 => Ok(()),
        errors => Err(format!(
            "{} wrong; each line above ends with what to change",
            plural(errors, "thing")
        )),
    }
}
