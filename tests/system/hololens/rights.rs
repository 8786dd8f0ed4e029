//! What a worker may: publish the streams it was given, and nothing else. And nobody else may publish those.

use super::{becomes, broker, sessions_of, stream, worker_of};
use serde_json::json;

#[test]
fn a_session_for_one_stream_is_good_for_nothing_else() {
    let config = stream("own", "hl2ss://thief.test/vlc-left-front")
        + &stream("other", "hl2ss://honest.test/vlc-left-front")
        + &stream("bars", "pattern://bars?size=64x48&rate=30");
    let broker = broker(&config);
    let answers = becomes(&broker, "own", "lost", "Publish");
    let told = answers.split(' ');
    let told: Vec<(&str, &str)> = told.filter_map(|answer| answer.split_once(':')).collect();
    assert_eq!(
        told,
        [
            ("Publish", "NotPermitted"),
            ("Publish", "InvalidParameter"),
            ("Publish", "InvalidParameter"),
            ("Publish", "InvalidParameter"),
            ("Subscribe", "NotPermitted"),
            ("List", "NotPermitted"),
            ("Inspect", "NotPermitted"),
            ("RemoveStream", "NotPermitted"),
            ("Begin", "NoSuchPublication"),
        ]
    );
    becomes(&broker, "other", "live", "");
    becomes(&broker, "bars", "live", "");
}

#[test]
fn nobody_else_publishes_what_a_worker_fills() {
    let broker = broker(&stream("left", "hl2ss://mute.test/vlc-left-front"));
    let refused = broker
        .connect()
        .call("Publish", json!({ "stream": "left" }));
    assert_eq!(refused.refused(), "NotPermitted");
    let message = refused.parameters["message"].as_str().unwrap_or_default();
    assert!(message.contains("by the broker's own worker"), "{message}");
}

#[test]
fn a_worker_is_seen_as_the_process_it_is_and_charged_to_nobody() {
    let config =
        "[access]\npublish = []\n[quota]\nsessions = 1\nsubscriptions = 1\ndescriptors = 1\n"
            .to_owned()
            + &stream("left", "hl2ss://honest.test/vlc-left-front")
            + &stream("right", "hl2ss://honest.test/vlc-right-front");
    let broker = broker(&config);
    becomes(&broker, "left", "live", "");
    becomes(&broker, "right", "live", "");
    let pid = worker_of(&broker, "left");
    let sessions = sessions_of(&broker, pid);
    assert_eq!(sessions.len(), 2);
    assert!(sessions.iter().all(|it| it["command"] == "stand-in-worker"));
    let accounts = broker.inspect()["accounts"].clone();
    assert_eq!(
        accounts[0]["used"]["sessions"], 1,
        "only who asks: {accounts}"
    );
}

#[test]
fn one_port_of_a_device_is_asked_for_one_thing() {
    let broker = broker(&stream("depth", "hl2ss://honest.test/ahat-depth"));
    let add = |name: &str, what: &str| {
        let source = format!("hl2ss://honest.test/{what}");
        let call = json!({ "stream": name, "source": source });
        broker.connect().call("AddStream", call)
    };
    let refused = add("ab", "ahat-ab?depth=same");
    assert_eq!(refused.refused(), "BadSource");
    let message = refused.parameters["message"].as_str().unwrap_or_default();
    assert!(message.contains("\"depth\""), "{message}");
    add("ab", "ahat-ab").ok();
    becomes(&broker, "ab", "live", "");
}
