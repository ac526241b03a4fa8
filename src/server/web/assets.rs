//! The static files of the pages. `src/main.rs` embeds them in the release binary, so that a release
//! is one file. A debug build reads them from the directory that `.ci/site.mjs` builds.

use std::borrow::Cow;

use rust_embed::{EmbeddedFile, RustEmbed};

use crate::app::page_context::Assets;

/// The base name of the files (`NAME` in `.ci/site.mjs`, and `output-name` in Cargo.toml for `cargo
/// leptos watch`).
const NAME: &str = "mediamanager-auth";

/// The files that `.ci/site.mjs` has built.
#[derive(Clone, Copy)]
pub struct Site {
    get: fn(&str) -> Option<EmbeddedFile>,
    paths: fn() -> Vec<Cow<'static, str>>,
}

/// A file as it is sent.
pub struct File {
    pub content: Cow<'static, [u8]>,
    pub media_type: &'static str,
    /// `Content-Encoding`, if the file is compressed.
    pub encoding: Option<&'static str>,
}

impl Site {
    /// The files that a type embeds.
    pub fn embedded<E: RustEmbed>() -> Self {
        Self {
            get: E::get,
            paths: || E::iter().collect(),
        }
    }

    /// No files, for commands that serve no pages.
    pub fn none() -> Self {
        Self {
            get: |_| None,
            paths: Vec::new,
        }
    }

    /// Finds a file by its path, in the smallest encoding that the client accepts. Only file types that
    /// pages use are served.
    pub fn file(&self, path: &str, accepts: impl Fn(&str) -> bool) -> Option<File> {
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
                content: (self.get)(&name)?.data,
                media_type,
                encoding,
            })
        })
    }

    /// The URLs of the current files. They are empty if the site has not been built.
    pub fn assets(&self) -> Assets {
        Assets {
            css: self.newest("css"),
            js: self.newest("js"),
            wasm: self.newest("wasm"),
        }
    }

    /// The newest file, because a rebuilt site directory may still contain older ones.
    fn newest(&self, extension: &str) -> String {
        let is_ours = |path: &str| {
            path.strip_prefix("pkg/")
                .is_some_and(|name| name.starts_with(NAME))
                && path.ends_with(&format!(".{extension}"))
        };
        let found = (self.paths)()
            .into_iter()
            .filter(|path| is_ours(path))
            .max_by_key(|path| (self.get)(path).and_then(|file| file.metadata.last_modified()));
        found.map_or_else(String::new, |path| format!("/{path}"))
    }
}
