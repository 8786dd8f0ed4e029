//! The broker's side of a HoloLens, with a stand-in for the worker: what the worker may, what becomes of one that
//! does not behave, and how the device is connected to.
//!
//! Owns what all of them share; what the real worker does is tested elsewhere.

mod dialling;
mod rights;
mod supervision;
mod telling;

use rustix::process::Signal;
use serde_json::Value;
use streamem_tests::{Broker, binaries, eventually, proc};

/// A broker whose workers are stand-ins.
fn broker(config: &str) -> Broker {
    let stand_in = binaries::program("stand-in-worker");
    let place = stand_in.to_str().expect("a path that can be written");
    Broker::plan()
        .config(config)
        .environment("STREAMEM_WORKER", place)
        .start()
}

/// The configuration of a stream.
fn stream(name: &str, source: &str) -> String {
    format!("[stream.{name}]\nsource = \"{source}\"\n")
}

/// The process that fills a stream.
fn worker_of(broker: &Broker, stream: &str) -> u32 {
    eventually("the stream has a worker", || {
        let publications = broker.inspect()["publications"].as_array().cloned()?;
        let mut own = publications.iter().filter(|it| it["stream"] == stream);
        let pid = own.next()?["pid"].as_u64()?;
        u32::try_from(pid).ok()
    })
}

/// Waits until the stream is in this state, and for a reason that has these words if it is lost.
fn becomes(broker: &Broker, stream: &str, state: &str, words: &str) -> String {
    let what = format!("{stream} is {state} {words}");
    eventually(&what, || {
        let told = broker.stream(stream);
        let why = told["why"].as_str().unwrap_or_default().to_owned();
        (told["state"] == state && why.contains(words)).then_some(why)
    })
}

/// How many frames there were.
fn newest(broker: &Broker, stream: &str) -> u64 {
    broker.stream(stream)["newest"].as_u64().unwrap_or(0)
}

/// Waits until there are more frames.
fn goes_on(broker: &Broker, stream: &str) {
    let before = newest(broker, stream);
    eventually("there are more frames", || {
        (newest(broker, stream) > before + 3).then_some(())
    });
}

/// Waits until the process is gone, and not even a zombie.
fn is_gone(pid: u32) {
    eventually("the worker is gone", || {
        (!std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(())
    });
}

fn kill(pid: u32) {
    proc::signal(pid, Signal::KILL);
}

fn sessions_of(broker: &Broker, pid: u32) -> Vec<Value> {
    let sessions = broker.inspect()["sessions"].as_array().cloned();
    let mut sessions = sessions.unwrap_or_default();
    sessions.retain(|session| session["pid"] == pid);
    sessions
}
