//! The sources of settings: `config.toml`, then `mediamanager-auth.toml` beside it, then the
//! environment. A later source overrides an earlier one, key by key.

use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::Problem;
use super::keys;
use super::reader::{self, Reader};
use super::tree::{self, Node, Table, Value};

/// The file for our own sections where `config.toml` is shared with MediaManager, which refuses to
/// start with an unknown section.
const OWN_FILE: &str = "mediamanager-auth.toml";
const VARIABLE_PREFIX: &str = "mediamanager_";
/// The suffix of a variable that holds the path of a secret file.
const FILE_SUFFIX: &str = "_file";
/// The permission bit of a file that every user of the machine can read.
const WORLD_READABLE: u32 = 0o004;

/// The sources to read. Without `Debug`, because the environment holds secrets.
pub struct Sources {
    /// `--config`: a file, which must exist, or the directory of `config.toml`. Overrides
    /// `CONFIG_FILE` and `CONFIG_DIR`.
    pub config_file: Option<PathBuf>,
    /// Names and values. Passed in, so that tests need not change the process's environment.
    pub environment: Vec<(String, String)>,
}

impl Sources {
    /// The relevant variables of this process. A variable that is not UTF-8 counts as not set.
    pub fn from_process(config_file: Option<PathBuf>) -> Self {
        let text = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let ours = text.filter(|(name, _)| {
            split_variable(name).is_some() || matches!(name.as_str(), "CONFIG_FILE" | "CONFIG_DIR")
        });
        Self {
            config_file,
            environment: ours.collect(),
        }
    }

    fn path_variable(&self, wanted: &str) -> Option<PathBuf> {
        self.environment
            .iter()
            .find(|(name, value)| name == wanted && !value.is_empty())
            .map(|(_, value)| PathBuf::from(value))
    }

    /// The path of `config.toml`, and whether it must exist because the operator named it.
    fn main_file(&self) -> (PathBuf, bool) {
        match self
            .config_file
            .clone()
            .or_else(|| self.path_variable("CONFIG_FILE"))
        {
            Some(directory) if directory.is_dir() => (directory.join("config.toml"), false),
            Some(file) => (file, true),
            None => (
                self.path_variable("CONFIG_DIR")
                    .unwrap_or_default()
                    .join("config.toml"),
                false,
            ),
        }
    }
}

/// Merges all sources into one tree.
pub fn load_sources(sources: &Sources) -> Reader {
    let (main_file, must_exist) = sources.main_file();
    let absence = if main_file.exists() {
        ""
    } else {
        " (no such file)"
    };
    let mut reader = Reader {
        tree: Table::new(),
        file: format!("{}{absence}", main_file.display()),
        is_incomplete: false,
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    add_file(&mut reader, &main_file, must_exist);
    add_file(&mut reader, &main_file.with_file_name(OWN_FILE), false);
    add_environment(&mut reader, &sources.environment);
    reader
}

fn add_file(reader: &mut Reader, path: &Path, must_exist: bool) {
    let place = path.display().to_string();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !must_exist => return,
        Err(error) => {
            reader.is_incomplete = true;
            reader.problems.push(Problem { place, text: format!("cannot be read: {error}; check the path, its permissions, and that it is UTF-8 text") });
            return;
        }
    };
    // Windows editors write a byte order mark. CRLF is a line ending in TOML.
    let (tree, problems) = tree::from_toml(&place, text.trim_start_matches('\u{feff}'));
    let is_world_readable = fs::metadata(path)
        .is_ok_and(|metadata| metadata.permissions().mode() & WORLD_READABLE != 0);
    if is_world_readable
        && keys::SECRETS
            .iter()
            .any(|key| !reader::is_blank(&tree, key))
    {
        reader.warn(format!(
            "{place} holds secrets and everyone on this machine can read it; run chmod o-r on it."
        ));
    }
    reader.is_incomplete |= !problems.is_empty();
    reader.problems.extend(problems);
    tree::merge(&mut reader.tree, tree);
}

fn add_environment(reader: &mut Reader, environment: &[(String, String)]) {
    let mut variables: Vec<(Vec<String>, &str, &str)> = environment
        .iter()
        .filter_map(|(name, text)| Some((split_variable(name)?, name.as_str(), text.as_str())))
        .collect();
    // `MEDIAMANAGER_AUTH__NAME` overrides `MEDIAMANAGER_AUTH`, whatever their order.
    variables.sort_by_key(|(path, ..)| path.len());
    let paths: Vec<String> = variables.iter().map(|(path, ..)| path.join(".")).collect();
    for ((mut path, name, text), key) in variables.into_iter().zip(&paths) {
        let secret = key
            .strip_suffix(FILE_SUFFIX)
            .filter(|key| keys::SECRETS.contains(key));
        let value = match secret {
            Some(_) if text.is_empty() => continue,
            Some(secret) if paths.iter().any(|other| other == secret) => Err(format!(
                "{secret} is set by two variables; keep the one with the value or the one with the file"
            )),
            Some(secret) => {
                path = secret.split('.').map(str::to_owned).collect();
                read_secret(text).map_err(|error| format!("{secret} cannot be read from that file: {error}; check path and permissions"))
            }
            None => parse_value(name, key, text),
        };
        match value {
            // Builds the branch of the tree from the leaf up.
            Ok(value) => {
                let node = |value| Node {
                    place: name.to_owned(),
                    value,
                };
                let top = path.into_iter().rev().fold(value, |inner, segment| {
                    Value::Table(Table::from([(segment, node(inner))]))
                });
                if let Value::Table(branch) = top {
                    tree::merge(&mut reader.tree, branch);
                }
            }
            Err(text) => {
                reader.is_incomplete = true;
                reader.problems.push(Problem {
                    place: name.to_owned(),
                    text,
                });
            }
        }
    }
}

/// Splits `MEDIAMANAGER_AUTH__TOKEN_SECRET`, in any letter case, into `["auth", "token_secret"]`.
/// `None` for a variable of another program or outside the sections that this program reads, such
/// as `MEDIAMANAGER_LOG_LEVEL`.
fn split_variable(name: &str) -> Option<Vec<String>> {
    let name = name.to_ascii_lowercase();
    let path: Vec<String> = name
        .strip_prefix(VARIABLE_PREFIX)?
        .split("__")
        .map(str::to_owned)
        .collect();
    path.first()
        .is_some_and(|section| keys::is_top_level(section))
        .then_some(path)
}

fn parse_value(name: &str, key: &str, text: &str) -> Result<Value, String> {
    if keys::is_section(key) {
        match serde_json::from_str(text) {
            Ok(json @ serde_json::Value::Object(_)) => Ok(tree::from_json(name, json).value),
            _ => Err(format!(
                r#"{key} must be a section in JSON; write it like {{"key": "value"}}, or set single keys as {name}__KEY"#
            )),
        }
    } else if keys::LISTS.contains(&key) {
        match serde_json::from_str(text) {
            Ok(json @ serde_json::Value::Array(_)) => Ok(tree::from_json(name, json).value),
            _ => Err(format!(
                r#"{key} must be a list in JSON; write it like ["one", "two"]"#
            )),
        }
    } else {
        Ok(Value::Text(text.to_owned()))
    }
}

/// Reads a secret file without its final newline, which editors and `echo` add.
fn read_secret(path: &str) -> io::Result<Value> {
    let text = fs::read_to_string(path)?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| {
        line.strip_suffix('\r').unwrap_or(line)
    });
    Ok(Value::Text(line.to_owned()))
}
