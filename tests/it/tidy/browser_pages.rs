//! The browser tests visit every page.

use std::{collections::BTreeSet, fs};

use mediamanager_auth::app::paths;

const FILE: &str = "end2end/support/pages.ts";
/// Pages that show nothing: they redirect.
const REDIRECTS: [&str; 8] = [
    "/",
    "/login/oidc",
    "/.well-known/change-password",
    "/account/connect/go",
    "/account/connect/start",
    "/web/login",
    "/web/login/{page}",
    "/web/login/reset-password",
];

/// The part of the file between these texts.
fn section<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("{FILE} has no {from:?}"));
    rest.split_once(to).unwrap().0
}

/// The names in quotes at the beginning of the lines, each with the rest of its line.
fn keys(section: &str) -> Vec<(String, &str)> {
    section
        .lines()
        .filter_map(|line| {
            let (key, rest) = line.strip_prefix("  '")?.split_once("':")?;
            Some((key.to_owned(), rest.trim()))
        })
        .collect()
}

#[test]
fn the_browser_tests_visit_every_page() {
    // An apostrophe in a name does not end it.
    let text = fs::read_to_string(FILE).unwrap().replace("\\'", "’");
    let visits: BTreeSet<String> = keys(&text).into_iter().map(|(name, _)| name).collect();
    let shown = section(&text, "export const shownBy", "\n};");
    let shown = keys(shown);
    for page in paths::ALL {
        let by = shown.iter().find(|(path, _)| path == page.path);
        assert_eq!(
            by.is_none(),
            REDIRECTS.contains(&page.path),
            "{}: shownBy in {FILE} names the visit that ends at every page that is one",
            page.path
        );
        if let Some((path, visit)) = by {
            let visit = visit.trim_matches(|c| c == '\'' || c == ',');
            assert!(
                visits.contains(visit),
                "{path}: no visit {visit:?} in {FILE}"
            );
        }
    }
    for (path, _) in &shown {
        assert!(
            paths::ALL.iter().any(|page| page.path == path),
            "{path} is no page"
        );
    }
}
