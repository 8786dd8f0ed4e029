//! The library as it is installed, and programs compiled with it.
//!
//! Owns the compilers' options; never looks at what a program says.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use streamem_tests::binaries::workspace;

/// The installed library.
#[derive(Debug)]
pub(super) struct Library {
    folder: PathBuf,
}

/// How a program is to be compiled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compiler {
    pub(super) name: &'static str,
    pub(super) options: &'static [&'static str],
}

const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// C as it was in 1999.
pub(super) const C99: Compiler = Compiler {
    name: "gcc",
    options: &["-std=c99", "-g", "-O1"],
};
/// C++ as OpenCV wants it.
pub(super) const CPP: Compiler = Compiler {
    name: "g++",
    options: &["-std=c++17", "-g", "-O1"],
};

impl Library {
    /// Built and installed by the project's own script, once.
    pub(super) fn built() -> &'static Library {
        static BUILT: OnceLock<Library> = OnceLock::new();
        BUILT.get_or_init(|| {
            let target = workspace().join("target");
            let folder = target.canonicalize().expect("a target").join("c/installed");
            let built = Command::new(workspace().join("scripts/c-library.sh"))
                .env("PROFILE", "dev")
                .env("PREFIX", &folder)
                .env_remove("DESTDIR")
                .env_remove("LIBDIR")
                .output()
                .expect("the script runs");
            assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
            Library { folder }
        })
    }

    /// The file a program loads.
    pub(super) fn shared(&self) -> PathBuf {
        self.folder.join("lib/libstreamem.so.0")
    }
}
