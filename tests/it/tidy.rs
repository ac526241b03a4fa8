//! House rules a machine can check: the imports between rooms, the places of `cfg(feature)` and of
//! page paths, and the length of files.

mod browser_pages;
mod imports;
mod rooms;

use std::{fs, path::Path};

use mediamanager_auth::app::paths;
use syn::visit::Visit;

/// A file that is longer is two things.
const MAX_LINES: usize = 400;

#[test]
fn pages_reach_the_server_only_inside_server_functions() {
    let mut faults = Vec::new();
    for (file, text) in sources("src/app").into_iter().chain(sources("src/app.rs")) {
        let syntax = syn::parse_file(&text).expect(&file);
        let mut imports = imports::Imports::of_module(&file);
        for item in &syntax.items {
            if let syn::Item::Use(import) = item {
                imports.visit_item_use(import);
            }
        }
        let names_server = |path: &Vec<String>| path.get(1).is_some_and(|room| room == "server");
        if imports.found.iter().any(names_server) {
            faults.push(file);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
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
