//! The Python peers: a script for both sides, or consumers in Python of a producer that is not.
//!
//! It owns finding a Python with numpy and starting the scripts; they are in `python/`.

use crate::child::Running;
use crate::harness::company::{Company, Scene};
use crate::harness::processes::pss_bytes;
use crate::peer::iceoryx::Iceoryx;
use crate::peer::streamem::broker::{self, STREAM, Streamemd};
use crate::peer::streamem::full_hd;
use crate::peer::{Peer, target};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const IMPORT_TIME: Duration = Duration::from_secs(5);

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

/// The one-file Python client of Streamem.
#[derive(Debug)]
pub struct StreamemPython;

/// The Python binding of iceoryx2; its producer is that of the peer `iceoryx2`.
#[derive(Debug)]
pub struct IceoryxPython;

impl Peer for StreamemPython {
    fn name(&self) -> &'static str {
        "streamem-python"
    }

    fn about(&self) -> &'static str {
        "Streamem, Python consumers"
    }

    fn missing(&self) -> Option<String> {
        broker::missing().or_else(missing)
    }

    fn is_paced_only(&self) -> bool {
        true
    }

    fn start(&self, scene: &Scene) -> io::Result<Company> {
        let mut company = Company::default();
        company.add(Streamemd::start(scene.folder(), &full_hd(scene))?);
        let socket = broker::socket(scene.folder());
        add_consumers(&mut company, scene, "streamem_consumer.py", |command| {
            command.arg(&socket).arg(STREAM);
        })?;
        Ok(company)
    }
}

impl Peer for IceoryxPython {
    fn name(&self) -> &'static str {
        "iceoryx2-python"
    }

    fn about(&self) -> &'static str {
        "iceoryx2, Python consumers"
    }

    fn missing(&self) -> Option<String> {
        (!python().is_some_and(|python| imports(&python, "iceoryx2, numpy")))
            .then(|| "not installed: run tests/bench/setup.sh (iceoryx2 from PyPI)".to_owned())
    }

    fn is_paced_only(&self) -> bool {
        true
    }

    fn litter(&self) -> &'static [&'static str] {
        Iceoryx.litter()
    }

    fn start(&self, scene: &Scene) -> io::Result<Company> {
        let mut company = Company::of_producer(scene, Iceoryx.name())?;
        add_consumers(&mut company, scene, "iceoryx_consumer.py", |command| {
            command.arg(scene.folder()).arg(scene.consumers.to_string());
        })?;
        Ok(company)
    }
}

/// Starts a script for each consumer of the run, with its ledger, its desk, and what `more` adds.
fn add_consumers(
    company: &mut Company,
    scene: &Scene,
    script: &str,
    more: impl Fn(&mut Command),
) -> io::Result<()> {
    let desks = 1..scene.consumers + 1;
    for desk in desks.clone() {
        let mut command = participant(script, scene)?;
        command.arg(desk.to_string());
        more(&mut command);
        company.add(Running::start(&mut command)?);
    }
    company.await_ready(scene, desks)
}

fn start(script: &str, scene: &Scene) -> io::Result<Company> {
    let mut command = participant(script, scene)?;
    command.arg(scene.consumers.to_string());
    let mut company = Company::default();
    company.add(Running::start(&mut command)?);
    company.await_ready(scene, 0..scene.consumers + 1)?;
    Ok(company)
}

fn participant(script: &str, scene: &Scene) -> io::Result<Command> {
    let command = command(script);
    let mut command = command.ok_or_else(|| io::Error::other("no Python with numpy"))?;
    command.arg(scene.ledger_path());
    Ok(command)
}

/// Runs one of the scripts; `None` where there is no Python with numpy.
#[must_use]
pub fn command(script: &str) -> Option<Command> {
    command_with(script, "numpy")
}

/// The same for a script that needs these modules.
#[must_use]
pub fn command_with(script: &str, modules: &str) -> Option<Command> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let python = python().filter(|python| imports(python, modules))?;
    let mut command = Command::new(python);
    command.arg(folder.join(script));
    Some(command)
}

/// PSS of so many Pythons that have imported numpy and nothing else.
pub fn idle_mb(count: usize) -> io::Result<Option<f64>> {
    let Some(python) = python() else {
        return Ok(None);
    };
    let mut idle = Vec::new();
    for _ in 0..count {
        let mut command = Command::new(&python);
        command.args(["-c", "import numpy, sys; sys.stdin.read()"]);
        idle.push(Running::start(command.stdin(Stdio::piped()))?);
    }
    crate::clock::sleep(IMPORT_TIME);
    let bytes: io::Result<Vec<u64>> = idle.iter().map(|one| pss_bytes(one.pid())).collect();
    Ok(Some(bytes?.iter().sum::<u64>() as f64 / 1e6))
}

fn missing() -> Option<String> {
    python()
        .is_none()
        .then(|| "not installed: run tests/bench/setup.sh (python3 with numpy)".to_owned())
}

/// The virtual environment that setup.sh makes, or else the system's Python, if it has numpy.
fn python() -> Option<PathBuf> {
    [
        target().join("python/bin/python3"),
        PathBuf::from("/usr/bin/python3"),
    ]
    .into_iter()
    .find(|python| imports(python, "numpy"))
}

fn imports(python: &Path, modules: &str) -> bool {
    Command::new(python)
        .args(["-c", &format!("import {modules}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
