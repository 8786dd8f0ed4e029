//! An ordinary publisher, written with the client crate as anybody would: a pattern from outside.
//!
//! Owns the publication and its memory, if it is to bring some; never stops but when told to.

use crate::options::Options;
use crate::reader::commands;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use serde_json::{Value, json};
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::TryRecvError;
use std::thread::sleep;
use std::time::Duration;
use streamem::{Layout, LayoutWish, Publisher, SlotMut};
use streamem_sys::clock::monotonic_ns;
use streamem_sys::{Mapping, Writable};
use streamem_tests::jpeg::{self, Sampling};
use streamemd::source::{self, Pattern};

const A_WHILE: Duration = Duration::from_millis(100);

struct Work {
    pattern: Box<dyn Pattern>,
    is_jpeg: bool,
    own: Vec<Mapping<Writable>>,
    number: u64,
    errors: Vec<String>,
}

/// Publishes until told to stop.
pub fn run(options: &Options) -> Result<(), String> {
    let uri = options.text("publish").parse();
    let uri = uri.map_err(|error: source::BadSource| error.to_string())?;
    let pattern = source::pattern::open(&uri).map_err(|error| error.to_string())?;
    let (brought, own) = memory(pattern.layout(), options.number("own", 0)?)?;
    let mut publisher = streamem::publish(&options.stream)
        .layout(wish(pattern.layout(), options.has("jpeg")))
        .slots(options.number("slots", 2)?)
        .bring(brought)
        .socket(&options.socket)
        .open()
        .map_err(|error| format!("{error:?}: {error}"))?;
    println!("{}", json!({"is": "opened", "pid": std::process::id()}));
    let mut work = Work {
        pattern,
        is_jpeg: options.has("jpeg"),
        own,
        number: 0,
        errors: Vec::new(),
    };
    let commands = commands();
    loop {
        match commands.try_recv() {
            Ok(command) if command == "quit" => break,
            Ok(_) => println!("{}", work.report()),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => break,
        }
        work.make_one(&mut publisher);
        sleep(work.pattern.period());
    }
    publisher.finish().map_err(|error| error.to_string())?;
    println!("{}", work.report());
    Ok(())
}

fn wish(layout: &Layout, is_jpeg: bool) -> LayoutWish {
    if is_jpeg {
        return jpeg::wish(layout.width, layout.height, layout.rate);
    }
    LayoutWish::video(layout.format, layout.width, layout.height, layout.rate)
}

/// Slots of our own: mapped first, then sealed.
fn memory(layout: &Layout, slots: usize) -> Result<(Vec<OwnedFd>, Vec<Mapping<Writable>>), String> {
    let bytes = layout.bytes.next_multiple_of(4096);
    let made = (0..slots).map(|_| {
        let file = memfd_create("test-slot", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, bytes)?;
        fcntl_add_seals(&file, SealFlags::SHRINK)?;
        let length = usize::try_from(bytes).unwrap_or(0);
        let map = Mapping::new(&file, length, Writable).map_err(|_| rustix::io::Errno::NOMEM)?;
        fcntl_add_seals(&file, SealFlags::FUTURE_WRITE)?;
        Ok((file, map))
    });
    let made: Result<Vec<_>, rustix::io::Errno> = made.collect();
    made.map(|made| made.into_iter().unzip())
        .map_err(|error| error.to_string())
}

impl Work {
    fn make_one(&mut self, publisher: &mut Publisher) {
        match publisher.slot(A_WHILE) {
            Ok(Some(slot)) => {
                if let Err(error) = self.fill(slot) {
                    self.errors.push(error);
                }
            }
            Ok(None) => {}
            Err(error) => {
                self.errors.push(error.to_string());
                sleep(A_WHILE);
            }
        }
    }

    fn fill(&mut self, mut slot: SlotMut<'_>) -> Result<(), String> {
        self.number += 1;
        let now_ns = monotonic_ns();
        let mut side = Vec::new();
        if self.is_jpeg {
            let mut pixels = vec![0; usize::try_from(self.pattern.layout().bytes).unwrap_or(0)];
            self.pattern
                .fill(&mut pixels, self.number, now_ns, &mut side);
            let encoded = jpeg::encode(self.pattern.layout(), &pixels, Sampling::Half);
            jpeg::put(&mut slot, &encoded);
        } else if self.own.is_empty() {
            let bytes = slot.bytes_mut();
            self.pattern.fill(bytes, self.number, now_ns, &mut side);
        } else {
            let own = self.own.get(slot.index()).ok_or("no such slot")?;
            let length = usize::try_from(self.pattern.layout().bytes).unwrap_or(0);
            let mut bytes = vec![0; length];
            self.pattern
                .fill(&mut bytes, self.number, now_ns, &mut side);
            for (word, chunk) in own.words().iter().zip(bytes.chunks(8)) {
                let mut eight = [0; 8];
                eight[..chunk.len()].copy_from_slice(chunk);
                word.store(u64::from_le_bytes(eight), Relaxed);
            }
        }
        slot.captured_ns(now_ns);
        slot.source_sequence(self.number);
        slot.submit().map_err(|error| error.to_string())
    }

    fn report(&self) -> Value {
        json!({"is": "report", "submitted": self.number, "errors": self.errors})
    }
}
