//! The Python peers: a script is the producer and starts its consumers through multiprocessing.
//!
//! It owns finding a Python with numpy and starting the script; the scripts are in `python/`.

use crate::child::Running;
use crate::harness::company::{Company, Scene};
use crate::peer::Peer;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `multiprocessing.Queue` with pickled numpy frames.
#[derive(Debug)]
pub struct Queue;

/// POSIX shared memory with copies in and out, as the program that Streamem replaces.
#[derive(Debug)]
pub struct SharedMemory;

impl Peer for Queue {
    fn name(&self) -> &'static str {
        "python-queue"
    }

    fn about(&self) -> &'static str {
        "Python multiprocessing.Queue"
    }

    fn missing(&self) -> Option<String> {
        missing()
    }

    fn litter(&self) -> &'static [&'static str] {
        &["psm_", "sem.mp-", "pymp-"]
    }

    fn start(&self, scene: &Scene) -> io::Result<Company> {
        start("queue_peer.py", scene)
    }
}

impl Peer for SharedMemory {
    fn name(&self) -> &'static str {
        "python-shm"
    }

    fn about(&self) -> &'static str {
        "Python shared memory, copied in and out"
    }

    fn missing(&self) -> Option<String> {
        missing()
    }

    fn litter(&self) -> &'static [&'static str] {
        &["psm_", "sem.mp-", "pymp-"]
    }

    fn start(&self, scene: &Scene) -> io::Result<Company> {
        start("shared_memory_peer.py", scene)
    }
}

fn start(script: &str, scene: &Scene) -> io::Result<Company> {
    let python = python().ok_or_else(|| io::Error::other("no Python with numpy"))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("python")
        .join(script);
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(scene.ledger_path())
        .arg(scene.consumers.to_string());
    let mut company = Company::default();
    company.add(Running::start(&mut command)?);
    company.await_ready(scene, 0..scene.consumers + 1)?;
    Ok(company)
}

fn missing() -> Option<String> {
    python()
        .is_none()
        .then(|| "not installed: run tests/bench/setup.sh (python3 with numpy)".to_owned())
}

/// The virtual environment that setup.sh makes, or else the system's Python, if it has numpy.
fn python() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    [
        target.join("python/bin/python3"),
        PathBuf::from("/usr/bin/python3"),
    ]
    .into_iter()
    .find(|python| {
        Command::new(python)
            .args(["-c", "import numpy"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}
