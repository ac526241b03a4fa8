use std::io::{IsTerminal, stdin};

use clap::{Args, Subcommand};

use super::{plural, print};
use crate::{
    domain::{Email, Password, UserFilter},
    server::{
        AppState,
        clock::{Clock, format_rfc3339},
        config::Config,
        crypto::password_hasher::Argon2Params,
        flows::{
            Ctx,
            password_reset::{self, ResetLink},
            users::{
                Role, UserUpdate,
                cli::{self, NewCliUser},
            },
        },
        telemetry::log,
    },
    text::en::error_message,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an account; the password is asked for, or read as one line from standard input
    Create(Create),
    /// Show who has an account, what they may do, and when they logged in last
    List(List),
    /// Let somebody who waits for approval use the application
    Approve { email: String },
    /// Keep somebody out: their sessions and links end at once, nothing is deleted
    Disable { email: String },
    /// Let somebody in again who was disabled
    Enable { email: String },
    /// Make somebody an administrator
    Promote { email: String },
    /// Make an administrator an ordinary member
    Demote { email: String },
    /// Log somebody out everywhere
    Logout { email: String },
    /// Print a one-time link with which somebody chooses a new password; works without mail
    /// settings
    ResetLink { email: String },
}

#[derive(Args)]
pub(super) struct List {
    /// Only addresses that contain this
    #[arg(default_value = "")]
    search: String,
    /// Only who waits for approval
    #[arg(long, group = "which")]
    pending: bool,
    /// Only who is disabled
    #[arg(long, group = "which")]
    disabled: bool,
    /// Only administrators
    #[arg(long, group = "which")]
    admins: bool,
}

#[derive(Args)]
pub(super) struct Create {
    email: String,
    /// Make an administrator
    #[arg(long, conflicts_with = "pending")]
    admin: bool,
    /// Leave the account waiting for an administrator's approval
    #[arg(long)]
    pending: bool,
}

/// `user …`: changes the database directly, which is safe while the server is running.
pub(super) async fn run(config: Config, command: Command) -> Result<(), String> {
    // Events of the CLI are logged too (SR-180), but not the database library's info messages.
    log::start(config.server.log_format, "warn,mediamanager_auth=info");
    match command {
        Command::Create(arguments) => create(config, arguments).await,
        Command::List(arguments) => list(config, arguments).await,
        Command::Approve { email } => {
            update(
                config,
                &email,
                UserUpdate {
                    is_verified: Some(true),
                    ..UserUpdate::default()
                },
                "is approved",
            )
            .await
        }
        Command::Disable { email } => {
            update(
                config,
                &email,
                UserUpdate {
                    is_active: Some(false),
                    ..UserUpdate::default()
                },
                "is disabled",
            )
            .await
        }
        Command::Enable { email } => {
            update(
                config,
                &email,
                UserUpdate {
                    is_active: Some(true),
                    ..UserUpdate::default()
                },
                "is enabled",
            )
            .await
        }
        Command::Promote { email } => {
            let administrator = UserUpdate {
                is_superuser: Some(true),
                is_verified: Some(true),
                ..UserUpdate::default()
            };
            update(config, &email, administrator, "is now an administrator").await
        }
        Command::Demote { email } => {
            update(
                config,
                &email,
                UserUpdate {
                    is_superuser: Some(false),
                    ..UserUpdate::default()
                },
                "is now a member",
            )
            .await
        }
        Command::Logout { email } => revoke_sessions(config, &email).await,
        Command::ResetLink { email } => create_reset_link(config, &email).await,
    }
}

async fn update(config: Config, email: &str, update: UserUpdate, done: &str) -> Result<(), String> {
    let email = Email::parse_existing(email).map_err(error_message)?;
    let state = AppState::new(config, Argon2Params::STANDARD, Clock::System).await?;
    let user = cli::update_user(&Ctx::cli(&state), &email, update)
        .await
        .map_err(error_message)?
        .ok_or_else(|| no_such_user(&email))?;
    print(&format!("{} {done}.", user.email));
    Ok(())
}

