//! The peers: each a way to bring frames from one process to many.
//!
//! It owns the contract between harness and peer. A peer never measures anything itself: the participant loops in
//! `harness::participant` (and `python/ledger.py` for the Python peers) do, the same for all.

use crate::harness::company::{Company, Scene};
use crate::harness::picture::Checker;
use reference::Reference;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use streamem::Streamem;

pub mod gstreamer;
pub mod handover;
pub mod iceoryx;
pub mod reference;
pub mod ring;
pub mod script;
pub mod streamem;

/// One way to bring frames across.
pub trait Peer: Sync {
    /// Its name on the command line and in the table.
    fn name(&self) -> &'static str;

    /// One line that says what it is.
    fn about(&self) -> &'static str;

    /// What is missing on this machine and how to get it; `None` when it can run.
    fn missing(&self) -> Option<String> {
        None
    }

    /// Whether it takes part with a hundred consumers.
    fn bears_hundred(&self) -> bool {
        false
    }

    /// Whether it takes part only with 1 and 10 consumers at a fixed rate: a variant of another peer.
    fn is_paced_only(&self) -> bool {
        false
    }

    /// How names begin that it makes in /dev/shm and /tmp.
    fn litter(&self) -> &'static [&'static str] {
        &[]
    }

    /// Does what the peer would do when it is next started, if that clears away what killed processes left.
    fn next_start(&self) -> io::Result<()> {
        Ok(())
    }

    /// The program that starts this one in the peer's roles, where that needs one.
    fn launcher(&self) -> Option<PathBuf> {
        None
    }

    /// Starts the producer and all consumers; the default starts this program in both roles.
    fn start(&self, scene: &Scene) -> io::Result<Company> {
        Company::of_roles(scene, self.name())
    }

    /// The producer role in this process.
    fn producer(&self, _stage: &Stage) -> io::Result<Box<dyn Producer>> {
        Err(io::Error::other("this peer has no producer of ours"))
    }

    /// The consumer role in this process.
    fn consumer(&self, _stage: &Stage) -> io::Result<Box<dyn Consumer>> {
        Err(io::Error::other("this peer has no consumer of ours"))
    }
}

/// What a role needs to know to find the others.
#[derive(Clone, Debug)]
pub struct Stage {
    /// A folder of this run alone, for sockets and configuration.
    pub folder: PathBuf,
    /// How many consumers the run has.
    pub consumers: usize,
    /// Which consumer this is, from 0.
    pub index: usize,
}

/// Fills and publishes frames.
pub trait Producer {
    /// Lets the consumers of the run in, where a peer needs that; called once, after the harness knows the producer.
    fn admit(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Has `fill` write a frame and publishes it; `false`, without filling, when the peer has no room now.
    fn publish(&mut self, fill: &mut dyn FnMut(&mut [u8])) -> io::Result<bool>;
}

/// Receives frames.
pub trait Consumer {
    /// Waits for a frame newer than the last one and calls `look` while it is held. Returns without calling it when
    /// none came for `timeout` (or sooner or later, where the peer's wait has no timeout).
    fn next(&mut self, timeout: Duration, look: &mut dyn FnMut(&Held<'_>)) -> io::Result<()>;

    /// What tells whether a held frame is what its producer wrote.
    fn check(&self) -> io::Result<Check> {
        let mut checker = Checker::new()?;
        Ok(Box::new(move |held| {
            checker.is_whole(held.bytes, held.sequence)
        }))
    }
}

/// Tells whether a held frame is whole.
pub type Check = Box<dyn FnMut(&Held<'_>) -> bool>;

/// A frame while it is held.
#[derive(Debug)]
pub struct Held<'a> {
    /// The pixels.
    pub bytes: &'a [u8],
    /// Counts up by one per published frame.
    pub sequence: u64,
    /// CLOCK_MONOTONIC just before it was published.
    pub published_ns: u64,
    /// When the wait ended, if the peer can tell: from here to the call of `look` is the cost to obtain.
    pub awake_ns: Option<u64>,
}

/// All peers in the order of the table; the references first, because others are divided by them.
#[must_use]
pub fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(Reference::Futex),
        Box::new(Reference::Eventfds),
        Box::new(Streamem::Newest),
        Box::new(Streamem::Eventfd),
        Box::new(streamem::published::StreamemPublished),
        Box::new(streamem::c::StreamemC),
        Box::new(streamem::alone::StreamemAlone),
        Box::new(iceoryx::Iceoryx),
        Box::new(gstreamer::Gstreamer),
        Box::new(gstreamer::unixfd::StreamemGst),
        Box::new(gstreamer::unixfd::Unixfd),
        Box::new(script::StreamemPython),
        Box::new(script::IceoryxPython),
        Box::new(script::SharedMemory),
        Box::new(script::Queue),
    ]
}

/// Where setup.sh puts what the peers need.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    )
}

/// How far a consumer of `streamem-every` may be behind; only the soak uses it.
const EVERY_DEPTH: u32 = 8;

/// The peer of that name.
#[must_use]
pub fn named(name: &str) -> Option<Box<dyn Peer>> {
    let every: Box<dyn Peer> = Box::new(Streamem::Every(EVERY_DEPTH));
    all()
        .into_iter()
        .chain([every, Box::new(Streamem::UltraHd)])
        .find(|peer| peer.name() == name)
}
