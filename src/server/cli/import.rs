use clap::Args;

use super::{plural, print};
use crate::server::{
    AppState,
    clock::Clock,
    config::Config,
    crypto::password_hasher::Argon2Params,
    flows::{Ctx, default_password, import},
    telemetry::log,
};

#[derive(Args)]
pub(super) struct Import {
    /// MediaManager's database: postgres://user@host/database. The password comes from PGPASSWORD
    /// or ~/.pgpass, where only you can read it
    #[arg(long, value_name = "URL")]
    from: String,
}

/// `import`: copies the users of a MediaManager whose database is not shared.
pub(super) async fn run(config: Config, arguments: Import) -> Result<(), String> {
    log::start(config.server.log_format, "warn");
    let state = AppState::new(config, Argon2Params::STANDARD, Clock::System).await?;
    let report = import::import_mediamanager(&Ctx::cli(&state), &arguments.from).await?;
    print(&format!(
        "Copied {} and {}.",
        plural(report.users, "user"),
        plural(report.links, "provider account")
    ));
    if report.known_users > 0 {
        print(&format!(
            "Here already, and left as they are: {}.",
            plural(report.known_users, "user")
        ));
    }
    if !report.default_passwords.is_empty() {
        let addresses = report.default_passwords.iter().map(String::as_str);
        print(&format!(
            "INSECURE: {}; {}.",
            default_password::describe(addresses),
            default_password::HINT
        ));
    }
    for email in &report.refused {
        print(&format!(
            "Not copied: {}, because another account here has this address.",
            email.escape_debug()
        ));
    }
    Ok(())
}
