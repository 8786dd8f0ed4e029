//! Ends and changes of the stream, of the server and of the broker, as a pipeline sees them.
//!
//! Owns what ends; never kills a pipeline.

use super::{HEIGHT, Pipeline, Server, WIDTH, assert_complete, config, pictures, steady_broker};
use serde_json::json;
use streamem_tests::{Broker, eventually};

#[test]
fn a_stream_that_is_removed_ends_its_readers_and_can_come_again() {
    let broker = steady_broker();
    let add = || {
        let source = "pattern://bars?size=320x240&rate=15&format=rgb24";
        broker.ask("AddStream", json!({"stream": "extra", "source": source}))
    };
    add();
    let server = Server::start(&broker, "extra");
    let mut reader = Pipeline::plain(&server, "first");
    reader.wait_for_pictures(3);
    broker.ask("RemoveStream", json!({"stream": "extra"}));
    assert!(reader.wait_for_end().success(), "an end is no error");
    assert_complete(&reader.pictures());

    let mut early = Pipeline::plain(&server, "early");
    assert!(!early.wait_for_end().success(), "there is no stream");
    add();
    let mut again = Pipeline::start(&server, "again", "num-buffers=3", "");
    assert!(again.wait_for_end().success());
    assert_eq!(again.pictures().len(), 3);
}

#[test]
fn a_server_that_ends_tells_its_readers_and_leaves_no_socket() {
    let broker = steady_broker();
    let mut server = Server::start(&broker, "cam");
    let mut reader = Pipeline::plain(&server, "one");
    reader.wait_for_pictures(3);
    assert!(server.terminate().success());
    assert!(reader.wait_for_end().success());
    assert_complete(&reader.pictures());
    assert!(!server.socket.exists());
    eventually("nothing is subscribed any more", || {
        (broker.inspect()["subscriptions"] == json!([])).then_some(())
    });
}

#[test]
fn readers_go_on_when_the_pictures_change() {
    let broker = Broker::with_config(&config("size=160x120&rate=15&format=rgb24"));
    let server = Server::start(&broker, "cam");
    let elements = format!("! videoconvertscale ! video/x-raw,width={WIDTH},height={HEIGHT}");
    let reader = Pipeline::start(&server, "one", "", &elements);
    reader.wait_for_pictures(3);
    broker.rewrite_config(&config("size=320x240&rate=15&format=rgb24"));
    broker.hangup();
    eventually("pictures of the new size come, as they are", || {
        let bytes = std::fs::read(&reader.file).ok()?;
        let size = usize::try_from(pictures().bytes).ok()?;
        let last = bytes.chunks_exact(size).next_back()?;
        streamemd::source::pattern::bars::check(&pictures(), last).ok()
    });
}

#[test]
fn readers_go_on_when_the_broker_is_started_anew() {
    let mut broker = steady_broker();
    let server = Server::start(&broker, "cam");
    let reader = Pipeline::plain(&server, "one");
    reader.wait_for_pictures(3);
    broker.restart();
    reader.wait_for_pictures(reader.pictures().len() + 5);
    reader.pictures();
}
