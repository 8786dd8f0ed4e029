//! GStreamer: `appsrc ! shmsink` in one process, `shmsrc ! appsink` in the others; and the same with unixfd.
//!
//! It owns the pipelines. Frames are written into a buffer of the sink's own allocator, which saves GStreamer the
//! copy into shared memory. The library is loaded at run time, so that building this package does not need it.

mod api;
pub mod unixfd;

use crate::clock::now_ns;
use crate::harness::picture::{FRAME_BYTES, read_stamp};
use crate::peer::{Consumer, Held, Peer, Producer, Stage};
use api::{Allocator, Gst, Pipeline};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// shmsink and shmsrc.
#[derive(Debug)]
pub struct Gstreamer;

const CAPS: &str = "video/x-raw,format=RGB,width=1920,height=1080,framerate=0/1";
const SLOTS: usize = 8;

impl Peer for Gstreamer {
    fn name(&self) -> &'static str {
        "gstreamer"
    }

    fn about(&self) -> &'static str {
        "GStreamer shmsink (frames in its memory)"
    }

    fn missing(&self) -> Option<String> {
        let exists = |element| {
            Command::new("gst-inspect-1.0")
                .args(["--exists", element])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        (!exists("shmsink") || !exists("appsrc")).then(|| {
            "not installed: apt-get install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-bad"
                .to_owned()
        })
    }

    fn litter(&self) -> &'static [&'static str] {
        &["shmpipe."]
    }

    fn producer(&self, stage: &Stage) -> io::Result<Box<dyn Producer>> {
        let room = FRAME_BYTES * SLOTS + (1 << 20);
        let sink = format!(
            "shmsink socket-path={} shm-size={room} wait-for-connection=false",
            socket(&stage.folder)
        );
        Ok(Box::new(GstProducer::into(&sink)?))
    }

    fn consumer(&self, stage: &Stage) -> io::Result<Box<dyn Consumer>> {
        let source = format!("shmsrc socket-path={} is-live=true", socket(&stage.folder));
        Ok(Box::new(GstConsumer(pull_from(&source)?)))
    }
}

fn socket(folder: &Path) -> String {
    folder.join("gst.sock").to_string_lossy().into_owned()
}

/// A playing pipeline that ends in what an application takes out of it.
fn pull_from(source: &str) -> io::Result<Pipeline> {
    Gst::load()?.launch(&format!(
        "{source} ! appsink name=end sync=false max-buffers=1 drop=true"
    ))
}

struct GstProducer {
    allocator: Allocator,
    pipeline: Pipeline,
}

impl GstProducer {
    fn into(sink: &str) -> io::Result<Self> {
        let pipeline = Gst::load()?.launch(&format!(
            "appsrc name=end caps={CAPS} format=time do-timestamp=true block=true max-bytes={FRAME_BYTES} ! {sink} sync=false"
        ))?;
        let allocator = pipeline.allocator(CAPS)?;
        Ok(Self {
            allocator,
            pipeline,
        })
    }
}

impl Producer for GstProducer {
    fn publish(&mut self, fill: &mut dyn FnMut(&mut [u8])) -> io::Result<bool> {
        let mut mapped = self.allocator.buffer(FRAME_BYTES)?;
        fill(mapped.bytes_mut());
        self.pipeline.push(mapped)?;
        Ok(true)
    }
}

struct GstConsumer(Pipeline);

impl Consumer for GstConsumer {
    fn next(&mut self, timeout: Duration, look: &mut dyn FnMut(&Held<'_>)) -> io::Result<()> {
        let Some(sample) = self.0.pull(timeout) else {
            return Ok(());
        };
        let awake_ns = now_ns();
        let mapped = sample.map()?;
        let bytes = mapped.bytes();
        if let Some(stamp) = read_stamp(bytes) {
            look(&Held {
                bytes,
                sequence: stamp.sequence,
                published_ns: stamp.published_ns,
                awake_ns: Some(awake_ns),
            });
        }
        Ok(())
    }
}
