//! Huge pages: a stream that asks for them works with what there is, and says what it has.
//!
//! Owns looking at how many this machine has free; never changes that.

use streamem_tests::{Broker, Consumer, eventually};

const CONFIG: &str = "[pool]\nhuge_pages = true\nslots_max = 16\n\
     [stream.cam]\nsource = \"pattern://bars?size=1280x720&rate=10&format=bgr24\"\n";
const HUGE_PAGE_BYTES: u64 = 2 << 20;

/// Huge pages a pool could still have; the kernel may make more where it is allowed to.
fn could_have() -> u64 {
    let memory = std::fs::read_to_string("/proc/meminfo").expect("Linux has it");
    let number = |key: &str| -> u64 {
        let line = memory.lines().find(|line| line.starts_with(key));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    let surplus = std::fs::read_to_string("/proc/sys/vm/nr_overcommit_hugepages");
    let surplus = surplus.ok().and_then(|text| text.trim().parse().ok());
    let free = number("HugePages_Free:").saturating_sub(number("HugePages_Rsvd:"));
    free + surplus.unwrap_or(0)
}

#[test]
fn a_stream_that_asks_for_huge_pages_works_with_those_there_are() {
    let before = could_have();
    let broker = Broker::with_config(CONFIG);
    let mut reader = Consumer::start(&broker.socket(), "cam", &["check=bars"]);
    eventually("frames come", || {
        (reader.count("frames") >= 5).then_some(())
    });
    let report = reader.finish();
    for fault in ["torn", "changed", "backwards"] {
        assert_eq!(report[fault], 0, "{fault} in {report}");
    }

    let pool = broker.inspect()["pools"][0].clone();
    let slot_bytes = pool["slot_bytes"].as_u64().expect("a size");
    assert_eq!(slot_bytes % HUGE_PAGE_BYTES, 0, "{pool}");
    let reserved = pool["reserved_bytes"].as_u64().expect("a size");
    let needed = reserved.div_ceil(HUGE_PAGE_BYTES);
    let is_huge = pool["huge"].as_bool().expect("yes or no");
    if before < needed {
        assert!(!is_huge, "{needed} are needed, {before} were free: {pool}");
    }
    let log = broker.log();
    let advice = format!("raise vm.nr_hugepages by {needed}");
    assert_eq!(log.contains(&advice), !is_huge, "{pool}\n{log}");
}
