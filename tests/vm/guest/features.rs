//! Whether the list of kernels tells the truth: each feature is there unless the list says it lacks.
//!
//! Owns what each name in `tests/vm/kernels` means.

use io_uring::{IoUring, Probe, opcode};
use rustix::fs::{MemfdFlags, memfd_create};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use streamem_vm_init::plan::LACKS;

fn has(feature: &str) -> bool {
    match feature {
        "udmabuf" => Path::new("/dev/udmabuf").exists(),
        "dma_heap" => Path::new("/dev/dma_heap/system").exists(),
        "noexec_seal" => memfd_create("trial", MemfdFlags::NOEXEC_SEAL).is_ok(),
        "uring_futex" => uring_has(&[opcode::FutexWait::CODE, opcode::FutexWake::CODE]),
        other => panic!("tests/vm/kernels speaks of {other}, which is not looked for here"),
    }
}

const FEATURES: [&str; 4] = ["udmabuf", "dma_heap", "noexec_seal", "uring_futex"];

fn uring_has(operations: &[u8]) -> bool {
    let ring = IoUring::new(1).expect("kernels here have io_uring, and this is root");
    let mut known = Probe::new();
    let asked = ring.submitter().register_probe(&mut known);
    asked.expect("it says what it can do");
    operations.iter().all(|code| known.is_supported(*code))
}

#[test]
fn what_the_list_says_is_so() {
    let list = fs::read_to_string(LACKS).expect("the harness puts it there");
    let lacks: BTreeSet<&str> = list.lines().collect();
    for feature in lacks.iter().copied().chain(FEATURES) {
        assert_eq!(has(feature), !lacks.contains(feature), "{feature}");
    }
}
