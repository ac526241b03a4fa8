//! The text of pages is in `src/text` and nowhere else.

use crate::tidy::{code_lines, sources};

/// String literals of several words outside `src/text` that are no text of a page.
const NO_PAGE_TEXT: &[(&str, &[&str])] = &[
    // A shell command.
    (
        "src/app/setup.rs",
        &["mediamanager-auth user create --admin you@example.org"],
    ),
    // The value of a meta element, and a script.
    ("src/app/ui/layout.rs", &["light dark", "let begun;\\"]),
    // CSS classes.
    ("src/app/users/details.rs", &["button danger"]),
    // Ids of elements.
    (
        "src/islands/password_field.rs",
        &["password-hint password-error"],
    ),
    // Plain-text answers to machines.
    ("src/server/web/health.rs", &["not ready"]),
    (
        "src/server/web/middleware/request_limits.rs",
        &["URI Too Long", "Request Header Fields Too Large"],
    ),
    ("src/server/web/static_files.rs", &["Not Found"]),
    // The log.
    (
        "src/server/web/cookies.rs",
        &[
            "a browser has two cookies of the name policy.cookie_name, or one that cannot be read, and counts as logged out; another program of the domain may have set it",
            "a browser sends a cookie that cannot be read; another program of the domain has set it",
        ],
    ),
    // Details of an event in the log.
    (
        "src/server/web/middleware/csrf.rs",
        &["no origin", "from {:?} instead of {:?}"],
    ),
    (
        "src/server/web/oidc_callback.rs",
        &["this browser has no attempt with the state of the answer"],
    ),
];

#[test]
fn the_text_of_pages_is_in_one_place() {
    let rooms = ["src/app", "src/islands", "src/server/web"];
    let files = rooms
        .into_iter()
        .flat_map(|room| {
            sources(room)
                .into_iter()
                .chain(sources(&format!("{room}.rs")))
        })
        // Its sentences describe the API (OpenAPI).
        .filter(|(path, _)| !path.starts_with("src/server/web/api/"));
    let (mut found, mut excepted) = (Vec::new(), Vec::new());
    for (path, text) in files {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in code_lines(code) {
            let is_other = ["tracing::", "expect(", "description ="]
                .iter()
                .any(|word| line.contains(word));
            if is_other || line.trim_start().starts_with("#[") {
                continue;
            }
            for (before, literal) in string_literals(line) {
                if !is_page_text(before, literal) {
                    continue;
                }
                let exception = NO_PAGE_TEXT
                    .iter()
                    .any(|(file, literals)| path == *file && literals.contains(&literal));
                if exception {
                    excepted.push((path.clone(), literal.to_owned()));
                } else {
                    found.push(format!("{path}:{number} says {literal:?}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    for (file, literals) in NO_PAGE_TEXT {
        for literal in *literals {
            let exception = ((*file).to_owned(), (*literal).to_owned());
            assert!(excepted.contains(&exception), "{file} lacks {literal:?}");
        }
    }
}

/// Whether a literal, by the code before it on its line, is text for people: several words, a word
/// with a capital between two tags, or the value of a label or a title.
fn is_page_text(before: &str, literal: &str) -> bool {
    let chars: Vec<char> = literal.chars().collect();
    let has_words = chars
        .windows(3)
        .any(|three| three[0].is_alphabetic() && three[1] == ' ' && three[2].is_alphabetic());
    let is_child =
        before.ends_with('>') && !before.ends_with("=>") && literal.starts_with(char::is_uppercase);
    let is_label = before.ends_with("label=") || before.ends_with("title=");
    has_words || is_child || is_label
}

/// The string literals of a line, each with the code before it. A literal that goes on in the next
/// line ends with this one.
fn string_literals(line: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut opened = None;
    let mut previous = ' ';
    for (at, c) in line.char_indices() {
        let is_quote = c == '"' && previous != '\\' && previous != '\'';
        match opened {
            None if is_quote => opened = Some(at),
            Some(start) if is_quote => {
                found.push((&line[..start], &line[start + 1..at]));
                opened = None;
            }
            _ => {}
        }
        previous = c;
    }
    found.extend(opened.map(|start| (&line[..start], &line[start + 1..])));
    found
}
