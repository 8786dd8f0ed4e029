//! A broker that lies: the client says what is wrong with it, and never crashes.

use crate::fake::{FakeBroker, Lie, copy};
use crate::memory::{Memory, Page, sealed};
use proptest::prelude::*;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use streamem::{Error, Fault, Subscription};
use streamem_sys::socket::FDS_MAX;
use streamem_wire::{
    Generation, Newest, RECORD_WORDS, Sequence, Slot, SubscriptionId, header, page, record,
};

fn refused(lie: Lie) -> Error {
    let broker = FakeBroker::start();
    broker.state().lie = Some(lie);
    broker.subscribe().open().unwrap_err()
}

/// What is said of a ring in whose header this word was changed.
fn of_a_ring_with(at: usize, value: u64) -> Fault {
    let broker = FakeBroker::start();
    broker
        .state()
        .memory
        .ring()
        .header(at)
        .store(value, Relaxed);
    fault(broker.subscribe().open())
}

fn fault(opened: Result<Subscription, Error>) -> Fault {
    match opened {
        Err(Error::Protocol(fault)) => fault,
        other => panic!("it was not told from a good one: {other:?}"),
    }
}

#[test]
fn rings_with_impossible_headers_are_refused() {
    use streamem_wire::BadPage::{Field, Magic, Short, Version};
    type Is = fn(&streamem_wire::BadPage) -> bool;
    let cases: [(usize, u64, Is); 7] = [
        (header::MAGIC, 1, |bad| *bad == Magic),
        (header::VERSION, 9, |bad| *bad == Version(9)),
        (header::SLOTS, 5000, |bad| *bad == Field("slots", 5000)),
        (header::HISTORY, 3, |bad| *bad == Field("history", 3)),
        (header::SLOT_BYTES, 1 << 40, |bad| {
            *bad == Field("slot_bytes", 1 << 40)
        }),
        (header::RECORDS_AT, 0, |bad| *bad == Field("records_at", 0)),
        (header::HISTORY, 4096, |bad| matches!(bad, Short { .. })),
    ];
    for (at, value, is) in cases {
        match of_a_ring_with(at, value) {
            Fault::Page { cause, .. } if is(&cause) => {}
            other => panic!("word {at} as {value}: {other}"),
        }
    }
}

#[test]
fn a_generation_that_is_not_the_rings_is_refused() {
    let lie = refused(Box::new(|grant, _| grant.stream.generation = Generation(7)));
    assert!(
        matches!(
            lie,
            Error::Protocol(Fault::Generation { said: 7, found: 1 })
        ),
        "{lie}"
    );
}

#[test]
fn a_layout_that_does_not_fit_its_slot_is_refused() {
    for grow in [
        (|layout| layout.bytes = 4097) as fn(&mut streamem::Layout),
        |layout| layout.planes[2].stride = u64::MAX,
        |layout| layout.array.as_mut().unwrap().shape = vec![u64::MAX, 2],
    ] {
        let lie = refused(Box::new(move |grant, _| grow(&mut grant.stream.layout)));
        assert!(
            matches!(lie, Error::Protocol(Fault::Layout { slot_bytes: 4096 })),
            "{lie}"
        );
    }
}

#[test]
fn descriptors_that_do_not_arrive_are_missed_and_the_limit_is_named() {
    for left in 0..3 {
        let lie = refused(Box::new(move |_, fds| fds.truncate(left)));
        match &lie {
            Error::DescriptorsLost {
                promised: 3,
                arrived,
            } if *arrived == left => {}
            other => panic!("{other}"),
        }
        assert!(lie.to_string().contains("RLIMIT_NOFILE"));
    }
}

#[test]
fn one_descriptor_cannot_stand_for_two() {
    let lie = refused(Box::new(|grant, _| grant.pool = grant.ring));
    assert!(matches!(lie, Error::DescriptorsLost { .. }), "{lie}");
}

