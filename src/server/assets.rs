use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use crate::app::Assets;

/// The name cargo-leptos gives our files (`output-name` in Cargo.toml).
const NAME: &str = "mediamanager-auth";

/// The directory of the built site: `LEPTOS_SITE_ROOT`, else `site` beside the program, else where cargo-leptos builds it.
#[must_use]
pub fn site_root() -> PathBuf {
    if let Some(root) = env::var_os("LEPTOS_SITE_ROOT") {
        return root.into();
    }
    let beside = env::current_exe().ok().and_then(|program| Some(program.parent()?.join("site"))).filter(|site| site.is_dir());
    beside.unwrap_or_else(|| "target/site".into())
}

/// Finds our files under their current names. A rebuilt site may still hold older ones: the newest counts.
///
/// # Errors
/// When the directory cannot be read or lacks a file.
pub fn find(site_root: &Path) -> io::Result<Assets> {
    let packages = site_root.join("pkg");
    Ok(Assets { css: newest(&packages, "css")?, js: newest(&packages, "js")?, wasm: newest(&packages, "wasm")? })
}

fn newest(packages: &Path, extension: &str) -> io::Result<String> {
    let mut found = None;
    for entry in fs::read_dir(packages)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(NAME) && name.ends_with(&format!(".{extension}")) {
            let candidate = (entry.metadata()?.modified()?, name);
            found = found.max(Some(candidate));
        }
    }
    let (_, name) = found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no {NAME}.*.{extension} in {}", packages.display())))?;
    Ok(format!("/pkg/{name}"))
}
