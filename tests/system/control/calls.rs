//! Each method, called as the specification has it and as it must not be.
//!
//! Owns the plain calls; those that have several replies are in `watching`.

use serde_json::json;
use streamem_tests::Broker;

#[test]
fn a_broker_without_configuration_serves_the_random_camera_and_microphone() {
    let broker = Broker::start();
    let camera = broker.stream("randcam");
    assert_eq!(camera["layout"]["format"], "bgr24");
    assert_eq!(camera["layout"]["array"]["shape"], json!([720, 1280, 3]));
    assert_eq!(camera["layout"]["rate"], 30.0);
    let microphone = broker.stream("randmc");
    assert_eq!(microphone["layout"]["array"]["shape"], json!([2, 1024]));
    assert_eq!(microphone["layout"]["array"]["dtype"], "<f4");
}

#[test]
fn ping_tells_who_answers() {
    let broker = Broker::start();
    let pong = broker.ask("Ping", json!({}));
    assert_eq!(pong["pid"], broker.pid());
    assert!(
        pong["now_ns"].as_u64() >= pong["started_ns"].as_u64(),
        "{pong}"
    );
}

#[test]
fn a_stream_can_be_added_read_and_removed() {
    let broker = Broker::start();
    let mut wire = broker.connect();
    let source = "pattern://bars?size=160x120&rate=30";
    let added = wire
        .call("AddStream", json!({"stream": "extra", "source": source}))
        .ok();
    assert_eq!(added["stream"]["name"], "extra");
    let again = wire.call("AddStream", json!({"stream": "extra", "source": source}));
    assert_eq!(again.refused(), "StreamExists");
    assert_eq!(wire.subscribe("extra", 2).fds.len(), 3);
    wire.call("RemoveStream", json!({"stream": "extra"})).ok();
    assert_eq!(
        wire.call("Info", json!({"stream": "extra"})).refused(),
        "NoSuchStream"
    );
}

#[test]
fn what_cannot_be_is_refused_by_name_and_the_session_lives() {
    let broker = Broker::start();
    let mut wire = broker.connect();
    let refusals = [
        ("Info", json!({"stream": "none"}), "NoSuchStream"),
        ("Info", json!({"stream": "../etc"}), "InvalidParameter"),
        ("Info", json!({}), "InvalidParameter"),
        ("Info", json!({"stream": 7}), "InvalidParameter"),
        (
            "Info",
            json!({"stream": "randcam", "colour": "red"}),
            "InvalidParameter",
        ),
        ("Subscribe", json!({"stream": "none"}), "NoSuchStream"),
        (
            "Subscribe",
            json!({"stream": "randcam", "mode": "sometimes"}),
            "InvalidParameter",
        ),
        (
            "Subscribe",
            json!({"stream": "randcam", "leases": 0}),
            "InvalidParameter",
        ),
        (
            "Subscribe",
            json!({"stream": "randcam", "leases": 449}),
            "InvalidParameter",
        ),
        (
            "Subscribe",
            json!({"stream": "randcam", "leases": -1}),
            "InvalidParameter",
        ),
        (
            "Subscribe",
            json!({"stream": "randcam", "leases": 4294967296_u64}),
            "InvalidParameter",
        ),
        (
            "Subscribe",
            json!({"stream": "randcam", "mode": "every", "depth": 0}),
            "InvalidParameter",
        ),
        (
            "Subscribe",
            json!({"stream": "randcam", "mode": "every", "depth": 4000}),
            "PoolFull",
        ),
        (
            "Unsubscribe",
            json!({"subscription": 999_999}),
            "NoSuchSubscription",
        ),
        (
            "Renew",
            json!({"subscription": 999_999}),
            "NoSuchSubscription",
        ),
        (
            "AddStream",
            json!({"stream": "a", "source": "gopher://x"}),
            "BadSource",
        ),
        (
            "AddStream",
            json!({"stream": "a", "source": "pattern://bars?size=0x0"}),
            "BadSource",
        ),
        ("RemoveStream", json!({"stream": "none"}), "NoSuchStream"),
        ("Monitor", json!({}), "ExpectedMore"),
        ("Dance", json!({}), "MethodNotFound"),
        ("org.example.Dance", json!({}), "InterfaceNotFound"),
    ];
    for (method, parameters, refusal) in refusals {
        let answer = wire.call(method, parameters.clone());
        assert_eq!(
            answer.refused(),
            refusal,
            "{method} {parameters}: {answer:?}"
        );
        let sentence = answer.parameters["message"].as_str().unwrap_or_default();
        assert!(
            sentence.len() > 10,
            "no sentence for {method} {parameters}: {answer:?}"
        );
    }
    wire.call("Ping", json!({})).ok();
}

