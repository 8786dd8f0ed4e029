//! The program a worker is: where it lies, and how it is started.
//!
//! Owns its command line and what it inherits; never waits for it.

use crate::source::hl2ss::Host;
use std::io::{self, ErrorKind, PipeWriter};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The variable that names the program, for those who try out another.
const VARIABLE: &str = "STREAMEM_WORKER";
const NAME: &str = "streamem-worker";
/// Where a distribution has programs that people do not start, from the folder of those they do.
const BESIDE: &str = "../libexec/streamem";
/// What it may know of the broker's surroundings.
const KEPT: [&str; 3] = ["RUST_BACKTRACE", "RUST_LOG", "NO_COLOR"];

fn places() -> Vec<PathBuf> {
    if let Some(place) = std::env::var_os(VARIABLE).filter(|place| !place.is_empty()) {
        return vec![PathBuf::from(place)];
    }
    let own = std::env::current_exe().unwrap_or_default();
    let folder = own.parent().map(PathBuf::from).unwrap_or_default();
    vec![folder.join(NAME), folder.join(BESIDE).join(NAME)]
}

/// Starts it for a host; its standard input is the socket it hears of its work on. What it writes goes into a pipe:
/// the broker's own output is a file or a journal it could write to in anybody's name.
pub(super) fn start(host: &Host, socket: &OwnedFd, end: &PipeWriter) -> Result<Child, String> {
    let places = places();
    let mut last: io::Error = ErrorKind::NotFound.into();
    for place in &places {
        let none = |error| {
            format!("no descriptor for its worker: {error} (raise LimitNOFILE= of the service)")
        };
        let input = socket.try_clone().map_err(none)?;
        let (output, complaints) = (
            end.try_clone().map_err(none)?,
            end.try_clone().map_err(none)?,
        );
        let kept = KEPT
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        let started = Command::new(place)
            .args(["--host", host.as_str()])
            .env_clear()
            .envs(kept)
            .current_dir("/")
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(output))
            .stderr(Stdio::from(complaints))
            .spawn();
        match started {
            Ok(child) => return Ok(child),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => last = error,
        }
    }
    let tried: Vec<String> = places
        .iter()
        .map(|place| place.display().to_string())
        .collect();
    if last.kind() == ErrorKind::NotFound {
        Err(format!(
            "there is no {NAME} ({}), which receives what a HoloLens sends: install the package streamem-hololens",
            tried.join(", ")
        ))
    } else {
        Err(format!(
            "its worker ({}) cannot be started: {last}",
            tried.join(", ")
        ))
    }
}
