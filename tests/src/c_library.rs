//! The C library as it is installed, and programs compiled with it.
//!
//! Owns the compilers' options; never looks at what a program says.

use crate::binaries::workspace;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The installed library.
#[derive(Debug)]
pub struct Library {
    folder: PathBuf,
}

/// How a program is compiled, and with which of the two libraries.
#[derive(Clone, Copy, Debug)]
pub enum Build {
    /// C99 with the shared library.
    C,
    /// C99 with the static library, everything looked at by the sanitizers.
    Sanitized,
    /// C++17 with the shared library and OpenCV.
    OpenCv,
}

impl Build {
    fn compiler(self) -> &'static str {
        match self {
            Build::C | Build::Sanitized => "gcc -std=c99",
            Build::OpenCv => "g++ -std=c++17 -isystem /usr/include/opencv4",
        }
    }

    /// What it is linked with, given what pkg-config says.
    fn libraries(self, library: &Library) -> String {
        match self {
            Build::C => library.pkg_config(&["--libs"]),
            Build::Sanitized => {
                let all = library.pkg_config(&["--libs", "--static"]);
                let all = all.replace("-lstreamem", "-l:libstreamem.a");
                format!("-fsanitize=address,undefined -fno-sanitize-recover=all {all}")
            }
            Build::OpenCv => {
                let ours = library.pkg_config(&["--libs"]);
                format!("{ours} -lopencv_imgproc -lopencv_core")
            }
        }
    }
}

impl Library {
    /// Built and installed by the project's own script, once.
    ///
    /// # Panics
    ///
    /// When it cannot be built.
    #[must_use]
    pub fn built() -> &'static Library {
        static BUILT: OnceLock<Library> = OnceLock::new();
        BUILT.get_or_init(|| {
            let root = workspace().canonicalize().expect("the workspace");
            let folder = root.join("target/c/installed");
            let script = Command::new(root.join("scripts/c-library.sh"))
                .env("PROFILE", "dev")
                .env("PREFIX", &folder)
                .env_remove("DESTDIR")
                .env_remove("LIBDIR")
                .output();
            succeeded("scripts/c-library.sh", &script.expect("it runs"));
            Library { folder }
        })
    }

    /// The file a program loads.
    #[must_use]
    pub fn shared(&self) -> PathBuf {
        self.folder.join("lib/libstreamem.so.0")
    }

    /// What pkg-config says of it.
    ///
    /// # Panics
    ///
    /// When there is no pkg-config.
    #[must_use]
    pub fn pkg_config(&self, questions: &[&str]) -> String {
        let output = Command::new("pkg-config")
            .args(questions)
            .arg("streamem")
            .env("PKG_CONFIG_PATH", self.folder.join("lib/pkgconfig"))
            .output();
        let output = output.expect("pkg-config is missing: scripts/setup.sh test");
        succeeded("pkg-config", &output);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Compiles a program of these files of the workspace; a warning is an error. Each call makes a
    /// file of its own, since one that runs cannot be written.
    ///
    /// # Panics
    ///
    /// When it cannot be compiled.
    pub fn compile(&self, sources: &[&str], build: Build) -> PathBuf {
        static COMPILED: AtomicUsize = AtomicUsize::new(0);
        let programs = self.folder.with_file_name("programs");
        std::fs::create_dir_all(&programs).expect("a folder in target");
        let program = programs.join(COMPILED.fetch_add(1, Relaxed).to_string());
        let mut command = self.compiler(build.compiler());
        command.args(["-g", "-O1", "-pthread", "-o"]).arg(&program);
        command.args(sources.iter().map(|source| workspace().join(source)));
        command.arg(format!("-Wl,-rpath,{}", self.folder.join("lib").display()));
        command.args(build.libraries(self).split_whitespace());
        let output = command.output();
        let output =
            output.unwrap_or_else(|error| panic!("{command:?}: {error}: scripts/setup.sh test"));
        succeeded(&sources.join(" "), &output);
        program
    }

    /// A compiler with its first words, that takes no warning and finds the header.
    ///
    /// # Panics
    ///
    /// When there is no word.
    #[must_use]
    pub fn compiler(&self, words: &str) -> Command {
        let mut words = words.split_whitespace();
        let mut command = Command::new(words.next().expect("a compiler"));
        command
            .args(words)
            .args(["-Wall", "-Wextra", "-Werror", "-pedantic"])
            .args(self.pkg_config(&["--cflags"]).split_whitespace());
        command
    }
}

/// Fails with what a program said, if it did not go well.
///
/// # Panics
///
/// When it did not.
pub fn succeeded(what: &str, output: &Output) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what}: {}\n{complaint}",
        output.status
    );
}
