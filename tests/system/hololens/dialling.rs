//! How a device is connected to: by the broker, at the ports it has, and with a sentence where it cannot be.

use super::{becomes, broker, stream};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use streamem_tests::{Consumer, eventually};

fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).expect("a socket");
    let device = eventually("the broker connects", || listener.accept().ok());
    device.0.set_nonblocking(false).expect("a socket");
    device.0
}

#[test]
fn the_broker_connects_and_the_worker_gets_the_connection() {
    let listener = TcpListener::bind(("127.77.1.1", 3810)).expect("a free address");
    let source = "hl2ss://127.77.1.1/pv?size=640x360&rate=15&format=gray8";
    let broker = broker(&stream("rgb", source));
    let mut device = accept(&listener);
    let mut mode = [0];
    device.read_exact(&mut mode).expect("a request");
    assert_eq!(mode, [1], "pictures with poses are asked for");
    becomes(&broker, "rgb", "lost", "127.77.1.1 is being reached");
    device.write_all(&[7]).expect("the worker reads");
    becomes(&broker, "rgb", "live", "");
    let mut reader = Consumer::start(&broker.socket(), "rgb", &[]);
    eventually("a reader has frames", || {
        device.write_all(&[8]).expect("the worker reads");
        (reader.count("frames") > 0).then_some(())
    });
    drop(device);
    becomes(&broker, "rgb", "lost", "the device hung up");
}

#[test]
fn a_device_that_refuses_is_said_with_what_to_do() {
    let broker = broker(&stream("rgb", "hl2ss://127.77.1.2/pv"));
    let why = becomes(&broker, "rgb", "lost", "127.77.1.2");
    let why = if why.contains("being reached") {
        becomes(&broker, "rgb", "lost", "refuses")
    } else {
        why
    };
    assert!(
        why.contains("3810") && why.contains("application running"),
        "{why}"
    );
}

#[test]
fn a_host_nobody_knows_is_said() {
    let broker = broker(&stream("rgb", "hl2ss://no-such-headset.invalid/pv"));
    becomes(
        &broker,
        "rgb",
        "lost",
        "no-such-headset.invalid is not found",
    );
}
