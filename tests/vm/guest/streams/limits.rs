//! Memory that is too large, too much or not for this user: another way is taken, and the reason said.
//!
//! Owns the limits it narrows, and widens them again.

use crate::filling::frames_are_whole;
use crate::scene::{CAMERA, broker_with, is_live, next, plug_in, subscribed, unplug};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::fs;
use streamem::Subscription;
use streamem_tests::{Broker, eventually};

const LARGEST: &str = "/sys/module/udmabuf/parameters/size_limit_mb";

/// A parameter of a module that is another for a while.
struct Narrowed(&'static str, String);

impl Narrowed {
    fn new(parameter: &'static str, value: &str) -> Narrowed {
        let before = fs::read_to_string(parameter).expect("it is there");
        fs::write(parameter, value).expect("root may");
        Narrowed(parameter, before)
    }
}

impl Drop for Narrowed {
    fn drop(&mut self) {
        fs::write(self.0, &self.1).expect("root may");
    }
}

#[test]
fn a_slot_too_large_for_udmabuf_goes_into_a_heap_and_the_parameter_is_named() {
    let _narrowed = Narrowed::new(LARGEST, "0");
    let broker = broker_with(CAMERA);
    let stream = is_live(&broker);
    let filled = stream["filled"].as_str().unwrap_or_default();
    assert!(
        filled.starts_with("import (udmabuf: ") && filled.contains(LARGEST),
        "{stream}"
    );
    assert_eq!(stream["pool"], "dma_heap");
    frames_are_whole(&mut subscribed(&broker), 10);
}

#[test]
fn a_broker_with_too_few_descriptors_says_so_and_its_other_streams_go_on() {
    unplug();
    let broker = Broker::with_config(&format!(
        "[stream.cam]\nsource = {CAMERA:?}\n[stream.other]\nsource = \"pattern://bars?size=160x120\"\n"
    ));
    let builder = Subscription::builder("other").socket(broker.socket());
    let mut other = builder.open().expect("it is there");
    next(&mut other);
    let pid = i32::try_from(broker.pid()).ok().and_then(Pid::from_raw);
    let open = fs::read_dir(format!("/proc/{}/fd", broker.pid())).expect("it lives");
    let most = open.count() as u64 + 8;
    let before = Rlimit {
        current: Some(most),
        maximum: Some(4096),
    };
    let before = prlimit(pid, Resource::Nofile, before).expect("root may");
    plug_in();
    eventually("it says what is missing", || {
        let stream = broker.stream("cam");
        let said = stream["why"].to_string() + &stream["filled"].to_string();
        (said.contains("Too many open files") && said.contains("LimitNOFILE")).then_some(())
    });
    let last = next(&mut other).sequence();
    assert!(next(&mut other).sequence() > last);
    prlimit(pid, Resource::Nofile, before).expect("root may");
    unplug();
    plug_in();
    is_live(&broker);
    frames_are_whole(&mut subscribed(&broker), 3);
}

#[test]
fn unprivileged_brokers_say_whose_the_devices_are_and_take_another_way() {
    let broker = broker_with(CAMERA);
    let stream = is_live(&broker);
    let filled = stream["filled"].as_str().unwrap_or_default();
    let said = [
        "export (import: udmabuf: /dev/udmabuf: Permission denied",
        "/dev/dma_heap/system: Permission denied",
        "udev/70-streamem.rules",
    ];
    assert!(said.iter().all(|it| filled.contains(it)), "{stream}");
    frames_are_whole(&mut subscribed(&broker), 10);
    drop(broker);
    let broker = broker_with(&format!("{CAMERA}&memory=drm"));
    frames_are_whole(&mut subscribed(&broker), 10);
}
