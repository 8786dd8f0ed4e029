//! The numbers of the wire, which the Python client writes out a second time.
//!
//! Owns which name there is which name here; what the numbers are for is said by the wire.

use super::interpreters::interpreters;
use super::{folder, ok};
use serde_json::Value;
use std::collections::BTreeSet;
use streamem_wire::submission::Rejection;
use streamem_wire::{RingState, clock, flags, header, page, record, submission_words};

/// Prints every number at the top of the module, and what stands in its tables.
const TELL: &str = "import json, sys; sys.path.insert(0, sys.argv[1])\n\
    import streamem\n\
    told = {n: v for n, v in vars(streamem).items() if type(v) is int}\n\
    told.update({n: getattr(streamem, n) for n in ('CLOCKS', '_REJECTIONS')})\n\
    told['errors'] = sorted(streamem._REFUSALS)\n\
    print(json.dumps(told))";

fn told() -> Value {
    let found = interpreters();
    let python = found.last().expect("there is one");
    let output = python.command().args(["-c", TELL]).arg(folder()).output();
    serde_json::from_str(&ok(&output.expect("it runs"))).expect("JSON")
}

#[test]
fn every_word_of_the_shared_pages_is_where_the_wire_has_it() {
    let pages = [
        ("_PAGE_VERSION", streamem_wire::PAGE_VERSION),
        ("_RING_MAGIC", streamem_wire::RING_MAGIC),
        ("_LEASE_MAGIC", streamem_wire::LEASE_MAGIC),
        ("_SUBMISSION_MAGIC", streamem_wire::SUBMISSION_MAGIC),
        ("_LIVE", RingState::Live as u64),
        ("_LOST", RingState::Lost as u64),
        ("_RETIRED", RingState::Retired as u64),
        ("_ENDED", RingState::Ended as u64),
        ("BROKEN", flags::BROKEN.into()),
        ("GAP", flags::GAP.into()),
        ("KEY", flags::KEY.into()),
    ];
    let places = [
        ("_SLOTS_MAX", streamem_wire::SLOTS_MAX),
        ("_HEADER_WORDS", streamem_wire::HEADER_WORDS),
        ("_RECORD_WORDS", streamem_wire::RECORD_WORDS),
        ("_SIDE_BYTES_MAX", streamem_wire::SIDE_BYTES_MAX),
        ("_HEAD", header::HEAD),
        ("_STATE", header::STATE),
        ("_SEQUENCE", record::SEQUENCE),
        ("_SIDE", record::SIDE),
        ("_LEASE_PAGE_BYTES", streamem_wire::LEASE_PAGE_BYTES),
        ("_LEASES_MAX", streamem_wire::LEASES_MAX),
        ("_WAKE", page::WAKE),
        ("_WAITING", page::WAITING),
        ("_TAKEN", page::TAKEN),
        ("_LAST_SEQUENCE", page::LAST_SEQUENCE),
        ("_LAST_TAKEN_NS", page::LAST_TAKEN_NS),
        ("_MISSED", page::MISSED),
        ("_REFUSED", page::REFUSED),
        ("_LEASES", page::LEASES),
        (
            "_SUBMISSION_PAGE_BYTES",
            streamem_wire::SUBMISSION_PAGE_BYTES,
        ),
        ("_ENTRIES_MAX", streamem_wire::ENTRIES_MAX),
        ("_SUBMITTED", submission_words::SUBMITTED),
        ("_KICK", submission_words::KICK),
        ("_CLOSED", submission_words::CLOSED),
        ("_GRANTED", submission_words::GRANTED),
        ("_GRANT_WAKE", submission_words::GRANT_WAKE),
        ("_BROKER_WAITING", submission_words::BROKER_WAITING),
        ("_PUBLISHER_WAITING", submission_words::PUBLISHER_WAITING),
        ("_SUBMISSIONS_TAKEN", submission_words::TAKEN),
        ("_REJECTED", submission_words::REJECTED),
        ("_LAST_REJECTION", submission_words::LAST_REJECTION),
        ("_OVER", submission_words::ENDED),
        ("_GRANTS", submission_words::GRANTS),
        ("_ENTRIES", submission_words::ENTRIES),
    ];
    let places = places.map(|(name, value)| (name, value as u64));
    let told = told();
    for (name, value) in pages.into_iter().chain(places) {
        assert_eq!(told[name], value, "streamem.{name}");
    }
}

/// The words of a header or a record that are read without a name.
#[test]
fn what_is_read_in_a_row_stands_in_a_row() {
    assert_eq!([header::MAGIC, header::VERSION], [0, 1]);
    let row = [
        header::GENERATION,
        header::SLOTS,
        header::HISTORY,
        header::SLOT_BYTES,
        header::RECORDS_AT,
        header::HISTORY_AT,
    ];
    assert_eq!(row, [2, 3, 4, 5, 6, 7], "_Memory._read_shape");
    let row = [
        record::CAPTURED_NS,
        record::PUBLISHED_NS,
        record::SOURCE_CLOCK,
        record::DOMAIN_AND_FLAGS,
        record::USED_BYTES,
        record::SOURCE_SEQUENCE,
        record::SIDE_BYTES,
    ];
    assert_eq!(row, [1, 2, 3, 4, 5, 6, 7], "Frame and Slot");
    let generations = [page::LEASE_WORDS, submission_words::GENERATION];
    assert_eq!(generations, [3, 3], "_Page and _Publication");
}

#[test]
fn clocks_rejections_and_errors_have_the_names_of_the_wire() {
    let told = told();
    for (domain, name) in (0..).zip(told["CLOCKS"].as_array().expect("names")) {
        assert_eq!(name, clock::name(domain));
    }
    assert_eq!(clock::name(5), "unknown", "CLOCKS has five");
    let rejections = told["_REJECTIONS"].as_object().expect("by code");
    for code in 1.. {
        let here = Rejection::from_code(code).map(|why| why.to_string());
        let there = rejections.get(&code.to_string()).and_then(Value::as_str);
        assert_eq!(there, here.as_deref(), "rejection {code}");
        if here.is_none() {
            break;
        }
    }
    let text = streamem_wire::message::INTERFACE_DESCRIPTION;
    let lines = text.lines().filter_map(|line| line.strip_prefix("error "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    let said: BTreeSet<String> = names.map(|name| format!("io.streamem.{name}")).collect();
    let listed = told["errors"].as_array().expect("names");
    let listed = listed.iter().filter_map(Value::as_str).map(str::to_owned);
    let known: BTreeSet<String> = listed.filter(|name| name.starts_with("io.")).collect();
    assert_eq!(known, said);
}
