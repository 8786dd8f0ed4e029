//! Who is told which events: streams to those who may see them, sessions and subscriptions to
//! administrators.
//!
//! Owns a user who is none, in a process of its own; needs root to become that user.

use serde_json::{Value, json};
use streamem_tests::consumer::NOBODY;
use streamem_tests::{Broker, Consumer, Wire};

const CONFIG: &str = "[access]\nsee = [\"everyone\"]\nread = [\"everyone\"]\nadmin = [\"user:root\"]\n\
                      [stream.cam]\nsource = \"pattern://bars?size=160x120&rate=30\"\n";
/// Events about sessions and subscriptions, which tell of other users.
const ABOUT_USERS: [&str; 4] = [
    "session-opened",
    "session-closed",
    "subscribed",
    "unsubscribed",
];

/// Everything up to and with this event.
fn told_until(last: &str, mut next: impl FnMut() -> Value) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let event = next();
        let name = event["event"].as_str().expect("a name").to_owned();
        let is_last = name == last;
        told.push(name);
        if is_last {
            return told;
        }
    }
}

fn use_a_stream(wire: &mut Wire) {
    let grant = wire.subscribe("cam", 1);
    let subscription = json!({"subscription": grant.parameters["subscription"]});
    wire.call("Unsubscribe", subscription).ok();
}

#[test]
fn only_administrators_are_told_of_sessions_and_subscriptions() {
    let broker = Broker::with_config(CONFIG);
    let mut admin = broker.connect();
    admin.call_more("Monitor", json!({}));
    let monitor = json!({"method": "io.streamem.Monitor", "more": true});
    let subscribe = json!({"method": "io.streamem.Subscribe", "parameters": {"stream": "cam"}});
    let options = [format!("call={subscribe}"), format!("call={monitor}")];
    let options = options.each_ref().map(String::as_str);
    let mut command = Consumer::command_as(NOBODY, &broker.socket(), "-", &options);
    let mut nobody = Consumer::spawn(&mut command);
    let mut next_to_nobody = || nobody.expect("answer")["parameters"].clone();
    while next_to_nobody()["event"] != "monitoring" {}

    use_a_stream(&mut broker.connect());
    let source = "pattern://bars?size=160x120";
    broker.ask("AddStream", json!({"stream": "extra", "source": source}));

    let to_nobody = told_until("stream-added", next_to_nobody);
    assert_eq!(to_nobody, ["stream-added"], "it is told of others");
    let to_admin = told_until("stream-added", || admin.receive().expect("an event").ok());
    for about in ABOUT_USERS {
        assert!(
            to_admin.iter().any(|event| event == about),
            "{about} is not in {to_admin:?}"
        );
    }
}
