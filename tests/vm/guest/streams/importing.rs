//! Readers with a device of their own, which are given the slots as DMA-BUFs.
//!
//! Owns what they get, and who does not; a graphics card stands for their device.

use crate::filling::{descriptors, descriptors_are_verified};
use crate::scene::{CAMERA, broker_with, is_live, lacks, next, plug_in, subscribed, unplug};
use drm::Device as _;
use drm::control::Device as _;
use serde_json::{Value, json};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use streamem::{Error, Frame, Reason, Subscription};
use streamem_sys::{Mapping, ReadOnly};
use streamem_tests::consumer::NOBODY;
use streamem_tests::{Broker, Consumer, eventually};

struct Card(File);

impl AsFd for Card {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl drm::Device for Card {}
impl drm::control::Device for Card {}

/// Has a device take the frame's memory, and looks that it is that.
fn is_imported(frame: &Frame) {
    let (file, range) = frame.dma_buf().expect("it was asked for");
    let card = File::options()
        .read(true)
        .write(true)
        .open("/dev/dri/card0");
    let card = Card(card.expect("vgem is loaded"));
    let name = card.get_driver().expect("it says what it is");
    assert_eq!(name.name(), "vgem");
    let buffer = card.prime_fd_to_buffer(file).expect("the device takes it");
    card.close_buffer(buffer).expect("it was taken");
    let bytes = usize::try_from(range.end).expect("a size");
    let seen = Mapping::new(file, bytes, ReadOnly).expect("it can be read");
    let words = seen.words();
    let first: Vec<u8> = words
        .iter()
        .flat_map(|word| {
            word.load(std::sync::atomic::Ordering::Relaxed)
                .to_ne_bytes()
        })
        .collect();
    assert!(first == frame.bytes()[..first.len()]);
    assert!(frame.sync_file().expect("a device writes it").is_ok());
}

fn open(broker: &Broker, stream: &str) -> Result<Subscription, Error> {
    let builder = Subscription::builder(stream).socket(broker.socket());
    builder.every(4).leases(2).dma_buf(true).open()
}

fn refused(broker: &Broker, stream: &str, reason: Reason) -> String {
    let Err(Error::Refused(refusal)) = open(broker, stream) else {
        panic!("{stream} is given as DMA-BUFs");
    };
    assert_eq!(refusal.reason, reason, "{}", refusal.message);
    refusal.message
}

#[test]
fn who_asks_is_given_each_slot_as_a_dma_buf_and_others_are_not() {
    if lacks("udmabuf") {
        return;
    }
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let mut importing = open(&broker, "cam").expect("root may import");
    let mut plain = subscribed(&broker);
    for _ in 0..5 {
        is_imported(&next(&mut importing));
        assert!(next(&mut plain).dma_buf().is_none());
    }
    let parts = descriptors(&broker, "part");
    for part in &parts {
        let handed_to = part["handed_to"].as_array().expect("a list");
        assert_eq!(handed_to.len(), 1, "{part}");
        assert_eq!(handed_to[0]["access"], "import");
    }
    descriptors_are_verified(&broker);
    let used = broker.inspect()["accounts"][0]["used"]["descriptors"].as_u64();
    assert!(used >= Some(parts.len() as u64), "{used:?}");
}

#[test]
fn slots_that_are_dma_bufs_are_given_to_all() {
    for source in ["&fill=export", "&memory=dma_heap", "&memory=drm"] {
        if source.contains("heap") && lacks("dma_heap") {
            continue;
        }
        let broker = broker_with(&format!("{CAMERA}{source}"));
        is_live(&broker);
        assert!(next(&mut subscribed(&broker)).dma_buf().is_some());
        is_imported(&next(&mut open(&broker, "cam").expect("root may import")));
    }
}

#[test]
fn memory_no_device_can_import_is_refused_by_name() {
    let broker = broker_with(&format!("{CAMERA}&fill=copy"));
    is_live(&broker);
    let why = refused(&broker, "cam", Reason::NoDmaBuf);
    assert!(why.contains("memfd") && why.contains("import"), "{why}");
}

#[test]
fn memory_that_is_renewed_for_copies_comes_without() {
    if lacks("udmabuf") {
        return;
    }
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let mut importing = open(&broker, "cam").expect("root may import");
    is_imported(&next(&mut importing));
    let others: Vec<Subscription> = (0..12).map(|_| subscribed(&broker)).collect();
    eventually("it copies", || {
        let stream = broker.stream("cam");
        (stream["state"] == "live" && stream["copies"] == 1).then_some(())
    });
    eventually("its frames are in other memory", || {
        next(&mut importing).dma_buf().is_none().then_some(())
    });
    drop(others);
}

#[test]
fn who_imports_goes_on_with_a_broker_that_is_restarted_and_a_camera_that_comes() {
    if lacks("udmabuf") {
        return;
    }
    let mut broker = broker_with(CAMERA);
    is_live(&broker);
    let mut importing = open(&broker, "cam").expect("root may import");
    is_imported(&next(&mut importing));
    broker.kill9();
    unplug();
    broker.restart();
    let mut second = open(&broker, "cam").expect("nobody knows yet what its memory will be");
    plug_in();
    for reader in [&mut importing, &mut second] {
        is_imported(&next(reader));
    }
}

#[test]
fn who_may_not_import_is_refused_and_may_read() {
    let broker = Broker::with_config(&format!(
        "[access]\nread = [\"everyone\"]\n[stream.cam]\nsource = {CAMERA:?}\n"
    ));
    is_live(&broker);
    let asks = |parameters: Value| {
        let call = json!({"method": "io.streamem.Subscribe", "parameters": parameters});
        let option = format!("call={call}");
        let mut command = Consumer::command_as(NOBODY, &broker.socket(), "-", &[&option]);
        Consumer::spawn(&mut command).expect("answer")
    };
    let answer = asks(json!({"stream": "cam", "dma_buf": true}));
    assert_eq!(answer["error"], "io.streamem.NotPermitted", "{answer}");
    assert!(answer.to_string().contains("import"), "{answer}");
    let answer = asks(json!({"stream": "cam"}));
    assert_eq!(answer["error"], Value::Null, "{answer}");
}
