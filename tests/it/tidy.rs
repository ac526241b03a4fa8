//! House rules a machine can check: the imports between rooms, the places of `cfg(feature)` and of
//! page paths, and the length of files.

use std::{fs, path::Path};

use mediamanager_auth::app::paths;

/// A file that is longer is two things.
const MAX_LINES: usize = 400;

/// Rooms by path prefix, and what their files must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "src/domain",
        &[
            "crate::app",
            "crate::islands",
            "crate::server",
            "crate::text",
            "leptos",
            "axum",
            "sea_orm::",
            "tokio",
            "std::fs",
            "std::env",
            "std::net",
            "std::time",
        ],
    ),
    (
        "src/text",
        &[
            "crate::app",
            "crate::islands",
            "crate::server",
            "leptos",
            "axum",
            "sea_orm::",
            "tokio",
            "std::fs",
            "std::env",
            "std::net",
            "std::time",
        ],
    ),
    (
        // Compiled for the browser: without the prefix, so that a grouped import is found too.
        "src/islands",
        &["app::", "server::", "text::", "axum", "sea_orm::", "tokio"],
    ),
    (
        "src/app",
        &[
            "axum",
            "sea_orm::",
            "tokio",
            "crate::server::db",
            "crate::server::web::api",
            "crate::server::config",
        ],
    ),
    (
        "src/server/flows",
        &[
            "axum",
            "leptos",
            "sea_orm::",
            "crate::app",
            "server::web",
            "http::",
        ],
    ),
    (
        "src/server/db",
        &[
            "axum",
            "leptos",
            "crate::app",
            "server::flows",
            "server::web",
            "server::config",
        ],
    ),
    (
        "src/server/config",
        &[
            "axum",
            "leptos",
            "sea_orm::",
            "crate::app",
            "server::db",
            "server::flows",
            "server::web",
        ],
    ),
    ("src/server/clock.rs", &["crate::server", "crate::app"]),
    (
        "src/server/crypto/password_hasher.rs",
        &[
            "axum",
            "leptos",
            "crate::app",
            "server::db",
            "server::flows",
            "server::web",
        ],
    ),
    (
        "src/server/crypto/tokens.rs",
        &[
            "axum",
            "leptos",
            "crate::app",
            "server::db",
            "server::flows",
            "server::web",
        ],
    ),
    (
        "src/server/oidc",
        &[
            "axum",
            "leptos",
            "crate::app",
            "server::db",
            "server::flows",
            "server::web",
        ],
    ),
    (
        "src/server/mailer",
        &[
            "axum",
            "leptos",
            "crate::app",
            "server::db",
            "server::flows",
            "server::web",
        ],
    ),
    ("src/server/web", &["sea_orm::"]),
    ("src/server/cli", &["sea_orm::", "leptos::"]),
];

