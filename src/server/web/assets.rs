//! The files that browsers fetch. They are a part of the release program, so that a release is one
//! file; a debug build reads them from where `.ci/site.mjs` builds them.

use std::borrow::Cow;

use rust_embed::RustEmbed;

use crate::app::page_context::Assets;

/// The name of our files (`NAME` in `.ci/site.mjs`, and `output-name` in Cargo.toml for
/// `cargo leptos watch`).
const NAME: &str = "mediamanager-auth";

#[derive(RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct Site;

/// One file, as it goes out.
pub struct File {
    pub content: Cow<'static, [u8]>,
    pub media_type: &'static str,
    /// `Content-Encoding`, if it is compressed.
    pub encoding: Option<&'static str>,
}

/// A file by its path in the site, in the smallest form that the client takes. Only what a page can
/// ask for.
pub fn get(path: &str, takes: impl Fn(&str) -> bool) -> Option<File> {
    let media_type = match path.rsplit('.').next()? {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        _ => return None,
    };
    let compressed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(encoding, _)| takes(encoding));
    let forms = compressed
        .map(|(encoding, extension)| (Some(encoding), format!("{path}.{extension}")))
        .chain([(None, path.to_owned())]);
    forms.into_iter().find_map(|(encoding, name)| {
        Some(File {
            content: Site::get(&name)?.data,
            media_type,
            encoding,
        })
    })
}

/// The addresses of our files under their current names. Empty where there is none: then the site
/// was never built.
pub fn find() -> Assets {
    Assets {
        css: newest("css"),
        js: newest("js"),
        wasm: newest("wasm"),
    }
}

/// A rebuilt site may still hold older files: the newest counts.
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
