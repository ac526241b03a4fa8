//! The command line, one file a subcommand.

use std::{
    io::{Write, stderr, stdout},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{CommandFactory, Parser, Subcommand};
use tokio::runtime::Runtime;

use crate::server::{
    config::{self, Config, LogFormat, Sources},
    telemetry::log,
    web::assets::Site,
};

pub mod check;
pub mod healthcheck;
pub mod import;
pub mod mail;
pub mod serve;
pub mod user;

/// The login front door of MediaManager.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// The configuration file [default: $CONFIG_FILE, else $CONFIG_DIR/config.toml, else
    /// ./config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the login pages (the default)
    Serve,
    /// Read the configuration, look at database, provider and mail server, say everything that is
    /// wrong, and stop
    Check(check::Check),
    /// Ask the running program whether it can do its work; for containers
    Healthcheck,
    /// Print the completions of a shell
    Completions { shell: clap_complete::Shell },
    /// Manage users from the shell
    #[command(subcommand)]
    User(user::Command),
    /// Copy the people of a MediaManager whose database is not shared with this program
    Import(import::Import),
    /// Try the mail settings
    #[command(subcommand)]
    Mail(mail::Command),
}

/// The event of every reason for which a start ends.
const STARTUP_FAILED: &str = "startup_failed";

/// How long the end waits for work that cannot be interrupted, such as a request to a name server
/// that does not answer (SR-192).
const RUNTIME_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs the program with the arguments of the process. Building the runtime here and not in
/// `main.rs` compiles all asynchronous code once, in the library.
pub fn main(site: Site) -> ExitCode {
    let arguments = Arguments::parse();
    // Chosen here, once: two providers in one program would make TLS panic later.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    let Ok(runtime) = Runtime::new() else {
        return ExitCode::FAILURE;
    };
    let code = runtime.block_on(run(arguments, site));
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN_TIMEOUT);
    code
}

async fn run(arguments: Arguments, site: Site) -> ExitCode {
    if let Some(Command::Completions { shell }) = arguments.command {
        let mut program = Arguments::command();
        clap_complete::generate(shell, &mut program, "mediamanager-auth", &mut stdout());
        return ExitCode::SUCCESS;
    }
    let command = arguments.command.unwrap_or(Command::Serve);
    let is_start = matches!(command, Command::Serve);
    let config = match load(arguments.config, is_start) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let result = match command {
        Command::Serve => serve::run(config, site).await,
        Command::Check(arguments) => check::run(&config, arguments).await,
        Command::Healthcheck => healthcheck::run(&config).await,
        // It needs no configuration, and has been done by now.
        Command::Completions { .. } => Ok(()),
        Command::User(command) => user::run(config, command).await,
        Command::Import(arguments) => import::run(config, arguments).await,
        Command::Mail(command) => mail::run(&config, command).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            report_error(is_start, STARTUP_FAILED, &reason);
            ExitCode::FAILURE
        }
    }
}

/// Reads the configuration; every problem is one line, all of them at once (SR-200). Those that
/// stop a start stand in the log (SR-180), as it is without any configuration: how it should look
/// may be what is wrong.
fn load(file: Option<PathBuf>, is_start: bool) -> Result<Config, ExitCode> {
    config::load(&Sources::from_process(file)).map_err(|problems| {
        if is_start {
            log::start(LogFormat::Auto, "info");
        }
        for problem in &problems {
            report_error(is_start, "configuration_error", &problem.to_string());
        }
        report_error(
            is_start,
            STARTUP_FAILED,
            &format!(
                "{} in the configuration; nothing was started",
                plural(problems.len(), "problem")
            ),
        );
        ExitCode::from(78) // EX_CONFIG of sysexits.h: a service manager need not try again.
    })
}

fn plural(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Says something to the person at the terminal. That nobody listens (a closed pipe) is no reason
/// to stop serving.
fn print(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

/// Says what is wrong: of a start in the log, if that says anything; else to the person at the
/// terminal.
fn report_error(is_start: bool, event: &str, line: &str) {
    if is_start && tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(event, "{line}");
    } else {
        let _ = writeln!(stderr(), "{line}");
    }
}
