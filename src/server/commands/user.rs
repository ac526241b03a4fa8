use std::io::{IsTerminal, stdin};

use clap::{Args, Subcommand};

use super::{say, start_log};
use crate::{
    domain::Email,
    server::{
        AppState,
        clock::Clock,
        config::Config,
        flows::{
            new_password::NewPassword,
            password_reset::{self, HandedOver},
            users::{self, Role},
        },
        hasher::Cost,
    },
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an account; the password is asked for, or read as one line from standard input
    Create(Create),
    /// Let somebody who waits for approval use the application
    Approve { email: String },
    /// Print a one-time link with which somebody chooses a new password; works without mail settings
    ResetLink { email: String },
}

#[derive(Args)]
pub(super) struct Create {
    email: String,
    /// Make an administrator
    #[arg(long, conflicts_with = "waiting")]
    admin: bool,
    /// Leave the account waiting for an administrator's approval
    #[arg(long)]
    waiting: bool,
}

/// `user …`: works on the database directly, also while the program is running.
pub(super) async fn run(config: Config, command: Command) -> Result<(), String> {
    // What happens to accounts is logged from the shell too (SR-180), without the database's own chatter.
    start_log(&config, "warn,mediamanager_auth=info");
    match command {
        Command::Create(create) => make(config, create).await,
        Command::Approve { email } => approve(config, &email).await,
        Command::ResetLink { email } => reset_link(config, &email).await,
    }
}

async fn approve(config: Config, email: &str) -> Result<(), String> {
    let email = Email::parse(email).map_err(|err| err.to_string())?;
    let state = AppState::new(config, Cost::STANDARD, Clock::System).await?;
    match users::approve(&state, &email).await.map_err(|err| err.to_string())? {
        Some(user) => say(&format!("{} is approved.", user.email)),
        None => return Err(format!("Nobody has the address {email}.")),
    }
    Ok(())
}

async fn reset_link(config: Config, email: &str) -> Result<(), String> {
    let email = Email::parse(email).map_err(|err| err.to_string())?;
    let state = AppState::new(config, Cost::STANDARD, Clock::System).await?;
    match password_reset::handed_over_link(&state, &email).await.map_err(|err| err.to_string())? {
        // Like the setup link: the one thing the person at the terminal has asked for, and never in the log.
        Some(HandedOver { link, lifetime }) => say(&format!("Hand this to {email}; it works once, for {} minutes:\n{link}", lifetime / 60)),
        None => return Err(format!("Nobody active has the address {email}.")),
    }
    Ok(())
}

async fn make(config: Config, create: Create) -> Result<(), String> {
    let email = Email::parse(&create.email).map_err(|err| err.to_string())?;
    let password = NewPassword::parse(ask_password()?, email.as_str(), &config).map_err(|err| err.to_string())?;
    let role = match (create.admin, create.waiting) {
        (true, _) => Role::Administrator,
        (false, true) => Role::Waiting,
        (false, false) => Role::Member,
    };
    let state = AppState::new(config, Cost::STANDARD, Clock::System).await?;
    let user = users::create(&state, email, password, role).await.map_err(|err| err.to_string())?;
    let can = match role {
        Role::Administrator => "an administrator",
        Role::Member => "a member",
        Role::Waiting => "waiting for approval",
    };
    say(&format!("{} is now {can}.", user.email));
    Ok(())
}

/// Asked for without showing it, or one line of a pipe; never an argument, which everybody on the machine could read.
fn ask_password() -> Result<String, String> {
    let fault = |err: std::io::Error| format!("cannot read the password: {err}");
    if stdin().is_terminal() {
        return rpassword::prompt_password("Password: ").map_err(fault);
    }
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(fault)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
