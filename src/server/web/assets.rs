//! The static files of the pages. They are embedded in the release binary, so that a release is one
//! file. A debug build reads them from the directory that `.ci/site.mjs` builds.

use std::borrow::Cow;

use rust_embed::RustEmbed;

use crate::app::page_context::Assets;

/// The base name of the files (`NAME` in `.ci/site.mjs`, and `output-name` in Cargo.toml for `cargo
/// leptos watch`).
const NAME: &str = "mediamanager-auth";

#[derive(RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct Site;

/// A file as it is sent.
pub struct File {
    pub content: Cow<'static, [u8]>,
    pub media_type: &'static str,
    /// `Content-Encoding`, if the file is compressed.
    pub encoding: Option<&'static str>,
}

/// Finds a file by its path, in the smallest encoding that the client accepts. Only file types that
/// pages use are served.
pub fn get(path: &str, accepts: impl Fn(&str) -> bool) -> Option<File> {
    let media_type = match path.rsplit('.').next()? {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        _ => return None,
    };
    let compressed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(encoding, _)| accepts(encoding));
    let candidates = compressed
        .map(|(encoding, extension)| (Some(encoding), format!("{path}.{extension}")))
        .chain([(None, path.to_owned())]);
    candidates.into_iter().find_map(|(encoding, name)| {
        Some(File {
            content: Site::get(&name)?.data,
            media_type,
            encoding,
        })
    })
}

/// The URLs of the current files. They are empty if the site has not been built.
pub fn find() -> Assets {
    Assets {
        css: newest("css"),
        js: newest("js"),
        wasm: newest("wasm"),
    }
}

/// The newest file, because a rebuilt site directory may still contain older ones.
fn newest(extension: &str) -> String {
    let is_ours = |path: &str| {
        path.strip_prefix("pkg/")
            .is_some_and(|name| name.starts_with(NAME))
            && path.ends_with(&format!(".{extension}"))
    };
    let found = Site::iter()
        .filter(|path| is_ours(path))
        .max_by_key(|path| Site::get(path).and_then(|file| file.metadata.last_modified()));
    found.map_or_else(String::new, |path| format!("/{path}"))
}
