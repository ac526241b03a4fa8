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

/// The event of every failed start.
const STARTUP_FAILED: &str = "startup_failed";

/// How long the shutdown waits for blocking work that cannot be interrupted, such as a DNS query to
/// a server that does not respond (SR-192).
const RUNTIME_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs the program with the arguments of the process. Building the runtime here and not in
/// `main.rs` compiles all asynchronous code once, in the library.
pub fn main(site: Site) -> ExitCode {
    let arguments = Arguments::parse();
    // The process's TLS provider is set explicitly, because rustls panics at its first use if two
    // providers are compiled in and none is set.
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
    let config = match load_config(arguments.config, is_start) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let result = match command {
        Command::Serve => serve::run(config, site).await,
        Command::Check(arguments) => check::run(&config, arguments).await,
        Command::Healthcheck => healthcheck::run(&config).await,
        // Handled above, before the configuration is read.
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

/// Reads the configuration and reports all problems, one line each (SR-200). Startup failures also
/// go to the log (SR-180), in its default format, because the configured log format may be the
/// error.
fn load_config(file: Option<PathBuf>, is_start: bool) -> Result<Config, ExitCode> {
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
        ExitCode::from(78) // EX_CONFIG of sysexits.h tells a service manager not to try again.
    })
}

fn plural(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Prints a line to standard output. A closed pipe is ignored, because it must not stop the server.
fn print(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

/// Reports an error of a start to the log if it logs errors, and any other error to standard error.
fn report_error(is_start: bool, event: &str, line: &str) {
    if is_start && tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(event, "{line}");
    } else {
        let _ = writeln!(stderr(), "{line}");
    }
}
