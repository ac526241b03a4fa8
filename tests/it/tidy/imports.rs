//! Who may import whom. Every room lists what it may use; what it does not list is forbidden, so a
//! new room is closed until it has an entry.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    ItemUse, Macro, UseTree,
    visit::{self, Visit},
};

use super::{
    rooms::{ROOMS, Room},
    sources,
};

/// Modules of the standard library that reach outside the process or depend on it.
const IMPURE: [&str; 7] = ["env", "fs", "io", "net", "process", "thread", "time"];
/// The rooms that use none of them.
const PURE: [&str; 3] = ["domain", "islands", "text"];

#[test]
fn rooms_import_only_what_they_may() {
    let mut faults = Vec::new();
    for (file, text) in sources("src") {
        let module = module_of(&file);
        if ["main", "lib", "server"].contains(&module.join("::").as_str())
            || module.contains(&"tests".to_owned())
        {
            continue;
        }
        let Some(room) = room_of(&module) else {
            faults.push(format!("{file} is in no room"));
            continue;
        };
        let syntax = syn::parse_file(&text).expect(&file);
        let mut imports = Imports::of_module(&file);
        imports.visit_file(&syntax);
        for path in imports.found {
            if !is_allowed(room, &path) {
                faults.push(format!("{file} ({}) uses {}", room.path, path.join("::")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_room_that_is_listed_exists_and_every_permission_is_used() {
    let mut used = BTreeSet::new();
    for (file, text) in sources("src") {
        let module = module_of(&file);
        let Some(room) = room_of(&module).filter(|_| !module.contains(&"tests".to_owned())) else {
            continue;
        };
        let mut imports = Imports::of_module(&file);
        imports.visit_file(&syn::parse_file(&text).expect(&file));
        for path in imports.found {
            let joined = path.join("::");
            let permission = match path[0].as_str() {
                "crate" => room
                    .rooms
                    .iter()
                    .find(|other| is_within(&joined["crate::".len()..], other)),
                name => room.crates.iter().find(|other| **other == name),
            };
            used.extend(permission.map(|permission| (room.path, *permission)));
        }
    }
    let unused: Vec<_> = ROOMS
        .iter()
        .flat_map(|room| {
            let permissions = room.rooms.iter().chain(room.crates);
            permissions.map(|permission| (room.path, *permission))
        })
        .filter(|permission| !used.contains(permission))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

fn is_allowed(room: &Room, path: &[String]) -> bool {
    match path[0].as_str() {
        "crate" => {
            let path = path[1..].join("::");
            [room.path]
                .iter()
                .chain(room.rooms)
                .any(|allowed| is_within(&path, allowed))
        }
        "std" => {
            !PURE.contains(&room.path)
                || path
                    .get(1)
                    .is_none_or(|module| !IMPURE.contains(&module.as_str()))
        }
        "core" | "alloc" => true,
        name => room.crates.contains(&name),
    }
}

/// Whether a path is a module or something in it.
fn is_within(path: &str, module: &str) -> bool {
    path == module
        || path
            .strip_prefix(module)
            .is_some_and(|rest| rest.starts_with("::"))
}

/// The innermost room of a module.
fn room_of(module: &[String]) -> Option<&'static Room> {
    let module = module.join("::");
    ROOMS
        .iter()
        .filter(|room| is_within(&module, room.path))
        .max_by_key(|room| room.path.len())
}

/// `src/server/db/users.rs` → `server::db::users`.
fn module_of(file: &str) -> Vec<String> {
    file.trim_start_matches("src/")
        .trim_end_matches(".rs")
        .split('/')
        .map(ToOwned::to_owned)
        .collect()
}

/// Collects every path of a file that leaves it: imports, and paths that are written out.
pub struct Imports {
    module: Vec<String>,
    pub found: BTreeSet<Vec<String>>,
}

impl Imports {
    /// Nothing found yet in a file below `src`.
    pub fn of_module(file: &str) -> Self {
        Self {
            module: module_of(file),
            found: BTreeSet::new(),
        }
    }

    fn add(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        let supers = path.iter().take_while(|part| *part == "super").count();
        let resolved = match first.as_str() {
            "self" | "Self" => return,
            "super" if supers <= self.module.len() => {
                let parent = &self.module[..self.module.len() - supers];
                let mut resolved = vec!["crate".to_owned()];
                resolved.extend(parent.iter().chain(&path[supers..]).cloned());
                resolved
            }
            "super" => return,
            _ => path.to_vec(),
        };
        let is_ours = resolved[0] == "crate";
        if is_ours || is_dependency(&resolved[0]) || resolved[0] == "std" {
            self.found.insert(resolved);
        }
    }

    fn add_tree(&mut self, prefix: &[String], tree: &UseTree) {
        let mut path = prefix.to_vec();
        match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.add_tree(&path, &inner.tree);
            }
            UseTree::Name(name) => {
                if name.ident != "self" {
                    path.push(name.ident.to_string());
                }
                self.add(&path);
            }
            UseTree::Rename(name) => {
                if name.ident != "self" {
                    path.push(name.ident.to_string());
                }
                self.add(&path);
            }
            UseTree::Glob(_) => self.add(&path),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(&path, tree);
                }
            }
        }
    }

    /// A macro's body is no syntax tree: its paths are found as sequences of tokens.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add_written(&path);
                        path.clear();
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.add_written(&path);
                    path.clear();
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.add_tokens(group.stream());
                    }
                }
            }
        }
        self.add_written(&path);
    }

    /// A path in code: a single name is a local one.
    fn add_written(&mut self, path: &[String]) {
        if path.len() > 1 {
            self.add(path);
        }
    }
}

impl Visit<'_> for Imports {
    fn visit_item_mod(&mut self, module: &syn::ItemMod) {
        if module.ident == "tests" {
            return;
        }
        // `super` counts from the inner module.
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let written: Vec<_> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.add_written(&written);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &Macro) {
        self.add_tokens(invocation.tokens.clone());
        visit::visit_macro(self, invocation);
    }
}

/// Whether Cargo.toml names a crate of this name.
fn is_dependency(name: &str) -> bool {
    include_str!("../../../Cargo.toml").lines().any(|line| {
        line.split_once(" = ")
            .is_some_and(|(crate_name, _)| crate_name.replace('-', "_") == name)
    })
}
