//! A `streamemd` for one run: its configuration, its start, and when it can be called.
//!
//! It owns nothing after the start: the process belongs to the company of the run.

use crate::child::Running;
use crate::clock::{now_ns, sleep};
use std::fs::{self, File};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The name of the one stream.
pub const STREAM: &str = "bench";
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts brokers.
#[derive(Debug)]
pub struct Streamemd;

impl Streamemd {
    /// Starts a broker that serves `source`, and waits until it answers.
    pub fn start(folder: &Path, source: &str) -> io::Result<Running> {
        Self::of(folder, &[(STREAM, source.to_owned())])
    }

    /// The same with any number of streams, each a name and its source.
    pub fn of(folder: &Path, streams: &[(&str, String)]) -> io::Result<Running> {
        let config = folder.join("streamem.toml");
        let streams = streams
            .iter()
            .map(|(name, source)| format!("[stream.{name}]\nsource = \"{source}\"\n"));
        fs::write(&config, streams.collect::<String>())?;
        let log = folder.join("streamemd.log");
        let mut command = Command::new(program());
        command
            .arg("--config")
            .arg(&config)
            .env("STREAMEM_SOCKET", socket(folder))
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stderr(File::create(&log)?);
        let mut running = Running::start(&mut command)?;
        let until_ns = now_ns() + PATIENCE.as_nanos() as u64;
        while UnixStream::connect(socket(folder)).is_err() {
            if running.ended().is_some() || now_ns() > until_ns {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(io::Error::other(format!("streamemd did not start: {said}")));
            }
            sleep(Duration::from_millis(5));
        }
        Ok(running)
    }
}

/// Where the broker of the run in `folder` listens.
#[must_use]
pub fn socket(folder: &Path) -> PathBuf {
    folder.join("streamem.sock")
}

/// What to do when there is no broker to start.
#[must_use]
pub fn missing() -> Option<String> {
    (!program().exists()).then(|| "not built: cargo build --release -p streamemd".to_owned())
}

/// `$STREAMEMD`, or what the workspace built.
#[must_use]
pub fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("STREAMEMD") {
        return named.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |target| root.join(target));
    target.join("release/streamemd")
}
