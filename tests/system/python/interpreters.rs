//! Which Python interpreters there are.
//!
//! Owns the places they are looked for; never installs one (`scripts/python-matrix.sh` does).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use streamem_tests::binaries;

/// What to do when no interpreter has numpy.
pub const NO_NUMPY: &str =
    "no Python here has numpy: run scripts/setup.sh test, which installs python3-numpy";

/// An interpreter that runs.
#[derive(Debug)]
pub struct Interpreter {
    /// As `3.11.2`.
    pub version: String,
    /// Whether it has numpy.
    pub numpy: bool,
    program: PathBuf,
}

impl Interpreter {
    /// A command that runs it and leaves nothing behind.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("STREAMEM_PYTHON", &self.program)
            .env_remove("STREAMEM_SOCKET");
        command
    }
}

const QUESTION: &str = "import sys, importlib.util\n\
    print('%d.%d.%d' % sys.version_info[:3], importlib.util.find_spec('numpy') is not None)";

fn ask(program: PathBuf) -> Option<Interpreter> {
    let output = Command::new(&program)
        .args(["-c", QUESTION])
        .output()
        .ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let (version, numpy) = said.trim().split_once(' ')?;
    Some(Interpreter {
        version: version.to_owned(),
        numpy: numpy == "True",
        program,
    })
}

fn places() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let names = (4..=14).map(|minor| format!("python3.{minor}"));
    let names: Vec<String> = ["python3".to_owned()].into_iter().chain(names).collect();
    let mut places: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| names.iter().map(|name| folder.join(name)))
        .collect();
    let pyenv = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv/versions"));
    let matrix = binaries::workspace().join("target/pythons");
    for folder in pyenv.into_iter().chain([matrix]) {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        places.extend(entries.map(|entry| entry.path().join("bin/python3")));
    }
    places
}

/// One of each version, oldest first; one with numpy before one without.
///
/// # Panics
///
/// When there is none.
pub fn interpreters() -> Vec<Interpreter> {
    let existing = places().into_iter().filter(|place| place.exists());
    let mut found: BTreeMap<Vec<u32>, Interpreter> = BTreeMap::new();
    for python in existing.filter_map(ask) {
        let key: Vec<u32> = python.version.split('.').flat_map(str::parse).collect();
        let is_better = found
            .get(&key)
            .is_none_or(|other| python.numpy && !other.numpy);
        if is_better && key.first() == Some(&3) {
            found.insert(key, python);
        }
    }
    assert!(
        !found.is_empty(),
        "there is no Python: run scripts/setup.sh test"
    );
    found.into_values().collect()
}

/// The newest that has numpy.
pub fn with_numpy(found: &[Interpreter]) -> Option<&Interpreter> {
    found.iter().rev().find(|python| python.numpy)
}
