//! The one-file client on frames that a driver wrote: in memory of ours, and in its own.
//!
//! Owns the little program; all else of that client is tested elsewhere.

use crate::filling::ways;
use crate::scene::{CAMERA, broker_with, is_live, lacks, next, subscribed, turn};
use std::process::Command;
use streamem_tests::Broker;

const PROGRAM: &str = "
import os, select, sys, streamem
subscription = streamem.open('cam', socket=sys.argv[1], timeout=30.0)
for frame, _ in zip(subscription, range(3)):
    sums = sum(frame.view), sum(frame.view)
    fence = frame.sync_file()
    if fence is not None:
        assert select.select([fence], [], [], 30.0)[0]
        os.close(fence)
    assert sums[0] == sums[1] and frame.view.readonly and frame.nbytes == len(frame.view)
memory = frame._memory
print(sums[0], len(memory.dma_bufs), memory.brought is not None and fence is not None)
";

const IMPORTING: &str = "
import mmap, os, sys, streamem
subscription = streamem.open('cam', socket=sys.argv[1], timeout=30.0, dma_buf=True)
frame = subscription.next()
assert os.readlink('/proc/self/fd/%d' % frame.dma_buf()).startswith('/dmabuf:')
slot = mmap.mmap(frame.dma_buf(), frame.nbytes, access=mmap.ACCESS_READ)
assert slot[:] == bytes(frame.view)
os.close(frame.sync_file())
plain = streamem.open('cam', socket=sys.argv[1], timeout=30.0).next()
assert plain.dma_buf() is None and plain.sync_file() is None
try:
    streamem.open('other', socket=sys.argv[1], dma_buf=True)
except streamem.NoDmaBuf as refused:
    assert 'memfd' in str(refused), refused
    print('as it should be')
";

#[test]
fn python_imports_what_the_driver_wrote() {
    if lacks("udmabuf") {
        return;
    }
    let broker = Broker::with_config(&format!(
        "[stream.cam]\nsource = {CAMERA:?}\n[stream.other]\nsource = \"pattern://bars?size=160x120\"\n"
    ));
    is_live(&broker);
    let python = Command::new("/usr/bin/python3")
        .env("PYTHONPATH", "/vm/python")
        .args(["-B", "-c", IMPORTING])
        .arg(broker.socket())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&python.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&python.stderr);
    assert_eq!(said, "as it should be\n", "{wrong}");
}

#[test]
fn python_reads_what_the_driver_wrote() {
    turn("osd_text_mode", 2);
    for fill in ways() {
        let broker = broker_with(&format!("{CAMERA}&fill={fill}"));
        is_live(&broker);
        let python = Command::new("/usr/bin/python3")
            .env("PYTHONPATH", "/vm/python")
            .args(["-B", "-c", PROGRAM])
            .arg(broker.socket())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&python.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&python.stderr).into_owned();
        let words: Vec<&str> = said.split_whitespace().collect();
        let [sum, dma_bufs, brought] = words[..] else {
            panic!("{fill}: {said}{wrong}");
        };
        let frame = next(&mut subscribed(&broker));
        let expected: u64 = frame.bytes().iter().map(|byte| u64::from(*byte)).sum();
        assert_eq!(
            sum,
            expected.to_string(),
            "{fill}: another picture than in Rust"
        );
        let is_export = fill == "export";
        assert_eq!(
            (dma_bufs != "0", brought == "True"),
            (is_export, is_export),
            "{fill}: {said}"
        );
    }
}