#[test]
fn rooms_import_only_what_they_may() {
    let mut faults = Vec::new();
    for (path, text) in sources("src") {
        for (_, words) in FORBIDDEN.iter().filter(|(room, _)| path.starts_with(room)) {
            for (number, line) in code_lines(&text) {
                for word in words.iter().filter(|word| names(line, word)) {
                    faults.push(format!("{path}:{number} names {word}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn pages_reach_the_server_only_inside_server_functions() {
    let mut faults = Vec::new();
    for (path, text) in sources("src/app").into_iter().chain(sources("src/app.rs")) {
        for (number, line) in code_lines(&text) {
            // A server function's body is indented; an import at the top of a file is not.
            if line.starts_with("use ") && line.contains("server::") && !line.contains("leptos") {
                faults.push(format!("{path}:{number}"));
            }
            if line.trim_start().starts_with("server::") && !text.contains("#[server(") {
                faults.push(format!("{path}:{number}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn only_the_database_room_names_the_database_library() {
    let rooms = ["src/server/db/", "src/server/db.rs"];
    let faults: Vec<_> = sources("src")
        .into_iter()
        .filter(|(path, text)| {
            text.contains("sea_orm::") && !rooms.iter().any(|room| path.starts_with(room))
        })
        .map(|(path, _)| path)
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn features_are_asked_for_in_one_file_only() {
    let places: Vec<_> = sources("src")
        .into_iter()
        .flat_map(|(path, text)| {
            text.lines()
                .filter(|line| line.contains("cfg(feature"))
                .map(|line| format!("{path}: {line}"))
                .collect::<Vec<_>>()
        })
        .collect();
    let server = "src/lib.rs: #[cfg(feature = \"ssr\")]";
    assert_eq!(
        places,
        [
            server,
            server,
            server,
            "src/lib.rs: #[cfg(feature = \"hydrate\")]"
        ]
    );
}

#[test]
fn no_file_is_two_things() {
    let long: Vec<_> = ["src", "tests"]
        .into_iter()
        .flat_map(sources)
        .filter(|(_, text)| text.lines().count() > MAX_LINES)
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn the_names_of_the_field_are_kept() {
    for (path, text) in sources("src") {
        for (number, line) in code_lines(&text) {
            let declared = ["struct ", "enum ", "trait "].iter().find_map(|keyword| {
                line.trim_start()
                    .trim_start_matches("pub ")
                    .strip_prefix(keyword)
            });
            let Some(name) =
                declared.and_then(|rest| rest.split(|c: char| !c.is_alphanumeric()).next())
            else {
                continue;
            };
            for word in ["Manager", "Service", "Helper", "Util", "Dto", "Impl"] {
                assert!(!name.ends_with(word), "{path}:{number}: {name}");
            }
        }
    }
}

#[test]
fn a_flow_has_four_parameters_at_most() {
    let mut faults = Vec::new();
    for (path, text) in sources("src/server/flows")
        .into_iter()
        .chain(sources("src/server/flows.rs"))
    {
        for (at, _) in text.match_indices("async fn ") {
            let Some(name) = text[at + "async fn ".len()..]
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .filter(|name| !name.is_empty())
            else {
                continue;
            };
            let Some(list) = text[at..]
                .split_once('(')
                .and_then(|(_, rest)| parameters(rest))
            else {
                continue;
            };
            if list > 4 {
                faults.push(format!("{path}: {name} has {list}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// How many parameters stand before the parenthesis that closes them.
fn parameters(text: &str) -> Option<usize> {
    let (mut depth, mut count, mut is_empty) = (0, 0, true);
    for c in text.chars() {
        match c {
            ')' if depth == 0 => return Some(count + usize::from(!is_empty)),
            '(' | '[' | '<' => depth += 1,
            ')' | ']' | '>' => depth -= 1,
            ',' if depth == 0 => {
                count += 1;
                is_empty = true;
                continue;
            }
            _ => {}
        }
        is_empty &= c.is_whitespace();
    }
    None
}

#[test]
fn a_page_has_its_path_in_one_place() {
    let mut faults = Vec::new();
    // The list in `return_to` is of prefixes, and has more than pages.
    let elsewhere = |path: &str| {
        !["src/app/paths.rs", "src/domain/return_to.rs"].contains(&path) && !path.contains("/tests")
    };
    for (path, text) in sources("src")
        .into_iter()
        .filter(|(path, _)| elsewhere(path))
    {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in
            code_lines(code).filter(|(_, line)| !line.trim_start().starts_with("#["))
        {
            for page in paths::ALL.into_iter().filter(|page| **page != paths::INDEX) {
                let literal = format!("\"{}", page.path);
                let is_named = line
                    .split(&literal)
                    .skip(1)
                    .any(|rest| rest.starts_with(['"', '?', '/', '#']));
                if is_named {
                    faults.push(format!("{path}:{number} names {}", page.path));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether a line of code names a path: as a whole word, so that `leptos` is not found in
/// `mediamanager_leptos`.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let is_inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !is_inside(before) && (word.ends_with(':') || !is_inside(after))
    })
}

/// The numbered lines that are no comments.
pub fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

pub fn sources(path: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(&root.join(path), root, &mut found);
    found.sort();
    found
}

fn collect(path: &Path, root: &Path, found: &mut Vec<(String, String)>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), root, found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push((
            path.strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/"),
            fs::read_to_string(path).unwrap(),
        ));
    }
}