#[test]
fn a_grant_without_memory_is_refused() {
    let lie = refused(Box::new(|grant, _| grant.ring = None));
    assert!(
        matches!(lie, Error::Protocol(Fault::Absent("ring"))),
        "{lie}"
    );
    let lie = refused(Box::new(|grant, _| grant.pool = None));
    assert!(
        matches!(lie, Error::Protocol(Fault::Absent("pool"))),
        "{lie}"
    );
    let lie = refused(Box::new(|grant, _| grant.lease = None));
    assert!(
        matches!(lie, Error::Protocol(Fault::Absent("lease page"))),
        "{lie}"
    );
    let lie = refused(Box::new(|grant, _| {
        (grant.ring, grant.pool, grant.resumed) = (None, None, true);
    }));
    assert!(
        matches!(lie, Error::Protocol(Fault::Absent("ring"))),
        "{lie}"
    );
}

fn sent_instead(place: usize, file: impl AsFd) -> Error {
    let file = copy(file);
    refused(Box::new(move |_, fds| fds[place] = copy(&file)))
}

#[test]
fn memory_that_could_shrink_is_refused() {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let unsealed = memfd_create("test", flags).unwrap();
    ftruncate(&unsealed, 1 << 20).unwrap();
    for place in 0..3 {
        let lie = sent_instead(place, &unsealed);
        assert!(lie.to_string().contains("not sealed"), "{place}: {lie}");
    }
}

#[test]
fn something_that_is_no_memory_is_refused() {
    let (socket, _other) = UnixStream::pair().unwrap();
    for place in 0..3 {
        let lie = sent_instead(place, &socket);
        assert!(matches!(lie, Error::Protocol(_)), "{place}: {lie}");
    }
}

#[test]
fn a_pool_that_is_too_short_is_refused() {
    let (short, _mapping) = sealed(4096, true);
    let lie = sent_instead(1, short);
    assert!(matches!(lie, Error::Protocol(Fault::Page { .. })), "{lie}");
}

#[test]
fn a_lease_page_with_an_impossible_number_of_leases_is_refused() {
    for leases in [0, 449, u64::MAX] {
        let page = Page::new(SubscriptionId(1), 1);
        page.view().word(page::LEASE_WORDS).store(leases, Relaxed);
        let lie = sent_instead(2, &page.file);
        let Error::Protocol(Fault::Page { what, .. }) = lie else {
            panic!("{leases}: {lie}");
        };
        assert_eq!(what, "lease page");
    }
}

#[test]
fn more_descriptors_than_any_reply_has_are_refused() {
    let grow_to = |count: usize| -> Lie {
        Box::new(move |_, fds| fds.resize_with(count, || copy(std::io::stderr())))
    };
    let lie = refused(grow_to(FDS_MAX + 1));
    assert!(
        matches!(lie, Error::Protocol(Fault::TooManyDescriptors(FDS_MAX))),
        "{lie}"
    );
    let broker = FakeBroker::start();
    broker.state().lie = Some(grow_to(FDS_MAX));
    assert!(broker.subscribe().open().is_ok());
}

#[test]
fn garbage_is_told_from_a_reply() {
    let endless = vec![b'x'; streamem_wire::varlink::REPLY_BYTES_MAX + 20_000];
    let deep = [vec![b'['; 100_000], vec![0]].concat();
    for babble in [
        b"{]\0".to_vec(),
        b"\xff\xfe\0".to_vec(),
        b"7\0".to_vec(),
        deep,
        endless,
    ] {
        let broker = FakeBroker::start();
        broker.state().babble = Some(babble);
        assert!(matches!(
            fault(broker.subscribe().open()),
            Fault::Message(_)
        ));
    }
}

#[test]
fn results_of_the_wrong_form_are_told_from_a_grant() {
    let broker = FakeBroker::start();
    broker.state().babble = Some(b"{\"parameters\":{\"subscription\":-1}}\0".to_vec());
    let fault = fault(broker.subscribe().open());
    assert!(
        matches!(&fault, Fault::Results { method, .. } if method == "io.streamem.Subscribe"),
        "{fault}"
    );
}

