//! Whether there are huge pages for the streams that could have them, and how many are wanting.
//!
//! Owns counting them; never takes one.

use super::check::Check;
use std::fs;
use std::path::Path;
use streamem::Client;
use streamem_wire::message::{Inspection, Stream};

const AREA: &str = "kernel";
const NAME: &str = "huge pages";
const PAGE_BYTES: u64 = 2 << 20;
const COUNTS: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB";

/// Pages of 2 MiB.
#[derive(Clone, Copy, Debug)]
struct Pages {
    /// All there are.
    total: u64,
    /// Those nobody has or was promised.
    free: u64,
}

/// Counts; `client` tells which streams there are.
pub fn check(client: Option<&mut Client>) -> Check {
    let seen = client.and_then(|client| client.inspect().ok());
    let streams = seen.as_ref().map(without_them).unwrap_or_default();
    judged(counted(Path::new(COUNTS)), &streams)
}

/// The streams whose pools have ordinary pages and could have huge ones.
fn without_them(seen: &Inspection) -> Vec<&Stream> {
    let has_them = |stream: &Stream| {
        let mut pools = seen.pools.iter();
        pools.any(|pool| pool.stream == stream.name && pool.huge)
    };
    let streams = seen.streams.iter();
    streams
        .filter(|stream| could_have_them(stream) && !has_them(stream))
        .collect()
}

fn counted(folder: &Path) -> Option<Pages> {
    let count = |name: &str| -> Option<u64> {
        let text = fs::read_to_string(folder.join(name)).ok()?;
        text.trim().parse().ok()
    };
    Some(Pages {
        total: count("nr_hugepages")?,
        free: count("free_hugepages")?.saturating_sub(count("resv_hugepages")?),
    })
}

/// What the pool of a stream takes, all at once: a mapping of huge pages reserves every one.
fn needed(stream: &Stream) -> u64 {
    u64::from(stream.slots_max) * stream.layout.bytes.div_ceil(PAGE_BYTES)
}

/// Whether the broker makes the pool, of frames not smaller than a page.
fn could_have_them(stream: &Stream) -> bool {
    stream.layout.bytes >= PAGE_BYTES
        && stream.pool == "memfd"
        && !stream.source.starts_with("publish:")
}

fn judged(pages: Option<Pages>, streams: &[&Stream]) -> Check {
    let Some(pages) = pages else {
        return Check::note(
            AREA,
            NAME,
            "this kernel has none of 2 MiB",
            "only for huge_pages = true: use a kernel with CONFIG_HUGETLBFS; ordinary pages are used otherwise",
        );
    };
    let found = match pages.total {
        0 => "none of 2 MiB".to_owned(),
        total => format!("{} of {total} are free, of 2 MiB each", pages.free),
    };
    let Some(largest) = streams.iter().max_by_key(|stream| needed(stream)) else {
        let all = "only for huge_pages = true, and frames of 2 MiB and more: a stream takes slots_max times the pages of a frame, all at once; ordinary pages are used otherwise";
        return Check::note(AREA, NAME, found, all);
    };
    let needed = needed(largest);
    let name = &largest.name;
    match needed.checked_sub(pages.free) {
        None | Some(0) => Check::good(
            AREA,
            NAME,
            format!("{found}; {name} would take {needed} of them"),
        ),
        Some(wanting) => Check::note(
            AREA,
            NAME,
            found,
            format!(
                "only for huge_pages = true: {name} takes {needed} ({} slots), all at once: sysctl vm.nr_hugepages={}, or lower slots_max; ordinary pages are used otherwise",
                largest.slots_max,
                pages.total + wanting
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;
    use serde_json::json;
    use streamem_wire::{Format, Layout};

    fn stream(name: &str, source: &str, width: u32) -> Stream {
        let layout = Layout::video(Format::Bgr24, width, 1080, 30.0).unwrap();
        serde_json::from_value(json!({
            "name": name, "source": source, "state": "live", "layout": layout, "generation": 1,
            "pool": "memfd", "protection": "sealed", "slots": 6, "slots_max": 100,
            "slot_bytes": layout.bytes, "copies": 0, "newest": 1, "subscriptions": 0,
            "counters": {"published": 1}
        }))
        .unwrap()
    }

    fn seen(streams: &[Stream], huge: &str) -> Inspection {
        let pool = json!({
            "stream": huge, "generation": 1, "kind": "memfd", "protection": "sealed", "huge": true,
            "slots": 6, "slots_max": 100, "slot_bytes": 1, "reserved_bytes": 1,
            "committed_bytes": 1, "sum": []
        });
        serde_json::from_value(json!({
            "broker": {"version": "0.1.0", "pid": 7, "now_ns": 1, "started_ns": 0},
            "streams": streams, "pools": [pool], "sessions": [], "subscriptions": [],
            "descriptors": [], "accounts": []
        }))
        .unwrap()
    }

    fn pages(total: u64, free: u64) -> Option<Pages> {
        Some(Pages { total, free })
    }

    #[test]
    fn the_whole_pool_of_the_largest_stream_must_fit() {
        let streams = [
            stream("small", "pattern://rand", 64),
            stream("large", "pattern://rand", 1920),
            stream("brought", "publish://", 3840),
            stream("huge", "pattern://rand", 3840),
        ];
        let seen = seen(&streams, "huge");
        let streams = without_them(&seen);
        let few = judged(pages(310, 299), &streams);
        assert_eq!(few.state, Outcome::Note);
        let remedy = few.remedy.unwrap();
        assert!(remedy.contains("large takes 300"), "{remedy}");
        assert!(remedy.contains("vm.nr_hugepages=311"), "{remedy}");
        assert_eq!(judged(pages(310, 300), &streams).state, Outcome::Good);
    }

    #[test]
    fn no_number_is_advised_where_no_stream_could_have_them() {
        for pages in [None, pages(0, 0), pages(64, 64)] {
            let check = judged(pages, &[]);
            assert_eq!(check.state, Outcome::Note, "{check:?}");
            assert!(!check.remedy.unwrap().contains("nr_hugepages"));
        }
    }

    #[test]
    fn promised_pages_are_not_free() {
        let folder = tempfile::tempdir().unwrap();
        assert!(counted(folder.path()).is_none());
        for (name, count) in [
            ("nr_hugepages", "9\n"),
            ("free_hugepages", "7\n"),
            ("resv_hugepages", "4\n"),
        ] {
            fs::write(folder.path().join(name), count).unwrap();
        }
        let pages = counted(folder.path()).unwrap();
        assert_eq!((pages.total, pages.free), (9, 3));
    }
}
