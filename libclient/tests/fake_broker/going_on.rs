//! What a reader does when memory is renewed, a stream ends, or the broker goes away and comes back.

use crate::fake::{Broker, FakeBroker};
use crate::memory::Memory;
use rustix::event::{PollFd, PollFlags, poll};
use std::time::{Duration, Instant};
use streamem::{Error, Frame, Reason, StreamState, Subscription};
use streamem_wire::{Generation, RingState, Sequence};

const LONG: Duration = Duration::from_secs(20);

fn expect(sub: &mut Subscription) -> Frame {
    sub.next(LONG).unwrap().expect("a frame")
}

/// A broker that was started anew knows nothing of those before.
fn forget(broker: &mut Broker) {
    broker.pages.clear();
    broker.subscriptions = 0;
    broker.memory = Memory::new(Generation(1));
    broker.sequence = Sequence::NONE;
}

#[test]
fn renewed_memory_is_taken_up_after_the_last_frame_of_the_old() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().every(4).leases(3).open().unwrap();
    broker.publish(2);
    let first = expect(&mut sub);
    broker.state().renew();
    assert_eq!(sub.state(), StreamState::Renewed);
    broker.publish(1);
    let second = expect(&mut sub);
    assert_eq!(broker.state().renewals, 0, "there was a frame left");
    let third = expect(&mut sub);
    assert_eq!(broker.state().renewals, 1);
    assert_eq!([&first, &second, &third].map(Frame::sequence), [1, 2, 3]);
    assert_eq!(
        [&first, &second, &third].map(|frame| frame.bytes()[0]),
        [1, 2, 3]
    );
    assert_eq!(sub.missed(), 0);
    broker.publish(1);
    assert!(
        matches!(sub.next(LONG), Err(Error::LeasesExhausted { held: 3, .. })),
        "frames of the old memory still count"
    );
    drop(first);
    assert_eq!(expect(&mut sub).sequence(), 4);
}

#[test]
fn a_waiting_reader_is_led_to_renewed_memory() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().open().unwrap();
    broker.publish(1);
    assert_eq!(expect(&mut sub).sequence(), 1);
    broker.state().renew();
    let published = broker.when(|it| it.renewals == 1, |it| it.publish(1));
    assert_eq!(expect(&mut sub).sequence(), 2);
    published.join().unwrap();
}

#[test]
fn the_latest_is_not_looked_for_in_retired_memory() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().open().unwrap();
    broker.publish(1);
    assert_eq!(sub.latest().unwrap().map(|frame| frame.sequence()), Some(1));
    broker.state().renew();
    broker.publish(1);
    let end = Instant::now() + LONG;
    while sub.latest().unwrap().map(|frame| frame.sequence()) != Some(2) {
        assert!(Instant::now() < end, "it never came to the new memory");
    }
}

#[test]
fn the_end_of_a_stream_is_told_after_its_last_frame() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().open().unwrap();
    broker.publish(1);
    broker.state().memory.set_state(RingState::Ended);
    assert_eq!(expect(&mut sub).sequence(), 1);
    let ended = sub.next(LONG);
    assert!(
        matches!(&ended, Err(Error::StreamEnded { stream }) if stream == "cam"),
        "{ended:?}"
    );
}

#[test]
fn a_stream_that_ended_is_waited_for_if_asked() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().wait(true).open().unwrap();
    {
        let mut state = broker.state();
        state.exists = false;
        state.memory.set_state(RingState::Ended);
    }
    assert!(sub.next(Duration::from_millis(50)).unwrap().is_none());
    assert_eq!(sub.state(), StreamState::Disconnected);
    let mut state = broker.state();
    forget(&mut state);
    state.publish(1);
    state.exists = true;
    drop(state);
    assert_eq!(expect(&mut sub).sequence(), 1);
}

#[test]
fn a_stream_that_does_not_exist_is_refused_or_waited_for_as_asked() {
    let broker = FakeBroker::start();
    broker.state().exists = false;
    let refused = broker.subscribe().open();
    assert!(
        matches!(&refused, Err(Error::Refused(refusal)) if refusal.reason == Reason::NoSuchStream),
        "{refused:?}"
    );
    let place = broker.place();
    let opening =
        std::thread::spawn(move || Subscription::builder("cam").socket(place).wait(true).open());
    broker.publish(1);
    broker.state().exists = true;
    assert_eq!(expect(&mut opening.join().unwrap().unwrap()).sequence(), 1);
}

