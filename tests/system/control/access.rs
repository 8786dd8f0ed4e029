//! Who may do what: rules by user, tried as another user in a process of its own.
//!
//! Owns the users; needs root to become one.

use super::assert_answer;
use serde_json::{Value, json};
use streamem_tests::consumer::NOBODY;
use streamem_tests::{Broker, Consumer, Wire};

const CONFIG: &str = r#"
[access]
see = ["everyone"]
read = ["user:root"]
admin = ["user:root"]
[stream.open]
source = "pattern://bars?size=160x120&rate=30"
[stream.open.access]
read = ["everyone"]
[stream.closed]
source = "pattern://bars?size=160x120&rate=30"
[stream.numbered]
source = "pattern://bars?size=160x120&rate=30"
[stream.numbered.access]
read = ["user:65534"]
[stream.hidden]
source = "pattern://bars?size=160x120&rate=30"
[stream.hidden.access]
see = ["user:root"]
"#;

fn ask_as(user: u32, broker: &Broker, method: &str, parameters: &Value) -> Value {
    let call = json!({"method": format!("io.streamem.{method}"), "parameters": parameters});
    let option = format!("call={call}");
    let mut command = Consumer::command_as(user, &broker.socket(), "-", &[&option]);
    Consumer::spawn(&mut command).expect("answer")
}

#[test]
fn another_user_may_do_what_the_rules_say_and_no_more() {
    let broker = Broker::with_config(CONFIG);
    let subscribe = |stream: &str| json!({ "stream": stream });
    let add = json!({"stream": "x", "source": "pattern://bars?size=160x120"});
    let cases = [
        ("Subscribe", subscribe("open"), None),
        ("Subscribe", subscribe("numbered"), None),
        ("Subscribe", subscribe("closed"), Some("NotPermitted")),
        ("Info", subscribe("closed"), None),
        ("Subscribe", subscribe("hidden"), Some("NoSuchStream")),
        ("Info", subscribe("hidden"), Some("NoSuchStream")),
        ("AddStream", add, Some("NotPermitted")),
        ("RemoveStream", subscribe("open"), Some("NotPermitted")),
        ("RemoveStream", subscribe("hidden"), Some("NoSuchStream")),
        ("Ping", json!({}), None),
    ];
    for (method, parameters, refusal) in cases {
        let answer = ask_as(NOBODY, &broker, method, &parameters);
        assert_eq!(answer["is"], "answer", "{method} {parameters}");
        assert_answer(&answer, refusal);
    }
    assert_answer(&ask_as(0, &broker, "Subscribe", &subscribe("closed")), None);
}

#[test]
fn another_user_sees_neither_hidden_streams_nor_foreign_sessions() {
    let broker = Broker::with_config(CONFIG);
    let mut own = broker.connect();
    own.subscribe("closed", 2);
    let listing = ask_as(NOBODY, &broker, "List", &json!({}));
    let streams = listing["parameters"]["streams"].as_array().expect("a list");
    let names: Vec<_> = streams
        .iter()
        .filter_map(|entry| entry["name"].as_str())
        .collect();
    assert!(
        names.contains(&"closed") && !names.contains(&"hidden"),
        "{names:?}"
    );

    let inspection = ask_as(NOBODY, &broker, "Inspect", &json!({}))["parameters"].clone();
    let sessions = inspection["sessions"].as_array().expect("a list");
    assert!(
        sessions.iter().all(|entry| entry["uid"] == NOBODY),
        "{sessions:?}"
    );
    assert_eq!(inspection["subscriptions"], json!([]));
    let all = inspection.to_string();
    assert!(!all.contains("hidden"), "a hidden stream shows: {all}");
}

fn call_as_nobody(broker: &Broker, call: &Value) -> Consumer {
    let option = format!("call={call}");
    Consumer::spawn(&mut Consumer::command_as(
        NOBODY,
        &broker.socket(),
        "-",
        &[&option],
    ))
}

fn wait_until_sessions(wire: &mut Wire, count: usize) {
    streamem_tests::eventually("everybody has called", || {
        let inspection = wire.call("Inspect", json!({})).ok();
        (inspection["sessions"].as_array().map(Vec::len) == Some(count)).then_some(())
    });
}

#[test]
fn who_waits_or_watches_hears_of_rights_that_come_and_go() {
    let broker = Broker::with_config(CONFIG);
    let watch = json!({"method": "io.streamem.List", "more": true});
    let mut watcher = call_as_nobody(&broker, &watch);
    watcher.expect("answer");
    let wait = json!({"stream": "hidden", "wait": true});
    let wait = json!({"method": "io.streamem.Subscribe", "parameters": wait});
    let mut waiting = call_as_nobody(&broker, &wait);
    wait_until_sessions(&mut broker.connect(), 3);

    let mut next_change = |change: &str| {
        loop {
            let listing = watcher.expect("answer")["parameters"].clone();
            if listing["change"] == change {
                return listing["streams"][0]["name"].clone();
            }
        }
    };
    broker.rewrite_config(&CONFIG.replace(
        "see = [\"user:root\"]",
        "see = [\"everyone\"]\nread = [\"everyone\"]",
    ));
    broker.hangup();
    assert_eq!(next_change("appeared"), "hidden");
    let grant = waiting.expect("answer");
    assert_answer(&grant, None);
    assert_eq!(grant["fds"], 3, "{grant}");

    broker.rewrite_config(CONFIG);
    broker.hangup();
    assert_eq!(next_change("vanished"), "hidden");
}
