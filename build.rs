//! The built site is a part of the release program (`src/server/web/assets.rs`): another site is
//! another program.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LEPTOS_OUTPUT_NAME");
    // A path that is not there would make every build run again.
    if Path::new("target/site/pkg").is_dir() {
        println!("cargo::rerun-if-changed=target/site/pkg");
    }
}