#[test]
fn a_slot_the_pool_does_not_have_is_an_error_and_not_an_access() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().open().unwrap();
    let beyond = Newest {
        sequence: Sequence(1),
        slot: Slot(6),
    };
    let state = broker.state();
    state
        .memory
        .ring()
        .header(header::HEAD)
        .store(beyond.pack(), Relaxed);
    for answer in [sub.try_next(), sub.latest()] {
        assert!(
            matches!(answer, Err(Error::Protocol(Fault::NoSuchSlot))),
            "{answer:?}"
        );
    }
}

#[test]
fn a_length_beyond_the_slot_is_cut() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().open().unwrap();
    broker.publish(1);
    let state = broker.state();
    let record = state.memory.ring().record(Slot(0)).unwrap();
    record[record::USED_BYTES].store(u64::MAX, Relaxed);
    record[record::SIDE_BYTES].store(u64::MAX, Relaxed);
    let frame = sub.try_next().unwrap().unwrap();
    assert_eq!(frame.bytes().len(), 4096);
    assert!(frame.side_data().len() <= 448 / 8);
    record[record::USED_BYTES].store(3, Relaxed);
    drop(frame);
    let frame = sub.latest().unwrap().unwrap();
    assert_eq!((frame.bytes().len(), frame.plane(0)), (3, None));
}

#[test]
fn a_ring_that_promises_frames_it_has_not_costs_no_more_than_the_time_given() {
    let broker = FakeBroker::start();
    for builder in [broker.subscribe().latest(), broker.subscribe().every(4)] {
        let mut sub = builder.open().unwrap();
        let absent = Newest {
            sequence: Sequence(u64::MAX >> 16),
            slot: Slot(0),
        };
        let state = broker.state();
        state
            .memory
            .ring()
            .header(header::HEAD)
            .store(absent.pack(), Relaxed);
        assert!(sub.next(Duration::from_millis(300)).unwrap().is_none());
        assert!(sub.latest().unwrap().is_none());
        assert!(sub.clip(2).unwrap().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_words_in_ring_and_lease_page_are_survived(
        head in any::<[u16; 2]>(),
        words in proptest::collection::vec((0usize..500, prop_oneof![0u64..8, any::<u64>()]), 0..200),
        small in any::<bool>(),
        every in any::<bool>(),
    ) {
        thread_local! {
            static BROKER: FakeBroker = FakeBroker::start();
        }
        BROKER.with(|broker| {
            broker.state().memory = Memory::new(Generation(1));
            broker.state().pages.clear();
            let builder = broker.subscribe().leases(4);
            let builder = if every { builder.every(3) } else { builder };
            let mut sub = builder.open().unwrap();
            let state = broker.state();
            let ring = state.memory.ring();
            for (at, value) in &words {
                let slot = Slot(u16::try_from(at / RECORD_WORDS).unwrap());
                match ring.record(slot) {
                    Some(record) => record[at % RECORD_WORDS].store(*value, Relaxed),
                    None => ring.order(Sequence(*at as u64)).store(*value << 16 | 1, Relaxed),
                }
                let page = state.pages[0].view();
                page.leases()[at % 4].store(*value & 1, Relaxed);
            }
            let [sequence, slot] = head;
            let newest = Newest {
                sequence: Sequence(u64::from(if small { sequence % 8 } else { sequence })),
                slot: Slot(slot % 8),
            };
            ring.header(header::HEAD).store(newest.pack(), Relaxed);
            let mut seen = 0;
            for _ in 0..4 {
                for answer in [sub.try_next(), sub.latest()] {
                    if let Ok(Some(frame)) = answer {
                        seen += frame.bytes().len() + frame.side_data().len();
                        prop_assert!(frame.bytes().len() <= 4096);
                    }
                }
                if let Ok(clip) = sub.clip(2) {
                    prop_assert!(clip.len() <= 2);
                }
            }
            prop_assert!(seen <= 8 * (4096 + 56));
            Ok(())
        })?;
    }
}
