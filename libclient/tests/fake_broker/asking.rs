//! Questions to a broker that are not about frames.

use crate::fake::FakeBroker;
use std::path::Path;
use std::time::Duration;
use streamem::message::{Change, Event};
use streamem::{Client, Error, Reason};

#[test]
fn questions_are_answered_one_after_the_other() {
    let broker = FakeBroker::start();
    let mut client = Client::connect(Some(&broker.place())).unwrap();
    assert_eq!(client.socket(), broker.place());
    assert_eq!(client.ping().unwrap().version, "test");
    assert_eq!(
        client.info("cam").unwrap().layout,
        broker.state().memory.layout
    );
    client.remove_stream("cam").unwrap();
}

#[test]
fn a_refusal_leaves_the_session_as_it_was() {
    let broker = FakeBroker::start();
    let mut client = Client::connect(Some(&broker.place())).unwrap();
    let refused = client.call::<serde_json::Value>("io.streamem.Dance", ());
    assert!(
        matches!(&refused, Err(Error::Refused(refusal)) if refusal.reason == Reason::MethodNotFound),
        "{refused:?}"
    );
    assert!(client.ping().is_ok());
}

#[test]
fn a_name_that_can_be_no_streams_is_not_even_asked_for() {
    let broker = FakeBroker::start();
    let mut client = Client::connect(Some(&broker.place())).unwrap();
    assert!(matches!(client.info("a/b"), Err(Error::BadName(_))));
}

#[test]
fn replies_come_one_by_one_until_the_last() {
    let broker = FakeBroker::start();
    let client = Client::connect(Some(&broker.place())).unwrap();
    let mut changes = client.watch_streams().unwrap();
    let first = changes
        .next_within(Duration::from_secs(20))
        .unwrap()
        .unwrap();
    assert_eq!(first.change, Change::Present);
    assert!(!changes.has_ended());
    assert_eq!(changes.next().unwrap().unwrap().change, Change::Vanished);
    assert!(changes.next().is_none());
}

#[test]
fn replies_end_with_a_refusal() {
    let broker = FakeBroker::start();
    let client = Client::connect(Some(&broker.place())).unwrap();
    let events: Vec<Result<Event, Error>> = client.monitor().unwrap().collect();
    assert!(matches!(events[..], [Err(Error::Refused(_))]));
}

#[test]
fn a_broker_that_is_not_there_is_named_with_what_to_do() {
    let absent = Client::connect(Some(Path::new("/nonexistent/socket"))).unwrap_err();
    let told = absent.to_string();
    assert!(
        told.contains("/nonexistent/socket") && told.contains("streamemd"),
        "{told}"
    );
    let long = Client::connect(Some(Path::new(&"x".repeat(200)))).unwrap_err();
    assert!(long.to_string().contains("shorter than 108"), "{long}");
}

#[test]
fn a_reply_that_comes_too_late_is_not_taken_for_that_of_the_next_call() {
    let broker = FakeBroker::start();
    let mut client = Client::connect(Some(&broker.place())).unwrap();
    client.ping().unwrap();
    let silence = broker.state();
    let unanswered = client.info("cam");
    assert!(
        matches!(unanswered, Err(Error::NoAnswer { .. })),
        "{unanswered:?}"
    );
    drop(silence);
    assert_eq!(client.ping().unwrap().version, "test");
    assert_eq!(client.info("cam").unwrap().name.as_str(), "cam");
}

#[test]
fn a_client_whose_broker_hung_up_connects_again_with_its_next_call() {
    let broker = FakeBroker::start();
    let mut client = Client::connect(Some(&broker.place())).unwrap();
    client.ping().unwrap();
    broker.vanish();
    assert!(matches!(client.ping(), Err(Error::HungUp { .. })));
    assert!(matches!(client.ping(), Err(Error::NoBroker { .. })));
    broker.come_back();
    assert_eq!(client.ping().unwrap().version, "test");
}
