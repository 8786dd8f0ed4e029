//! GStreamer: `appsrc ! shmsink` in one process, `shmsrc ! appsink` in the others.
//!
//! It owns the two pipelines. Frames are written into a buffer of shmsink's own allocator, which saves GStreamer the
//! copy into shared memory. The library is loaded at run time, so that building this package does not need it.

mod api;

use crate::clock::now_ns;
use crate::harness::picture::{FRAME_BYTES, read_stamp};
use crate::peer::{Consumer, Held, Peer, Producer, Stage};
use api::{Allocator, Gst, Mapped, Pipeline};
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
        let gst = Gst::load()?;
        let room = FRAME_BYTES * SLOTS + (1 << 20);
        let pipeline = gst.launch(&format!(
            "appsrc name=end caps={CAPS} block=true max-bytes={FRAME_BYTES} ! \
             shmsink socket-path={} shm-size={room} wait-for-connection=false sync=false",
            socket(&stage.folder)
        ))?;
        let allocator = pipeline.allocator(CAPS)?;
        Ok(Box::new(GstProducer {
            mapped: None,
            allocator,
            pipeline,
        }))
    }

    fn consumer(&self, stage: &Stage) -> io::Result<Box<dyn Consumer>> {
        let gst = Gst::load()?;
        let pipeline = gst.launch(&format!(
            "shmsrc socket-path={} is-live=true ! appsink name=end sync=false max-buffers=1 drop=true",
            socket(&stage.folder)
        ))?;
        Ok(Box::new(GstConsumer(pipeline)))
    }
}

fn socket(folder: &Path) -> String {
    folder.join("gst.sock").to_string_lossy().into_owned()
}

struct GstProducer {
    mapped: Option<Mapped>,
    allocator: Allocator,
    pipeline: Pipeline,
}

impl Producer for GstProducer {
    fn slot(&mut self) -> io::Result<Option<&mut [u8]>> {
        let mapped = self.allocator.buffer(FRAME_BYTES)?;
        Ok(Some(self.mapped.insert(mapped).bytes_mut()))
    }

    fn publish(&mut self) -> io::Result<()> {
        match self.mapped.take() {
            Some(mapped) => self.pipeline.push(mapped),
            None => Ok(()),
        }
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
