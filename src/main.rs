//! The program: arguments in, exit code out. Everything else is in the library.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use mediamanager_auth::server::cli::{self, Arguments};
use tokio::runtime::Runtime;

/// How long the end waits for what cannot be interrupted, such as asking a name server that is
/// silent (SR-192).
const RUNTIME_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
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
    let code = runtime.block_on(cli::run(arguments));
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN_TIMEOUT);
    code
}
