//! Whether the list of kernels tells the truth: each feature is there unless the list says it lacks.
//!
//! Owns what each name in `tests/vm/kernels` means.

use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use streamem_tests::binaries::program;
use streamem_vm_init::plan::LACKS;

fn has(feature: &str) -> bool {
    match feature {
        "udmabuf" => Path::new("/dev/udmabuf").exists(),
        "dma_heap" => Path::new("/dev/dma_heap/system").exists(),
        "noexec_seal" => memfd_create("trial", MemfdFlags::NOEXEC_SEAL).is_ok(),
        "uring_futex" => doctor_says("futex opcodes") == "good",
        other => panic!("tests/vm/kernels speaks of {other}, which is not looked for here"),
    }
}

const FEATURES: [&str; 4] = ["udmabuf", "dma_heap", "noexec_seal", "uring_futex"];

fn doctor_says(check: &str) -> String {
    let doctor = Command::new(program("streamem"))
        .args(["--json", "doctor"])
        .output()
        .expect("it runs");
    let report: Value = serde_json::from_slice(&doctor.stdout).expect("it speaks JSON");
    let checks = report["checks"].as_array().expect("a list");
    let found = checks.iter().find(|entry| entry["name"] == check);
    let found = found.unwrap_or_else(|| panic!("no {check} in {report}"));
    found["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_the_list_says_is_so() {
    let list = fs::read_to_string(LACKS).expect("the harness puts it there");
    let lacks: BTreeSet<&str> = list.lines().collect();
    for feature in lacks.iter().copied().chain(FEATURES) {
        assert_eq!(has(feature), !lacks.contains(feature), "{feature}");
    }
}
