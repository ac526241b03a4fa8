//! The program: the embedded files, and a call of the library. The files are embedded here, because a
//! new site then compiles this file alone again.

use std::process::ExitCode;

use mediamanager_auth::server::{cli, web::assets::Site};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct BuiltSite;

/// `.ci/site.mjs` writes this file with every new site, so that Cargo compiles this one again.
const _: &[u8] = include_bytes!("../target/site-work/built-from");

fn main() -> ExitCode {
    cli::main(Site::embedded::<BuiltSite>())
}
