//! The whole way of a HoloLens' frames: a simulated headset, the real broker, the real worker, and readers.
//!
//! Owns starting them, each test's device at an address of its own. What the device says a frame is, is the truth.

mod away;
mod checks;
mod clock;
mod colours;
mod cuts;
mod depth;
mod faults;
mod original;
mod pictures;
mod reader;
mod sandbox;
mod seen;
mod sensing;
mod sound;
mod still;

use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use streamem_headset::{Config, FIRST_PORT, Headset};
use streamem_tests::{Broker, eventually};

/// Switches on a headset at this address.
fn headset(host: &str) -> Headset {
    let address: Ipv4Addr = host.parse().expect("an address of this machine");
    like(Config {
        address: IpAddr::V4(address),
        opening: Duration::from_millis(20),
        ..Config::default()
    })
}

/// Switches on a headset that is like this, at the ports a real one has.
fn like(config: Config) -> Headset {
    let base = FIRST_PORT;
    // The same tests may be at work in another folder of this machine.
    eventually("nobody else has these ports", || {
        Headset::with(Config { base, ..config }).ok()
    })
}

/// The configuration of one stream of a device.
fn stream(host: &str, name: &str, what: &str) -> String {
    format!("[stream.{name}]\nsource = \"hl2ss://{host}/{what}\"\n")
}

/// A broker with these streams of a device.
fn broker(host: &str, streams: &[(&str, &str)]) -> Broker {
    let streams = streams.iter().map(|(name, what)| stream(host, name, what));
    Broker::with_config(&streams.collect::<String>())
}

/// What the broker says of a stream's way over the network.
fn network(broker: &Broker, stream: &str) -> Value {
    broker.stream(stream)["network"].clone()
}

/// The process that fills a stream.
fn worker_of(broker: &Broker, stream: &str) -> u32 {
    eventually("the stream has a worker", || {
        let publications = broker.inspect()["publications"].as_array().cloned()?;
        let mut own = publications.iter().filter(|it| it["stream"] == stream);
        u32::try_from(own.next()?["pid"].as_u64()?).ok()
    })
}

/// Waits until the stream is in this state, and for a reason that has these words if it is lost.
fn becomes(broker: &Broker, stream: &str, state: &str, words: &str) -> String {
    let mut last = String::new();
    let what = format!("{stream} is {state} {words}");
    let mut tries = 0;
    eventually(&what, || {
        let told = broker.stream(stream);
        let why = told["why"].as_str().unwrap_or_default().to_owned();
        tries += 1;
        if last != why && tries > 1 {
            last.clone_from(&why);
            eprintln!("{stream}: {} {why}", told["state"]);
        }
        (told["state"] == state && why.contains(words)).then_some(why)
    })
}

/// Has the broker take on one more stream.
fn add(broker: &Broker, host: &str, name: &str, what: &str) {
    let source = format!("hl2ss://{host}/{what}");
    broker.ask("AddStream", json!({ "stream": name, "source": source }));
}

fn remove(broker: &Broker, name: &str) {
    broker.ask("RemoveStream", json!({ "stream": name }));
}
