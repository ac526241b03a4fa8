//! The program: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use mediamanager_auth::server::commands::{self, Arguments};
use mimalloc::MiMalloc;

/// Rendering a page is thousands of small allocations: half as many again pages a second as with the system's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Chosen here, once: two providers in one program would make TLS panic later.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return ExitCode::FAILURE;
    }
    commands::run(arguments).await
}
