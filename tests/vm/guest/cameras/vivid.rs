//! The cameras of the test: vivid, as it is after loading, for each test anew.
//!
//! Owns plugging and unplugging; what the cameras do is the tests' business.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use streamem_tests::eventually;
use streamem_tests::patience::PATIENCE;
use streamem_v4l2::{
    Control, Dequeued, Device, Error, Format, Fourcc, Mapped, Memory, Queue, Size,
};

const DRIVER: &str = "/sys/bus/platform/drivers/vivid";
const DEVICE: &str = "vivid.0";
pub const HD: Size = Size::new(1920, 1080);
pub const BUFFERS: u32 = 4;

/// The camera whose frames lie in one piece of memory.
pub const SINGLE: usize = 0;
/// The camera whose frames have a piece of memory for each plane.
pub const MULTI: usize = 1;

pub fn unplug() -> io::Result<()> {
    fs::write(format!("{DRIVER}/unbind"), DEVICE)
}

pub fn plug() -> io::Result<()> {
    fs::write(format!("{DRIVER}/bind"), DEVICE)
}

/// The camera, after it was unplugged and plugged in.
pub fn fresh(camera: usize) -> Device {
    if Path::new(DRIVER).join(DEVICE).exists() {
        unplug().expect("the driver lets it go");
    }
    plug().expect("the driver takes it");
    open(camera)
}

/// The camera as it is now.
pub fn open(camera: usize) -> Device {
    eventually("the camera can be opened", || {
        Device::open(&node(camera)?).ok()
    })
}

pub fn node(camera: usize) -> Option<PathBuf> {
    let nodes = fs::read_dir(format!("/sys/bus/platform/devices/{DEVICE}/video4linux")).ok()?;
    let is_it = |entry: &fs::DirEntry| {
        let name = fs::read_to_string(entry.path().join("name")).unwrap_or_default();
        name.starts_with(&format!("vivid-{camera:03}-vid-cap"))
    };
    let node = nodes.flatten().find(is_it)?;
    Some(PathBuf::from("/dev").join(node.file_name()))
}

/// The input whose signal has timings.
pub fn hdmi(camera: &Device) -> u32 {
    let inputs = camera.inputs().expect("the camera is there");
    let hdmi = inputs.iter().find(|input| input.has_timings);
    hdmi.unwrap_or_else(|| panic!("{inputs:?}")).index
}

/// The control with this name.
pub fn control(camera: &Device, name: &str) -> Control {
    let all = camera.controls().expect("the camera is there");
    let found = all.iter().find(|control| control.name == name).cloned();
    found.unwrap_or_else(|| {
        let names: Vec<&str> = all.iter().map(|control| control.name.as_str()).collect();
        panic!("there is no {name} among {names:?}")
    })
}

/// A camera with buffers of its own, all of them queued, and streaming.
pub struct Stream<'a> {
    pub camera: &'a Device,
    pub queue: Queue,
    pub format: Format,
    /// By buffer and plane.
    pub memory: Vec<Vec<Mapped>>,
}

impl<'a> Stream<'a> {
    pub fn start(camera: &'a Device, fourcc: Fourcc) -> Stream<'a> {
        let queue = camera.capture_queue().expect("it captures");
        let format = camera.set_format(queue, &Format::wish(fourcc, HD));
        let format = format.expect("it has this format");
        assert_eq!((format.fourcc, format.size), (fourcc, HD));
        let planes = format.planes.len();
        let count = camera.request(queue, Memory::Mmap, BUFFERS);
        assert_eq!(count.expect("it has memory"), BUFFERS);
        let mut memory = Vec::new();
        for index in 0..BUFFERS {
            let places = camera.query(queue, Memory::Mmap, index, planes);
            let places = places.expect("there is such a buffer").into_iter();
            let map = |place| Mapped::of(camera, place).expect("it can be mapped");
            memory.push(places.map(map).collect());
            let queued = camera.queue_mmap(queue, index, planes);
            queued.expect("it takes the buffer");
        }
        camera.stream_on(queue).expect("it starts");
        Stream {
            camera,
            queue,
            format,
            memory,
        }
    }

    /// The next frame, whose buffer is not given back.
    pub fn next(&self) -> Result<Dequeued, Error> {
        next(
            self.camera,
            self.queue,
            Memory::Mmap,
            self.format.planes.len(),
        )
    }

    pub fn give_back(&self, frame: &Dequeued) {
        let planes = self.format.planes.len();
        let given = self.camera.queue_mmap(self.queue, frame.index, planes);
        given.expect("it takes the buffer");
    }

    /// What the frame has in this plane.
    pub fn bytes(&self, frame: &Dequeued, plane: usize) -> Vec<u8> {
        let memory = &self.memory[usize::try_from(frame.index).expect("a small number")][plane];
        whole(memory, frame.planes[plane].bytes)
    }
}

/// The first bytes of a mapping.
pub fn whole(memory: &Mapped, bytes: u32) -> Vec<u8> {
    let mut copy = vec![0; usize::try_from(bytes).expect("64 bits")];
    assert!(memory.copy_to(0, &mut copy), "{bytes} of {}", memory.len());
    copy
}

/// Waits for a frame, or for the camera's end.
pub fn next(
    camera: &Device,
    queue: Queue,
    memory: Memory,
    planes: usize,
) -> Result<Dequeued, Error> {
    let patience = Timespec::try_from(PATIENCE).expect("some seconds");
    loop {
        if let Some(frame) = camera.dequeue(queue, memory, planes)? {
            return Ok(frame);
        }
        let mut camera = [PollFd::new(camera, PollFlags::IN)];
        let ready = poll(&mut camera, Some(&patience)).expect("poll");
        assert_eq!(ready, 1, "no frame came");
    }
}