#[test]
fn a_broker_that_comes_back_with_its_memory_is_gone_on_with() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().every(6).open().unwrap();
    broker.publish(2);
    let first = expect(&mut sub);
    broker.vanish();
    assert_eq!(expect(&mut sub).sequence(), 2);
    assert!(sub.next(Duration::from_millis(600)).unwrap().is_none());
    assert_eq!(sub.state(), StreamState::Disconnected);
    broker.come_back();
    let published = broker.when(|it| it.asked.len() == 2, |it| it.publish(2));
    let third = expect(&mut sub);
    assert_eq!((third.sequence(), first.bytes()[0]), (3, 1));
    drop((first, third));
    assert_eq!((expect(&mut sub).sequence(), sub.missed()), (4, 0));
    published.join().unwrap();
    assert!(sub.try_next().unwrap().is_none());
    assert_eq!(sub.state(), StreamState::Live);
    let state = broker.state();
    assert_eq!((state.pages.len(), state.asked.len()), (1, 2));
    assert_eq!(state.asked[1].resume.map(|id| id.0), Some(sub.id()));
}

#[test]
fn a_broker_that_comes_back_is_noticed_though_frames_never_pause() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().open().unwrap();
    broker.publish(1);
    expect(&mut sub);
    broker.state().hang_up();
    let end = Instant::now() + LONG;
    while broker.state().asked.len() < 2 {
        assert!(Instant::now() < end, "it never looked at its socket");
        broker.publish(1);
        assert!(sub.try_next().unwrap().is_some(), "there is a frame");
    }
    assert_eq!(
        broker.state().asked[1].resume.map(|id| id.0),
        Some(sub.id())
    );
}

#[test]
fn a_broker_that_was_started_anew_is_gone_on_with_and_old_frames_stay() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().every(6).open().unwrap();
    broker.publish(40);
    let old = expect(&mut sub);
    while sub.try_next().unwrap().is_some() {}
    let missed = sub.missed();
    broker.vanish();
    forget(&mut broker.state());
    broker.publish(2);
    broker.come_back();
    let new = expect(&mut sub);
    assert_eq!((old.sequence(), new.sequence()), (35, 2));
    assert_eq!((old.bytes()[0], new.bytes()[0]), (35, 2));
    assert_eq!((new.missed(), sub.missed()), (0, missed));
}

#[test]
fn a_broker_that_goes_away_wakes_a_foreign_loop_and_coming_back_does_too() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().eventfd(true).open().unwrap();
    let readable = |sub: &Subscription, seconds: i64| {
        let limit = rustix::time::Timespec {
            tv_sec: seconds,
            tv_nsec: 0,
        };
        poll(&mut [PollFd::new(sub, PollFlags::IN)], Some(&limit)).unwrap() == 1
    };
    assert!(!readable(&sub, 0));
    broker.vanish();
    assert!(readable(&sub, 20));
    assert!(sub.try_next().unwrap().is_none());
    assert_eq!(sub.state(), StreamState::Disconnected);
    forget(&mut broker.state());
    broker.publish(1);
    broker.come_back();
    let frame = loop {
        assert!(readable(&sub, 20), "the loop was left asleep");
        if let Some(frame) = sub.try_next().unwrap() {
            break frame;
        }
    };
    assert_eq!(frame.sequence(), 1);
    assert_eq!(sub.state(), StreamState::Live);
}

#[test]
fn a_refusal_while_going_on_is_told_and_the_next_call_tries_again() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().open().unwrap();
    {
        let mut state = broker.state();
        forget(&mut state);
        state.exists = false;
        state.hang_up();
    }
    assert!(matches!(sub.next(LONG), Err(Error::Refused(_))));
    let mut state = broker.state();
    state.exists = true;
    state.publish(1);
    drop(state);
    assert_eq!(expect(&mut sub).sequence(), 1);
}

#[test]
fn a_silent_broker_costs_no_more_than_the_time_given() {
    let broker = FakeBroker::start();
    let mut sub = broker.subscribe().open().unwrap();
    broker.state().hang_up();
    let state = broker.state();
    assert!(sub.next(Duration::from_millis(700)).unwrap().is_none());
    drop(state);
    broker.publish(1);
    assert_eq!(expect(&mut sub).sequence(), 1);
}
