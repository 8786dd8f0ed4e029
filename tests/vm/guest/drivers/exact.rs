//! Every byte of every frame: what is fed into vivid's HDMI output is what readers of its input have.
//!
//! Owns who feeds it.

use crate::hdmi::{look_at_hdmi, signal};
use crate::scene::{broker_with, is_live, lacks, next, subscribed, turn};
use crate::udmabuf::{self, Imported};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use streamem::Frame;
use streamem_v4l2::{Device, DmaPlane, Format, Found, Fourcc, Memory, Queue, Size};

const BUFFERS: u32 = 4;

/// A plane of the frame of this number: each byte follows from number, plane and place.
fn plane(number: u32, plane: usize, bytes: usize) -> Vec<u8> {
    let salt = number.wrapping_mul(7).to_le_bytes()[0] ^ plane.to_le_bytes()[0];
    let mut all: Vec<u8> = (0..bytes)
        .map(|at| (at ^ (at >> 8)).to_le_bytes()[0].wrapping_add(salt))
        .collect();
    all[..4].copy_from_slice(&number.to_le_bytes());
    all
}

/// Which frame this is, after a look at every byte of it.
fn number(frame: &Frame, planes: usize) -> u32 {
    let first = frame.plane(0).expect("it has a plane");
    let number = u32::from_le_bytes([first[0], first[1], first[2], first[3]]);
    for index in 0..planes {
        let shown = frame.plane(index).expect("it has this plane");
        assert!(
            shown == plane(number, index, shown.len()),
            "plane {index} of frame {number}"
        );
    }
    number
}

/// Feeds one frame after the other until it is dropped.
struct Feeder {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Feeder {
    /// Sets both ends to this signal and format, and begins.
    fn start(timings: &str, fourcc: Fourcc, size: Size) -> Feeder {
        turn("osd_text_mode", 2);
        turn("hdmi_000_0_is_connected_to", 2);
        look_at_hdmi();
        signal(timings);
        let camera = Device::open(Path::new("/dev/video0")).expect("it is there");
        let found = camera.detect_timings().expect("it has timings");
        let Found::Signal(found) = found else {
            panic!("{found:?}");
        };
        camera.set_timings(&found).expect("those it has found");
        let wish = Format::wish(fourcc, size);
        let queue = camera.capture_queue().expect("it captures");
        assert_eq!(
            camera
                .set_format(queue, &wish)
                .expect("nobody streams")
                .fourcc,
            fourcc
        );
        let screen = Device::open(Path::new("/dev/video1")).expect("it is there");
        screen.set_timings(&found).expect("the same as the input's");
        let queue = screen.output_queue().expect("frames go in");
        let set = screen.set_format(queue, &wish).expect("nobody streams");
        assert_eq!((set.fourcc, set.size), (fourcc, size));
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        let fed = Fed::new(screen, queue, &set);
        let thread = Some(thread::spawn(move || fed.feed(&until)));
        Feeder { ended, thread }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("every frame was taken");
        }
    }
}

struct Fed {
    screen: Device,
    queue: Queue,
    buffers: Vec<Vec<Imported>>,
    bytes: Vec<u32>,
}

impl Fed {
    /// Returns when the driver has its first frames, so that nothing else is ever seen.
    fn new(screen: Device, queue: Queue, format: &Format) -> Fed {
        let bytes: Vec<u32> = format.planes.iter().map(|plane| plane.bytes).collect();
        let count = screen
            .request(queue, Memory::DmaBuf, BUFFERS)
            .expect("it imports");
        let of_buffer = |_| bytes.iter().map(|bytes| udmabuf::new(*bytes)).collect();
        let buffers = (0..count).map(of_buffer).collect();
        let fed = Fed {
            screen,
            queue,
            buffers,
            bytes,
        };
        (0..count).for_each(|index| fed.give(index, index));
        fed.screen.stream_on(queue).expect("it starts");
        fed
    }

    fn give(&self, index: u32, number: u32) {
        let buffer = &self.buffers[usize::try_from(index).expect("a small number")];
        let mut planes = Vec::new();
        for (at, (memory, bytes)) in buffer.iter().zip(&self.bytes).enumerate() {
            let length = usize::try_from(*bytes).expect("64 bits");
            memory
                .file
                .write_all_at(&plane(number, at, length), 0)
                .expect("it can be written");
            planes.push(DmaPlane {
                fd: memory.dma_buf.as_fd(),
                length: memory.bytes,
                offset: 0,
                used: *bytes,
            });
        }
        self.screen
            .queue_dma_buf(self.queue, index, &planes)
            .expect("it takes the frame");
    }

    fn feed(&self, until: &AtomicBool) {
        let slice = Timespec::try_from(Duration::from_millis(50)).expect("it is short");
        let mut number = BUFFERS;
        while !until.load(Relaxed) {
            let mut screen = [PollFd::new(&self.screen, PollFlags::OUT)];
            poll(&mut screen, Some(&slice)).expect("poll");
            let shown = self
                .screen
                .dequeue(self.queue, Memory::DmaBuf, self.bytes.len());
            if let Some(shown) = shown.expect("it is there") {
                self.give(shown.index, number);
                number += 1;
            }
        }
    }
}

/// Looks at every byte of so many frames, which come in order.
fn is_exact(source: &str, frames: usize, planes: usize) {
    let broker = broker_with(source);
    let stream = is_live(&broker);
    let fill = source.split_once("fill=").map_or("", |(_, fill)| fill);
    assert_eq!(stream["filled"], fill, "{stream}");
    let mut reader = subscribed(&broker);
    let mut last = 0;
    let mut different = 0;
    for _ in 0..frames {
        let shown = number(&next(&mut reader), planes);
        assert!(shown >= last, "frame {shown} after {last}");
        different += u32::from(shown > last);
        last = shown;
    }
    assert!(different > 1, "one frame was shown again and again");
}

const SMALL: (&str, Size) = ("720x576p50", Size::new(720, 576));
const LARGE: (&str, Size) = ("1920x1080p24", Size::new(1920, 1080));

#[test]
fn exact_bytes_in_every_way() {
    assert!(!lacks("udmabuf"));
    let (timings, size) = SMALL;
    let _feeder = Feeder::start(timings, Fourcc::YUYV, size);
    for fill in ["copy", "export", "import"] {
        is_exact(
            &format!("v4l2:///dev/video0?input=3&format=yuyv&fill={fill}"),
            30,
            1,
        );
    }
}

#[test]
fn exact_bytes_of_a_large_picture() {
    let (timings, size) = LARGE;
    let _feeder = Feeder::start(timings, Fourcc::YUYV, size);
    for fill in ["copy", "export", "import"] {
        is_exact(
            &format!("v4l2:///dev/video0?input=3&format=yuyv&fill={fill}"),
            10,
            1,
        );
    }
}

#[test]
fn exact_planes_in_one_buffer_and_in_two() {
    let (timings, size) = SMALL;
    for (fourcc, ways) in [
        (Fourcc::NV12, &["copy", "export", "import"][..]),
        (Fourcc::NV12M, &["copy", "import"]),
    ] {
        // Two planes in one buffer are fed as one piece.
        let planes = if fourcc == Fourcc::NV12M { 2 } else { 1 };
        let _feeder = Feeder::start(timings, fourcc, size);
        for fill in ways {
            is_exact(
                &format!("v4l2:///dev/video0?input=3&format=nv12&fill={fill}"),
                20,
                planes,
            );
        }
    }
}
