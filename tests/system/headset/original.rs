//! Those who had the original: one line of configuration, and their own program.

use crate::headset;
use std::process::Command;
use streamem_tests::{Broker, binaries};

const PROGRAM: &str = r#"
import numpy
from streamem_compat import Client

GREY = ((480, 640, 3), "uint8")
WANTED = {
    "rgb": ((720, 1280, 3), "uint8"),
    "grayscale-0": GREY, "grayscale-1": GREY, "grayscale-2": GREY, "grayscale-3": GREY,
    "depth": ((288, 320), "uint16"), "ab": ((288, 320), "uint16"),
    "acc": ((28, 93), "uint8"), "gyro": ((28, 315), "uint8"), "mag": ((28, 11), "uint8"),
    "audio": ((2, 1024), "int16"),
}
client = Client("proof", timeout=60)
for name in WANTED:
    client.request(name)
client.run()
for name, (shape, dtype) in WANTED.items():
    array, timestamp = client.latest(name)
    assert type(array) is numpy.ndarray, (name, type(array))
    assert (array.shape, array.dtype) == (shape, numpy.dtype(dtype)), (name, array.shape, array.dtype)
    assert timestamp > 0, name
    assert array.any(), name
    again, later = client.latest(name)
    assert later > timestamp and (again != array).any(), name
client.close()
"#;

#[test]
fn a_program_written_for_the_original_has_its_arrays() {
    let host = "127.80.74.1";
    let _device = headset(host);
    let broker = Broker::with_config(&format!("[hololens]\nhost = \"{host}\"\n"));
    let mut python = Command::new("/usr/bin/python3");
    python
        .args(["-c", PROGRAM])
        .env("PYTHONPATH", binaries::workspace().join("libclient/python"))
        .env("STREAMEM_SOCKET", broker.socket());
    let output = python
        .output()
        .expect("run scripts/setup.sh test: it installs python3-numpy");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}
