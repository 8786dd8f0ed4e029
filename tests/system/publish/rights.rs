//! Who may publish what, and how much of it.
//!
//! Owns the rules of the brokers here; needs root to become another user.

use super::raw::layout;
use super::{BARS, assert_honest, broker, publisher, reader, state_becomes, take};
use serde_json::{Value, json};
use streamem_tests::consumer::NOBODY;
use streamem_tests::{Broker, Consumer, eventually};

fn publish_as(user: u32, broker: &Broker, stream: &str) -> Value {
    let call = json!({
        "method": "io.streamem.Publish",
        "parameters": {"stream": stream, "layout": layout()},
    });
    let option = format!("call={call}");
    let mut command = Consumer::command_as(user, &broker.socket(), "-", &[&option]);
    Consumer::spawn(&mut command).expect("answer")
}

#[test]
fn another_user_publishes_only_where_the_rules_let_it() {
    let broker = Broker::with_config(
        "[access]\nread = [\"everyone\"]\n\
         [stream.closed]\nsource = \"publish://?format=gray8&size=64x48\"\n\
         [stream.open]\nsource = \"publish://?format=gray8&size=64x48\"\n\
         [stream.open.access]\nread = [\"everyone\"]\npublish = [\"user:65534\"]\n",
    );
    for stream in ["closed", "new"] {
        let answer = publish_as(NOBODY, &broker, stream);
        assert_eq!(answer["error"], "io.streamem.NotPermitted", "{answer}");
    }
    let answer = publish_as(NOBODY, &broker, "open");
    assert_eq!(answer["error"], Value::Null, "{answer}");
    let answer = publish_as(0, &broker, "closed");
    assert_eq!(answer["error"], Value::Null, "{answer}");
}

#[test]
fn brought_memory_that_no_device_imports_needs_only_the_right_to_read() {
    let broker = Broker::with_config("[access]\nread = [\"everyone\"]\nimport = []\n");
    let _publisher = Consumer::start(&broker.socket(), "edges", &[BARS, "own=12"]);
    assert_eq!(broker.stream("edges")["pool"], "brought");
    let mut command = Consumer::command_as(NOBODY, &broker.socket(), "edges", &["check=bars"]);
    let mut reader = Consumer::spawn(&mut command);
    reader.expect("opened");
    take(&mut reader, 5);
    assert_honest(&reader.finish());
}

#[test]
fn who_may_no_longer_read_is_not_given_renewed_memory() {
    let rules = |read: &str| {
        format!(
            "[access]\nsee = [\"everyone\"]\nread = [\"{read}\"]\n\
             [stream.edges]\nsource = \"publish://?format=bgr24&size=320x240\"\n"
        )
    };
    let broker = Broker::with_config(&rules("everyone"));
    let mut command = Consumer::command_as(NOBODY, &broker.socket(), "edges", &["check=bars"]);
    let mut reader = Consumer::spawn(&mut command);
    reader.expect("opened");
    broker.rewrite_config(&rules("user:root"));
    broker.hangup();
    eventually("the rules are read again", || {
        broker.log().contains("was read again").then_some(())
    });
    let _publisher = publisher(&broker, "edges");
    let told = reader.expect("error");
    assert!(told.to_string().contains("may not read"), "{told}");
}

#[test]
fn a_stream_with_a_living_source_is_not_taken_over() {
    let broker = broker();
    let _publisher = publisher(&broker, "edges");
    for stream in ["edges", "cam"] {
        let asked = json!({"stream": stream, "layout": layout()});
        let answer = broker.connect().call("Publish", asked);
        assert_eq!(answer.refused(), "StreamExists", "{answer:?}");
    }
}

#[test]
fn of_two_who_publish_the_same_name_the_first_to_begin_has_it() {
    let broker = broker();
    let asked = json!({"stream": "edges", "layout": layout()});
    let mut wires = [broker.connect(), broker.connect()];
    let begun = wires.each_mut().map(|wire| {
        let permit = wire.call("Publish", asked.clone()).ok();
        json!({"publication": permit["publication"]})
    });
    wires[1].call("Begin", begun[1].clone()).ok();
    let late = wires[0].call("Begin", begun[0].clone());
    assert_eq!(late.refused(), "StreamExists", "{late:?}");
    let foreign = wires[0].call("Unpublish", begun[1].clone());
    assert_eq!(foreign.refused(), "NoSuchPublication");
}

#[test]
fn publishing_is_charged_and_given_back() {
    let broker = Broker::with_config(
        "[quota]\nbytes = 150000\n[stream.cam]\nsource = \"pattern://bars?size=160x120&rate=30\"\n",
    );
    let asked = |stream: &str| json!({"stream": stream, "layout": layout()});
    let mut first = broker.connect();
    first.call("Publish", asked("one")).ok();
    let answer = broker.connect().call("Publish", asked("two"));
    assert_eq!(answer.refused(), "QuotaExceeded", "{answer:?}");
    drop(first);
    eventually("what it had is given back", || {
        let answer = broker.connect().call("Publish", asked("two"));
        answer.error.is_none().then_some(())
    });
}

#[test]
fn what_cannot_be_published_is_refused_by_name() {
    let broker = broker();
    let mut wire = broker.connect();
    let mut refused = |asked: Value| wire.call("Publish", asked).refused().to_owned();
    assert_eq!(refused(json!({"stream": "x"})), "InvalidParameter");
    assert_eq!(
        refused(json!({"stream": "x", "like": "nothing"})),
        "NoSuchStream"
    );
    let odd = json!({"format": "nv12", "width": 3, "height": 3});
    assert_eq!(refused(json!({"stream": "x", "layout": odd})), "BadLayout");
    let both = json!({"stream": "x", "like": "cam", "layout": layout()});
    assert_eq!(refused(both), "InvalidParameter");
    for slots in [0, 9] {
        let asked = json!({"stream": "x", "layout": layout(), "slots": slots});
        assert_eq!(refused(asked), "InvalidParameter");
    }
    let few = json!({"stream": "x", "layout": layout(), "slots_max": 3});
    assert_eq!(refused(few), "InvalidParameter");
}

#[test]
fn a_configured_name_waits_for_a_publisher_that_fits() {
    let broker = Broker::with_config(
        "[stream.edges]\nsource = \"publish://?format=bgr24&size=320x240&rate=60\"\n",
    );
    let why = state_becomes(&broker, "edges", "lost");
    assert!(why.contains("waits for its publisher"), "{why}");
    let mut early = reader(&broker, "edges", &[]);
    let asked = json!({"stream": "edges", "layout": layout()});
    let answer = broker.connect().call("Publish", asked);
    assert_eq!(answer.refused(), "BadLayout");
    let told = answer.parameters["message"].to_string();
    assert!(
        told.contains("320x240 bgr24") && told.contains("64x48 gray8"),
        "{told}"
    );

    let mut fitting = Consumer::start(&broker.socket(), "edges", &[BARS]);
    state_becomes(&broker, "edges", "live");
    take(&mut early, 20);
    fitting.kill9();
    state_becomes(&broker, "edges", "lost");
    assert_honest(&early.finish());
    assert_eq!(broker.stream("edges")["state"], "lost", "it stays");
}
