//! Every security requirement named in the code is explained in `docs/security-requirements.md`,
//! and every test named there exists.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const DOCUMENT: &str = "docs/security-requirements.md";
/// Files and directories that name requirements, besides [`DOCUMENT`].
const PLACES: [&str; 11] = [
    "src",
    "tests",
    "end2end",
    "docs",
    "benches",
    "examples",
    "fuzz",
    "README.md",
    "CHANGELOG.md",
    "config.example.toml",
    "deny.toml",
];
/// Directories with build output or downloads.
const IGNORED_DIRECTORIES: [&str; 7] = [
    "node_modules",
    "target",
    "artifacts",
    "corpus",
    "screenshots",
    "test-results",
    "playwright-report",
];
const HEADING: &str = "### ";

/// The content below one heading.
#[derive(Default)]
struct Requirement {
    title: String,
    text: Vec<String>,
    tests: Vec<String>,
    reason_for_none: Option<String>,
}

#[test]
fn every_requirement_that_is_named_is_in_the_document() {
    let known: BTreeSet<String> = requirements()
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    let mut unknown = Vec::new();
    for place in PLACES {
        for path in files(&root().join(place)) {
            let name = relative(&path);
            if name == DOCUMENT {
                continue;
            }
            // Binary files name no requirement.
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            unknown.extend(
                numbers(&text)
                    .into_iter()
                    .filter(|number| !known.contains(number))
                    .map(|number| format!("{name}: {number}")),
            );
        }
    }
    assert!(
        unknown.is_empty(),
        "not in {DOCUMENT}:\n{}",
        unknown.join("\n")
    );
}

#[test]
fn every_requirement_has_a_title_a_text_and_tests_or_a_reason() {
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (number, requirement) in requirements() {
        if !seen.insert(number.clone()) {
            faults.push(format!("{number} stands there twice"));
        }
        if requirement.title.is_empty() || requirement.text.is_empty() {
            faults.push(format!("{number} has no title or no text"));
        }
        let has_tests = !requirement.tests.is_empty();
        let has_reason = requirement
            .reason_for_none
            .as_ref()
            .is_some_and(|reason| !reason.is_empty());
        if has_tests == has_reason {
            faults.push(format!("{number} needs a line \"Tests:\" with names in backticks, or one \"No test:\" with a reason"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(
        seen.len() > 100,
        "{DOCUMENT} is no longer read as it is written: {} requirements",
        seen.len()
    );
}

#[test]
fn every_test_that_a_requirement_names_exists() {
    let tests = rust_tests();
    let mut texts = BTreeMap::new();
    let mut missing = Vec::new();
    for (number, requirement) in requirements() {
        for name in &requirement.tests {
            let exists = match name.split_once(": ") {
                Some((path, title)) => {
                    let text = texts.entry(path.to_owned()).or_insert_with(|| {
                        fs::read_to_string(root().join(path)).unwrap_or_default()
                    });
                    text.contains(title)
                }
                None => tests.contains(name),
            };
            if !exists {
                missing.push(format!("{number}: {name}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "there is no such test:\n{}",
        missing.join("\n")
    );
}

/// The requirements in the order of the document.
fn requirements() -> Vec<(String, Requirement)> {
    let document = fs::read_to_string(root().join(DOCUMENT)).unwrap();
    let mut found: Vec<(String, Requirement)> = Vec::new();
    let mut is_inside = false;
    for line in document.lines() {
        if line.starts_with('#') {
            is_inside = false;
        }
        if let Some(heading) = line.strip_prefix(HEADING) {
            let (number, title) = heading.split_once(' ').unwrap_or((heading, ""));
            assert_eq!(
                numbers(number),
                BTreeSet::from([number.to_owned()]),
                "a heading of another kind: {line}"
            );
            found.push((
                number.to_owned(),
                Requirement {
                    title: title.to_owned(),
                    ..Requirement::default()
                },
            ));
            is_inside = true;
            continue;
        }
        let Some((_, requirement)) = found.last_mut().filter(|_| is_inside) else {
            continue;
        };
        if let Some(names) = line.strip_prefix("Tests: ") {
            requirement.tests.extend(in_backticks(names));
        } else if let Some(reason) = line.strip_prefix("No test: ") {
            requirement.reason_for_none = Some(reason.to_owned());
        } else if !line.is_empty() && !line.starts_with("Open: ") {
            requirement.text.push(line.to_owned());
        }
    }
    found
}

fn in_backticks(line: &str) -> Vec<String> {
    line.split('`')
        .skip(1)
        .step_by(2)
        .map(ToOwned::to_owned)
        .collect()
}

/// The numbers of requirements in a text: `SR-` and three digits.
fn numbers(text: &str) -> BTreeSet<String> {
    let digits = |rest: &str| {
        rest.get(..3)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .map(ToOwned::to_owned)
    };
    text.match_indices("SR-")
        .filter_map(|(at, prefix)| digits(&text[at + prefix.len()..]))
        .map(|digits| format!("SR-{digits}"))
        .collect()
}

/// The names of all Rust tests: functions with a test attribute, and the entries of the tables
/// `each_…!` in `tests/it`.
fn rust_tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in ["src", "tests"]
        .into_iter()
        .flat_map(|place| files(&root().join(place)))
    {
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if is_test && let Some((_, name)) = line.split_once("fn ") {
                names.extend(name.split('(').next().map(ToOwned::to_owned));
                is_test = false;
            } else if let Some((name, _)) = line
                .split_once(": \"")
                .filter(|(name, rest)| is_identifier(name) && rest.contains("\", |"))
            {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// All files below a directory, or the file itself.
fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return if path.exists() {
            vec![path.to_owned()]
        } else {
            Vec::new()
        };
    }
    if path
        .file_name()
        .is_some_and(|name| IGNORED_DIRECTORIES.iter().any(|ignored| name == *ignored))
    {
        return Vec::new();
    }
    fs::read_dir(path)
        .unwrap()
        .flat_map(|entry| files(&entry.unwrap().path()))
        .collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap()
        .to_string_lossy()
        .replace('\\', "/")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
