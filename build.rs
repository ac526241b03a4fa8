//! The program embeds the built site (`src/main.rs`) and is compiled again when the file below
//! changes, which `.ci/site.mjs` writes. It has to exist before the first site is built.

use std::{fs, path::Path};

const BUILT_FROM: &str = "target/site-work/built-from";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let built_from = Path::new(BUILT_FROM);
    let folder = built_from.parent().map_or(Ok(()), fs::create_dir_all);
    if !built_from.exists()
        && let Err(error) = folder.and_then(|()| fs::write(built_from, ""))
    {
        println!("cargo::warning={BUILT_FROM}: {error}");
    }
}
