//! Unsafe code is in the files named here, and each of them says why it is sound.
//!
//! Owns the list; a file is added to it only with a reason a reviewer accepts.

use super::rust_files;
use std::collections::BTreeSet;

const MAY_BE_UNSAFE: [&str; 35] = [
    "broker/src/activation.rs",
    "broker/src/engine/mod.rs",
    "broker/src/peer.rs",
    "broker/src/pool/dma_heap.rs",
    "broker/src/pool/slot.rs",
    "broker/src/pool/udmabuf.rs",
    "broker/src/source/decode/jpeg.rs",
    "broker/v4l2/src/ioctl.rs",
    "broker/v4l2/src/mapped.rs",
    "broker/worker/codec/src/ffmpeg.rs",
    "broker/worker/codec/src/target.rs",
    "broker/worker/codec/tests/support/slot.rs",
    "broker/worker/sandbox/src/layer/descriptors.rs",
    "broker/worker/sandbox/src/layer/namespaces.rs",
    "broker/worker/sandbox/tests/inside/raw.rs",
    "broker/worker/sandbox/tests/inside/ring.rs",
    "broker/worker/src/held.rs",
    "broker/worker/src/line/link.rs",
    "libclient/src/ffi/failure.rs",
    "libclient/src/ffi/frame.rs",
    "libclient/src/ffi/layout.rs",
    "libclient/src/ffi/memory.rs",
    "libclient/src/ffi/options.rs",
    "libclient/src/ffi/publisher.rs",
    "libclient/src/ffi/publishing.rs",
    "libclient/src/ffi/streams.rs",
    "libclient/src/ffi/subscription.rs",
    "libclient/src/view/cpu.rs",
    "libclient/src/view/fill.rs",
    "libclient/sys/src/dma_buf.rs",
    "libclient/sys/src/futex.rs",
    "libclient/sys/src/map.rs",
    "tests/fuzz/fuzz_targets/codec_video.rs",
    "tests/src/attack.rs",
    "tests/src/launch.rs",
];

fn is_exempt(path: &str) -> bool {
    path.starts_with("tests/bench/") || path.starts_with("tests/system/tidy/")
}

#[test]
fn unsafe_code_is_only_where_it_may_be() {
    let unsafe_files: BTreeSet<String> = rust_files()
        .into_iter()
        .filter(|file| !is_exempt(&file.path))
        .filter(|file| file.text.contains("allow(unsafe_code)"))
        .map(|file| file.path)
        .collect();
    assert_eq!(unsafe_files, MAY_BE_UNSAFE.map(str::to_owned).into());
}

#[test]
fn every_file_with_unsafe_code_says_why_it_is_sound() {
    for file in rust_files() {
        if MAY_BE_UNSAFE.contains(&file.path.as_str()) {
            assert!(
                file.text.contains("//! # Safety\n"),
                "{} does not",
                file.path
            );
        }
    }
}

#[test]
fn descriptors_are_never_bare_numbers() {
    for file in rust_files() {
        if is_exempt(&file.path) {
            continue;
        }
        for line in file.code() {
            let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            let is_bare = words.into_iter().any(|word| word == "RawFd");
            assert!(!is_bare, "{}: {line}", file.path);
        }
    }
}
