//! GStreamer's unixfd elements: with GStreamer's own `unixfdsink`, and with `streamem gst` in its place.
//!
//! It owns where a GStreamer that has them comes from: the one of Debian 13 that scripts/trixie.sh unpacks. The
//! roles run with the libraries of that one, so that this program loads its GStreamer.

use super::{GstConsumer, GstProducer, Pipeline, pull_from, socket};
use crate::child::Running;
use crate::clock::{now_ns, sleep};
use crate::harness::company::{Company, Scene};
use crate::peer::streamem::broker::{self, STREAM, Streamemd};
use crate::peer::streamem::full_hd;
use crate::peer::{Consumer, Held, Peer, Producer, Stage};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use streamem::Subscription;

/// unixfdsink and unixfdsrc.
#[derive(Debug)]
pub struct Unixfd;

/// `streamem gst` and unixfdsrc.
#[derive(Debug)]
pub struct StreamemGst;

const PATIENCE: Duration = Duration::from_secs(10);

impl Peer for Unixfd {
    fn name(&self) -> &'static str {
        "gstreamer-unixfd"
    }

    fn about(&self) -> &'static str {
        "GStreamer unixfdsink (frames in its memory)"
    }

    fn missing(&self) -> Option<String> {
        missing()
    }

    fn is_paced_only(&self) -> bool {
        true
    }

    fn launcher(&self) -> Option<PathBuf> {
        Some(launcher())
    }

    fn producer(&self, stage: &Stage) -> io::Result<Box<dyn Producer>> {
        let sink = format!("unixfdsink socket-path={}", socket(&stage.folder));
        Ok(Box::new(GstProducer::into(&sink)?))
    }

    fn consumer(&self, stage: &Stage) -> io::Result<Box<dyn Consumer>> {
        Ok(Box::new(GstConsumer(read_from(&stage.folder)?)))
    }
}

impl Peer for StreamemGst {
    fn name(&self) -> &'static str {
        "streamem-gst"
    }

    fn about(&self) -> &'static str {
        "Streamem, by GStreamer's unixfdsrc"
    }

    fn missing(&self) -> Option<String> {
        broker::missing()
            .or_else(missing)
            .or_else(|| (!server().exists()).then(|| "not built: cargo build --release".to_owned()))
    }

    fn is_paced_only(&self) -> bool {
        true
    }

    fn launcher(&self) -> Option<PathBuf> {
        Some(launcher())
    }

    fn start(&self, scene: &Scene) -> io::Result<Company> {
        let mut company = Company::default();
        company.add(Streamemd::start(scene.folder(), &full_hd(scene))?);
        company.add(serve(scene.folder())?);
        company.add_consumers(scene, self.name())?;
        Ok(company)
    }

    fn consumer(&self, stage: &Stage) -> io::Result<Box<dyn Consumer>> {
        let subscription = Subscription::builder(STREAM).socket(broker::socket(&stage.folder));
        Ok(Box::new(Told {
            pipeline: read_from(&stage.folder)?,
            witness: subscription.open().map_err(io::Error::other)?,
        }))
    }
}

/// A pipeline, and a subscription that never waits: the buffer does not say when its frame was published.
struct Told {
    pipeline: Pipeline,
    witness: Subscription,
}

impl Consumer for Told {
    fn next(&mut self, timeout: Duration, look: &mut dyn FnMut(&Held<'_>)) -> io::Result<()> {
        let Some(sample) = self.pipeline.pull(timeout) else {
            return Ok(());
        };
        let awake_ns = now_ns();
        let mapped = sample.map()?;
        if let Some(frame) = self.witness.latest().map_err(io::Error::other)? {
            look(&Held {
                bytes: mapped.bytes(),
                sequence: frame.sequence(),
                published_ns: frame.published_ns(),
                awake_ns: Some(awake_ns),
            });
        }
        Ok(())
    }
}

fn read_from(folder: &Path) -> io::Result<Pipeline> {
    pull_from(&format!("unixfdsrc socket-path={}", socket(folder)))
}

/// Starts `streamem gst` and waits until it listens.
fn serve(folder: &Path) -> io::Result<Running> {
    let mut command = Command::new(server());
    command
        .arg("--socket")
        .arg(broker::socket(folder))
        .args(["gst", STREAM, "--listen", &socket(folder)])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut running = Running::start(&mut command)?;
    let until_ns = now_ns() + PATIENCE.as_nanos() as u64;
    while !Path::new(&socket(folder)).exists() {
        if running.ended().is_some() || now_ns() > until_ns {
            return Err(io::Error::other("streamem gst did not start"));
        }
        sleep(Duration::from_millis(5));
    }
    Ok(running)
}

fn missing() -> Option<String> {
    (!launcher().exists()).then(|| "not installed: run scripts/trixie.sh".to_owned())
}

/// Runs a program with the libraries of the unpacked Debian.
fn launcher() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/trixie/run")
}

/// The inspector that the workspace built, beside its broker.
fn server() -> PathBuf {
    broker::program().with_file_name("streamem")
}
