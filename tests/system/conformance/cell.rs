//! What each cell of the matrix has: a broker, a client, a stream the test fills frame by frame, and a
//! look at every pixel.
//!
//! Owns the broker and the pictures; never says what a client should do with them.

use crate::client::{Client, Driver};
use serde_json::Value;
use std::path::PathBuf;
use streamem::{Format, Layout, Publisher};
use streamem_sys::clock::monotonic_ns;
use streamem_tests::patience::PATIENCE;
use streamem_tests::{Broker, eventually};
use streamemd::source::pattern::bars;
use streamemd::source::{self, Pattern};

/// `cam` runs by itself; `fed` has the frames a test publishes, and no others. Its rate is so low that a
/// test that takes its time does not make it lost.
pub const STREAMS: &str = "\
    [stream.cam]\n\
    source = \"pattern://bars?size=160x120&rate=50\"\n\
    [stream.fed]\n\
    source = \"publish://?format=gray8&size=160x120&rate=0.1\"\n";

/// A broker, and which client is tried.
#[derive(Debug)]
pub struct Cell {
    pub broker: Broker,
    pub client: Client,
}

impl Cell {
    pub fn of(client: Client) -> Cell {
        Cell {
            broker: Broker::with_config(STREAMS),
            client,
        }
    }

    /// A client in a process of its own.
    pub fn driver(&self) -> Driver {
        Driver::start(self.client, &self.broker.socket())
    }

    /// The only publisher of `fed`.
    pub fn feed(&self) -> Feed<'_> {
        let socket = self.broker.socket();
        let publisher = streamem::publish("fed").like("fed").socket(socket).open();
        Feed {
            broker: &self.broker,
            publisher: publisher.expect("it is waited for"),
            pictures: Pictures::gray(),
        }
    }

    /// A file for bytes.
    pub fn file(&self, name: &str) -> PathBuf {
        self.broker.folder().join(name)
    }

    /// The bytes of a frame, as the client has them.
    pub fn bytes(&self, driver: &mut Driver, frame: &str) -> Vec<u8> {
        let path = self.file("dump");
        driver.ask(&format!("dump {frame} {}", path.display()));
        std::fs::read(path).expect("the client wrote it")
    }

    /// Looks at every pixel of a frame; all that is said of it.
    pub fn whole(&self, driver: &mut Driver, frame: &str) -> Value {
        let told = driver.ask(&format!("tell {frame}"));
        let bytes = self.bytes(driver, frame);
        let strip = bars::check(&layout_told(&told), &bytes);
        let strip = strip.unwrap_or_else(|why| panic!("{why}: {told}"));
        let said = [&told["source_sequence"], &told["captured_ns"]].map(Value::as_u64);
        assert_eq!(said, [Some(strip.number), Some(strip.made_ns)], "{told}");
        told
    }
}

fn layout_told(told: &Value) -> Layout {
    let layout = &told["layout"];
    let format: Format = serde_json::from_value(layout["format"].clone()).expect("a format");
    let size = |name: &str| u32::try_from(layout[name].as_u64().unwrap_or(0)).expect("a size");
    Layout::video(format, size("width"), size("height"), 0.0).expect("a picture")
}

/// Pictures in which every byte follows from number and time.
#[derive(Debug)]
pub struct Pictures {
    pattern: Box<dyn Pattern>,
    number: u64,
}

/// One of them.
#[derive(Debug)]
pub struct Picture {
    pub number: u64,
    pub made_ns: u64,
    pub bytes: Vec<u8>,
}

impl Pictures {
    /// As `fed` has them.
    pub fn gray() -> Pictures {
        let uri = "pattern://bars?size=160x120&format=gray8".parse();
        let pattern = source::pattern::open(&uri.expect("a URI")).expect("a pattern");
        Pictures { pattern, number: 0 }
    }

    pub fn next(&mut self) -> Picture {
        self.number += 1;
        let (number, made_ns) = (self.number, monotonic_ns());
        let mut bytes = vec![0; usize::try_from(self.pattern.layout().bytes).expect("a size")];
        self.pattern
            .fill(&mut bytes, number, made_ns, &mut Vec::new());
        Picture {
            number,
            made_ns,
            bytes,
        }
    }
}

/// The publisher of `fed`: a frame when the test wants one.
#[derive(Debug)]
pub struct Feed<'a> {
    broker: &'a Broker,
    publisher: Publisher,
    pictures: Pictures,
}

impl Feed<'_> {
    /// Publishes so many frames, one after the other; they are all there when it returns.
    pub fn publish(&mut self, count: u64) {
        for _ in 0..count {
            let slot = self.publisher.slot(PATIENCE).expect("a publication");
            let mut slot = slot.expect("a slot");
            let picture = self.pictures.next();
            slot.bytes_mut().copy_from_slice(&picture.bytes);
            slot.source_sequence(picture.number);
            slot.captured_ns(picture.made_ns);
            slot.submit().expect("it is taken");
        }
        let newest = self.pictures.number;
        eventually("the frames are published", || {
            (self.broker.stream("fed")["newest"] == newest).then_some(())
        });
    }
}

/// Asks again until the client takes a frame that is as it should be; looked at whole, and released.
pub fn takes_until(cell: &Cell, driver: &mut Driver, is_so: impl Fn(&Value) -> bool) {
    eventually("a frame is as it should be", || {
        driver.sequence("next s 100 until")?;
        let told = cell.whole(driver, "until");
        driver.ask("release until");
        is_so(&told).then_some(())
    });
}