async fn revoke_sessions(config: Config, email: &str) -> Result<(), String> {
    let email = Email::parse_existing(email).map_err(error_message)?;
    let state = AppState::new(config, Argon2Params::STANDARD, Clock::System).await?;
    let ended = cli::revoke_sessions(&Ctx::cli(&state), &email)
        .await
        .map_err(error_message)?
        .ok_or_else(|| no_such_user(&email))?;
    print(&format!(
        "{email} is logged out everywhere ({}).",
        plural(usize::try_from(ended).unwrap_or(usize::MAX), "session")
    ));
    Ok(())
}

/// Prints one line a user with tab-separated columns for `cut` and `awk`: address, status, role,
/// last login.
async fn list(config: Config, arguments: List) -> Result<(), String> {
    let state = AppState::new(config, Argon2Params::STANDARD, Clock::System).await?;
    let filter = match (arguments.pending, arguments.disabled, arguments.admins) {
        (true, ..) => UserFilter::Pending,
        (_, true, _) => UserFilter::Disabled,
        (_, _, true) => UserFilter::Administrators,
        _ => UserFilter::All,
    };
    for (user, account) in cli::list_users(&Ctx::cli(&state), filter, &arguments.search)
        .await
        .map_err(error_message)?
    {
        let status = match (user.is_active, user.is_verified) {
            (false, _) => "disabled",
            (true, false) => "pending",
            (true, true) => "active",
        };
        let role = if user.is_superuser {
            "administrator"
        } else {
            "member"
        };
        let last_login = account
            .and_then(|account| account.last_login_at)
            .map_or_else(|| "never".to_owned(), format_rfc3339);
        print(&format!(
            "{}\t{status}\t{role}\t{last_login}",
            user.email.escape_debug()
        ));
    }
    Ok(())
}

fn no_such_user(email: &Email) -> String {
    format!("Nobody has the address {email}.")
}

async fn create_reset_link(config: Config, email: &str) -> Result<(), String> {
    let email = Email::parse_existing(email).map_err(error_message)?;
    let state = AppState::new(config, Argon2Params::STANDARD, Clock::System).await?;
    match password_reset::create_reset_link_by_email(&Ctx::cli(&state), &email)
        .await
        .map_err(error_message)?
    {
        // The link is printed because the operator asked for it, and never logged.
        Some(ResetLink { link, lifetime }) => print(&format!(
            "Hand this to {email}; it works once, for {} minutes:\n{link}",
            lifetime / 60
        )),
        None => return Err(format!("Nobody active has the address {email}.")),
    }
    Ok(())
}

async fn create(config: Config, arguments: Create) -> Result<(), String> {
    let email = Email::parse(&arguments.email).map_err(error_message)?;
    let password = read_password()?;
    let role = match (arguments.admin, arguments.pending) {
        (true, _) => Role::Administrator,
        (false, true) => Role::Pending,
        (false, false) => Role::Member,
    };
    let state = AppState::new(config, Argon2Params::STANDARD, Clock::System).await?;
    let user = cli::create_user(
        &Ctx::cli(&state),
        NewCliUser {
            email,
            password,
            role,
        },
    )
    .await
    .map_err(error_message)?;
    let role_text = match role {
        Role::Administrator => "an administrator",
        Role::Member => "a member",
        Role::Pending => "waiting for approval",
    };
    print(&format!("{} is now {role_text}.", user.email));
    Ok(())
}

/// Reads a password from the terminal without echo, or one line from a pipe. It is not an argument,
/// because every user of the machine can read the arguments of a process.
fn read_password() -> Result<Password, String> {
    let read_error = |err: std::io::Error| format!("cannot read the password: {err}");
    if stdin().is_terminal() {
        return rpassword::prompt_password("Password: ")
            .map(Password::new)
            .map_err(read_error);
    }
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(read_error)?;
    Ok(Password::new(
        line.trim_end_matches(['\n', '\r']).to_owned(),
    ))
}
