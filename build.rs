//! The built site is a part of the release program (`src/server/web/assets.rs`): another site is
//! another program.

const SITE: &str = "target/site/pkg";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The browser's side must not depend on the site that is made of it, and a debug build reads
    // the site at run time.
    let embeds_site = std::env::var_os("CARGO_FEATURE_SSR").is_some()
        && std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if embeds_site {
        // Cargo would run every build again for a path that does not exist, and a site that is not
        // watched would not be embedded once it exists.
        if let Err(error) = std::fs::create_dir_all(SITE) {
            println!("cargo::warning={SITE}: {error}");
        }
        println!("cargo::rerun-if-changed={SITE}");
    }
}
