//! The processes of one run: started in order (producer first), killed and reaped together.
//!
//! It owns the children and the folder of the run; it never looks into what they measure.

use crate::child::Running;
use crate::clock::{now_ns, sleep};
use crate::harness::ledger::Ledger;
use crate::harness::processes::descendants;
use crate::peer;
use crate::shared::Shared;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::Duration;

const ATTACH_PATIENCE: Duration = Duration::from_secs(60);
const END_PATIENCE: Duration = Duration::from_secs(5);

/// What the processes of one run have in common.
#[derive(Debug)]
pub struct Scene {
    folder: PathBuf,
    ledger: Shared,
    /// How many consumers there are.
    pub consumers: usize,
}

impl Scene {
    /// A fresh folder and a fresh ledger.
    pub fn set(consumers: usize, rate: u32) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!(
            "streamem-bench-{}-{}",
            std::process::id(),
            now_ns()
        ));
        std::fs::create_dir(&folder)?;
        let ledger = Shared::create("bench-ledger", size_of::<Ledger>())?;
        let scene = Self {
            folder,
            ledger,
            consumers,
        };
        scene.ledger().consumers.store(consumers as u64, Relaxed);
        scene.ledger().rate.store(u64::from(rate), Relaxed);
        Ok(scene)
    }

    /// The ledger of this run.
    pub fn ledger(&self) -> &Ledger {
        self.ledger.view()
    }

    /// Where any process of the same user can open the ledger.
    pub fn ledger_path(&self) -> String {
        format!(
            "/proc/{}/fd/{}",
            std::process::id(),
            self.ledger.as_fd().as_raw_fd()
        )
    }

    /// The folder of this run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Running participants; killed and reaped on drop.
#[derive(Debug, Default)]
pub struct Company(Vec<Running>);

impl Company {
    /// This program as producer and as every consumer of the peer `name`.
    pub fn of_roles(scene: &Scene, name: &str) -> io::Result<Self> {
        let mut company = Self::of_producer(scene, name)?;
        company.add_consumers(scene, name)?;
        Ok(company)
    }

    /// This program as producer of the peer `name`.
    pub fn of_producer(scene: &Scene, name: &str) -> io::Result<Self> {
        let mut company = Self::default();
        company.add_producer(scene, name)?;
        Ok(company)
    }

    /// This program as producer of the peer `name`, ready.
    pub fn add_producer(&mut self, scene: &Scene, name: &str) -> io::Result<()> {
        self.add_role(scene, name, "producer", 0)?;
        self.await_ready(scene, 0..1)
    }

    /// This program does what the peer `name` does when it is next started.
    pub fn next_start(scene: &Scene, name: &str) -> io::Result<()> {
        let mut company = Self::default();
        company.add_role(scene, name, "next-start", 0)?;
        company.disband();
        Ok(())
    }

    /// This program as every consumer of the peer `name`, all attached.
    pub fn add_consumers(&mut self, scene: &Scene, name: &str) -> io::Result<()> {
        for index in 0..scene.consumers {
            self.add_role(scene, name, "consumer", index)?;
        }
        self.await_ready(scene, 1..scene.consumers + 1)
    }

    /// Takes over a process that a peer started itself.
    pub fn add(&mut self, running: Running) {
        self.0.push(running);
    }

    /// Waits until the participants at these desks say that they are ready; an early death is an error.
    pub fn await_ready(&mut self, scene: &Scene, desks: std::ops::Range<usize>) -> io::Result<()> {
        let until_ns = now_ns() + ATTACH_PATIENCE.as_nanos() as u64;
        while !scene.ledger().desks[desks.clone()]
            .iter()
            .all(|desk| desk.ready.load(Acquire) == 1)
        {
            if let Some(status) = self.first_end() {
                return Err(io::Error::other(format!(
                    "a participant ended early: {status}"
                )));
            }
            if now_ns() > until_ns {
                return Err(io::Error::other("not all participants were ready in time"));
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// How a participant ended, if one did.
    pub fn first_end(&mut self) -> Option<ExitStatus> {
        self.0.iter_mut().find_map(Running::ended)
    }

    /// All processes of the run, those that participants started included.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let mut pids: Vec<u32> = self.0.iter().map(Running::pid).collect();
        let born: Vec<u32> = pids.iter().flat_map(|pid| descendants(*pid)).collect();
        pids.extend(born);
        pids
    }

    /// Gives everybody time to end after the ledger said stop; who does not is killed.
    pub fn disband(mut self) {
        let until_ns = now_ns() + END_PATIENCE.as_nanos() as u64;
        while now_ns() < until_ns && self.0.iter_mut().any(|running| running.ended().is_none()) {
            sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL to everybody at once, participants' own children included.
    pub fn kill(self) {
        for pid in self.pids() {
            crate::child::kill(pid);
        }
    }

    fn add_role(&mut self, scene: &Scene, name: &str, role: &str, index: usize) -> io::Result<()> {
        let folder = scene.folder.to_string_lossy().into_owned();
        let (ledger, index) = (scene.ledger_path(), index.to_string());
        let arguments = ["role", name, role, &ledger, &folder, &index];
        self.add(match peer::named(name).and_then(|peer| peer.launcher()) {
            None => Running::again(&arguments, &[])?,
            Some(launcher) => Running::start(
                Command::new(launcher)
                    .arg(std::env::current_exe()?)
                    .args(arguments),
            )?,
        });
        Ok(())
    }
}