#[test]
fn a_subscription_belongs_to_its_session_alone() {
    let broker = Broker::start();
    let mut owner = broker.connect();
    let grant = owner.subscribe("randcam", 2);
    let same = json!({"subscription": grant.parameters["subscription"]});
    let mut stranger = broker.connect();
    assert_eq!(
        stranger.call("Renew", same.clone()).refused(),
        "NoSuchSubscription"
    );
    assert_eq!(
        stranger.call("Unsubscribe", same.clone()).refused(),
        "NoSuchSubscription"
    );
    owner.call("Unsubscribe", same.clone()).ok();
    assert_eq!(
        owner.call("Unsubscribe", same).refused(),
        "NoSuchSubscription"
    );
}

#[test]
fn calls_made_in_one_breath_are_answered_in_order() {
    let broker = Broker::start();
    let mut wire = broker.connect();
    let mut breath = Vec::new();
    for stream in ["randcam", "none", "randmc"] {
        let call = json!({"method": "io.streamem.Info", "parameters": {"stream": stream}});
        breath.extend(call.to_string().into_bytes());
        breath.push(0);
    }
    breath.extend(b"{\"method\":\"io.streamem.Ping\",\"oneway\":true}\0");
    breath.extend(b"{\"method\":\"org.varlink.service.GetInfo\"}\0");
    assert!(wire.send_bytes(&breath));
    let mut next = || wire.receive().expect("an answer");
    assert_eq!(next().ok()["stream"]["name"], "randcam");
    assert_eq!(next().refused(), "NoSuchStream");
    assert_eq!(next().ok()["stream"]["name"], "randmc");
    assert!(
        next().ok()["interfaces"].is_array(),
        "oneway calls have no reply"
    );
}

#[test]
fn a_oneway_call_is_never_answered_and_holds_nothing_up() {
    let broker = Broker::start();
    let mut wire = broker.connect();
    for (method, parameters) in [
        ("List", json!({})),
        ("Monitor", json!({})),
        ("Subscribe", json!({"stream": "later", "wait": true})),
        ("Subscribe", json!({"stream": "randcam"})),
    ] {
        let method = format!("io.streamem.{method}");
        wire.send(
            &json!({"method": method, "parameters": parameters, "oneway": true, "more": true}),
        );
    }
    let later = json!({"stream": "later", "source": "pattern://imu"});
    wire.send(&json!({"method": "io.streamem.AddStream", "parameters": later, "oneway": true}));
    let listing = wire.call("List", json!({}));
    assert!(!listing.continues, "{listing:?}");
    assert_eq!(listing.ok()["streams"].as_array().map(Vec::len), Some(3));
    let inspection = wire.call("Inspect", json!({})).ok();
    assert_eq!(inspection["subscriptions"], json!([]), "{inspection}");
    assert!(!wire.has_unread(), "a oneway call was answered");
}

#[test]
fn an_eventfd_is_sent_when_asked_for_and_counts_frames() {
    let broker = Broker::start();
    let mut wire = broker.connect();
    let grant = wire.call("Subscribe", json!({"stream": "randcam", "eventfd": true}));
    assert_eq!(grant.fds.len(), 4, "{grant:?}");
    let eventfd = grant.fd("eventfd");
    streamem_tests::eventually("the eventfd becomes readable", || {
        let mut count = [0; 8];
        rustix::io::read(eventfd, &mut count)
            .ok()
            .map(|_| u64::from_ne_bytes(count))
    });
}
