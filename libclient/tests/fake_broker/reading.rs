//! Frames as a reader gets them: in which order, how many were lost, what they say, how long they stay.

use crate::fake::FakeBroker;
use crate::memory::{SLOT_BYTES, SLOTS};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;
use streamem::{Error, Frame, SideData, StreamState, Subscription};
use streamem_wire::{RingState, page};

const LONG: Duration = Duration::from_secs(20);

fn sequences(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(Frame::sequence).collect()
}

fn expect(sub: &mut Subscription) -> Frame {
    sub.next(LONG).unwrap().expect("a frame")
}

#[test]
fn a_frame_is_what_the_source_wrote_and_says_what_the_ring_says() {
    let broker = FakeBroker::start();
    broker.publish(7);
    let mut sub = broker.subscribe().open().unwrap();
    let frame = expect(&mut sub);
    assert_eq!(frame.sequence(), 7);
    assert_eq!(frame.bytes(), [7; 32 * 16 * 3 / 2]);
    assert_eq!(frame.plane(1).map(<[u8]>::len), Some(16 * 8));
    assert_eq!(frame.plane(3), None);
    assert_eq!(frame.layout(), sub.layout());
    assert_eq!(frame.published_ns(), frame.captured_ns() + 1000);
    assert_eq!(frame.captured(), Duration::from_nanos(frame.captured_ns()));
    assert!(frame.age() >= Duration::from_micros(1));
    assert_eq!(frame.source_clock(), (streamem::clock::NDI, 70));
    assert_eq!(frame.source_sequence(), 107);
    assert_eq!(frame.flags(), streamem::flags::GAP);
    let exposure = SideData::Exposure {
        exposure_ns: 7,
        gain: 1.0,
    };
    assert_eq!(frame.side_data(), [exposure]);
}

#[test]
fn a_frame_is_also_a_part_of_a_file() {
    let broker = FakeBroker::start();
    broker.publish(3);
    let mut sub = broker.subscribe().open().unwrap();
    let frame = expect(&mut sub);
    let (file, place) = frame.memory();
    assert_eq!(place.start % SLOT_BYTES as u64, 0);
    let mut bytes = vec![0; usize::try_from(place.end - place.start).unwrap()];
    rustix::io::pread(file, &mut bytes, place.start).unwrap();
    assert_eq!(bytes, frame.bytes());
    assert!(rustix::io::pwrite(file, &[1], place.start).is_err());
}

#[test]
fn the_latest_frame_skips_those_before_and_counts_them() {
    let broker = FakeBroker::start();
    broker.publish(3);
    let mut sub = broker.subscribe().latest().open().unwrap();
    assert_eq!((expect(&mut sub).sequence(), sub.missed()), (3, 0));
    assert!(sub.try_next().unwrap().is_none());
    broker.publish(5);
    let frame = expect(&mut sub);
    assert_eq!((frame.sequence(), frame.missed()), (8, 4));
    drop(frame);
    broker.publish(1);
    assert_eq!((expect(&mut sub).missed(), sub.missed()), (0, 4));
}

#[test]
fn every_frame_comes_in_order_and_what_was_overtaken_is_counted() {
    let broker = FakeBroker::start();
    broker.publish(2);
    let mut sub = broker.subscribe().every(4).open().unwrap();
    broker.publish(3);
    for sequence in 2..=5 {
        let frame = expect(&mut sub);
        assert_eq!((frame.sequence(), frame.missed()), (sequence, 0));
    }
    broker.publish(3 * SLOTS);
    let oldest = 5 + 2 * SLOTS as u64 + 1;
    let frame = expect(&mut sub);
    assert_eq!((frame.sequence(), frame.missed()), (oldest, oldest - 6));
    drop(frame);
    for sequence in oldest + 1..=5 + 3 * SLOTS as u64 {
        let frame = expect(&mut sub);
        assert_eq!((frame.sequence(), frame.missed()), (sequence, 0));
    }
    assert_eq!(sub.missed(), oldest - 6);
    assert!(sub.try_next().unwrap().is_none());
}

#[test]
fn every_frame_from_the_first_comes_to_who_subscribed_before_it() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().every(4).open().unwrap();
    broker.publish(2);
    assert_eq!(
        [expect(&mut sub).sequence(), expect(&mut sub).sequence()],
        [1, 2]
    );
}

#[test]
fn a_reader_that_waits_is_woken_by_each_frame() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().open().unwrap();
    for sequence in 1..=50 {
        let waits = |page: &crate::memory::Page| page.view().word(page::WAITING).load(Relaxed) == 1;
        let published = broker.when(move |it| it.pages.iter().all(waits), |it| it.publish(1));
        assert_eq!(expect(&mut sub).sequence(), sequence);
        published.join().unwrap();
    }
}

#[test]
fn nothing_comes_of_a_stream_that_is_lost_and_no_error_either() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().open().unwrap();
    assert_eq!(sub.state(), StreamState::Live);
    broker.state().memory.set_state(RingState::Lost);
    assert!(sub.next(Duration::from_millis(300)).unwrap().is_none());
    assert_eq!(sub.state(), StreamState::Lost);
}

#[test]
fn a_held_frame_does_not_change_while_all_other_slots_do() {
    let broker = FakeBroker::start();
    broker.publish(1);
    let mut sub = broker.subscribe().open().unwrap();
    let frame = expect(&mut sub);
    broker.publish(10 * SLOTS);
    assert!(frame.bytes().iter().all(|byte| *byte == 1));
    assert_eq!(frame.side_data().len(), 1);
}

#[test]
fn as_many_frames_as_asked_for_can_be_held_and_then_it_is_said() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().every(4).leases(2).open().unwrap();
    broker.publish(3);
    let (first, second) = (expect(&mut sub), expect(&mut sub));
    let refused = sub.next(LONG);
    assert!(
        matches!(
            refused,
            Err(Error::LeasesExhausted {
                held: 2,
                leases: 2,
                wanted: 1
            })
        ),
        "{refused:?}"
    );
    drop(first);
    let third = expect(&mut sub);
    assert_eq!(
        (second.sequence(), third.sequence(), third.missed()),
        (2, 3, 0)
    );
}

#[test]
fn a_frame_outlives_its_subscription_and_is_given_back_by_any_thread() {
    let broker = FakeBroker::start();
    broker.publish(1);
    let mut sub = broker.subscribe().open().unwrap();
    let frame = expect(&mut sub);
    drop(sub);
    assert_eq!(broker.state().pages[0].held(), 1);
    broker.publish(10 * SLOTS);
    thread::spawn(move || assert_eq!(frame.bytes()[0], 1))
        .join()
        .unwrap();
    assert_eq!(broker.state().pages[0].held(), 0);
}

#[test]
fn the_newest_can_be_had_again_without_disturbing_the_order() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().every(4).open().unwrap();
    assert!(sub.latest().unwrap().is_none());
    broker.publish(3);
    for _ in 0..2 {
        assert_eq!(sub.latest().unwrap().map(|frame| frame.sequence()), Some(3));
    }
    assert_eq!((expect(&mut sub).sequence(), sub.missed()), (1, 0));

    let mut newest = broker.subscribe().latest().open().unwrap();
    assert_eq!(
        newest.latest().unwrap().map(|frame| frame.sequence()),
        Some(3)
    );
    assert!(newest.try_next().unwrap().is_none());
}

#[test]
fn a_clip_is_the_newest_frames_oldest_first() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().history(3).open().unwrap();
    assert!(sub.clip(3).unwrap().is_empty());
    broker.publish(2);
    assert_eq!(sequences(&sub.clip(3).unwrap()), [1, 2]);
    broker.publish(8);
    let clip = sub.clip(3).unwrap();
    assert_eq!(sequences(&clip), [8, 9, 10]);
    assert!(
        clip.iter()
            .all(|frame| frame.bytes()[0] == u8::try_from(frame.sequence()).unwrap())
    );
    assert!(matches!(
        sub.clip(2),
        Err(Error::LeasesExhausted {
            held: 3,
            leases: 4,
            wanted: 2
        })
    ));
    assert_eq!(expect(&mut sub).sequence(), 10);
}

#[test]
fn a_clip_has_no_gaps() {
    let broker = FakeBroker::start();
    broker.publish(1);
    let mut holder = broker.subscribe().open().unwrap();
    let _first = expect(&mut holder);
    broker.publish(SLOTS);
    let clip = broker
        .subscribe()
        .history(20)
        .open()
        .unwrap()
        .clip(20)
        .unwrap();
    let newest = 1 + SLOTS as u64;
    assert_eq!(
        sequences(&clip),
        (newest - (SLOTS as u64 - 2)..=newest).collect::<Vec<_>>()
    );
}

#[test]
fn the_lease_page_tells_what_the_reader_did() {
    let broker = FakeBroker::start();
    broker.publish(1);
    let mut sub = broker.subscribe().open().unwrap();
    drop(expect(&mut sub));
    broker.publish(4);
    let frame = expect(&mut sub);
    let state = broker.state();
    let told = |at: usize| state.pages[0].view().word(at).load(Relaxed);
    assert_eq!(told(page::TAKEN), 2);
    assert_eq!(told(page::LAST_SEQUENCE), 5);
    assert_eq!(told(page::MISSED), 3);
    assert_eq!(told(page::REFUSED), 0);
    assert!(told(page::LAST_TAKEN_NS) >= frame.published_ns());
    assert_eq!(told(page::WAITING), 0);
}

#[test]
fn the_descriptor_is_readable_until_all_was_taken() {
    for blocking in [false, true] {
        let broker = FakeBroker::start();
        broker.state().blocking_eventfd = blocking;
        let mut sub = broker.subscribe().eventfd(true).open().unwrap();
        let readable = |sub: &Subscription| {
            let mut watched = [PollFd::new(sub, PollFlags::IN)];
            poll(&mut watched, Some(&Timespec::default())).unwrap() == 1
        };
        assert!(sub.as_fd().try_clone_to_owned().is_ok());
        assert!(!readable(&sub));
        broker.publish(1);
        assert!(readable(&sub));
        assert_eq!(
            sub.try_next().unwrap().map(|frame| frame.sequence()),
            Some(1)
        );
        assert!(sub.try_next().unwrap().is_none());
        assert!(!readable(&sub));
    }
}

#[test]
fn frames_can_be_sent_to_other_threads() {
    fn must_be_send<T: Send + Sync>() {}
    must_be_send::<Frame>();
    must_be_send::<Subscription>();
}

#[test]
fn no_descriptor_is_left_to_a_child() {
    let broker = FakeBroker::start();
    let _sub = broker.subscribe().eventfd(true).open().unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir("/proc/self/fd").unwrap() {
        let path = entry.unwrap().path();
        let number = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Other tests open and close theirs at the same time.
        let (Ok(target), Ok(info)) = (
            std::fs::read_link(&path),
            std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")),
        ) else {
            continue;
        };
        let target = target.to_str().unwrap();
        let ours = ["/memfd:", "anon_inode:", "socket:"];
        if number.len() == 1 && number <= "2".into()
            || !ours.iter().any(|it| target.starts_with(it))
        {
            continue;
        }
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = u32::from_str_radix(flags.unwrap().trim(), 8).unwrap();
        assert!(flags & 0o2_000_000 != 0, "{target} would be inherited");
        seen += 1;
    }
    assert!(seen >= 7, "{seen} descriptors of broker and client");
}
