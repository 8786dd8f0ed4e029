//! Quotas by user: each limit is met, said by name, and free again when what was used is given back.
//!
//! Owns a broker with small limits; a slot of its stream has 64 KiB or less.

use super::assert_answer;
use serde_json::json;
use streamem_tests::consumer::NOBODY;
use streamem_tests::{Broker, Consumer, Wire, eventually};

fn broker(quota: &str) -> Broker {
    Broker::with_config(&format!(
        "[quota]\n{quota}\n[stream.cam]\nsource = \"pattern://bars?size=160x120&rate=30\"\n\
         [access]\nsee = [\"everyone\"]\nread = [\"everyone\"]\n"
    ))
}

fn subscribe(wire: &mut Wire, leases: u32) -> Result<u64, String> {
    let answer = wire.call("Subscribe", json!({"stream": "cam", "leases": leases}));
    match answer.error {
        Some(_) => Err(format!(
            "{} {}",
            answer.refused(),
            answer.parameters["message"]
        )),
        None => Ok(answer.parameters["subscription"]
            .as_u64()
            .expect("a number")),
    }
}

fn assert_over_quota(outcome: &Result<u64, String>, what: &str) {
    let complaint = outcome.as_ref().expect_err("more than the quota was given");
    assert!(complaint.starts_with("QuotaExceeded"), "{complaint}");
    assert!(complaint.contains(what), "{what} is not named: {complaint}");
}

#[test]
fn subscriptions_are_limited_and_given_back() {
    let broker = broker("subscriptions = 2");
    let (mut one, mut other) = (broker.connect(), broker.connect());
    let first = subscribe(&mut one, 1).expect("the first");
    subscribe(&mut other, 1).expect("the second");
    assert_over_quota(&subscribe(&mut one, 1), "subscriptions");
    one.call("Unsubscribe", json!({ "subscription": first }))
        .ok();
    subscribe(&mut one, 1).expect("one was given back");
    drop(other);
    eventually("a hang-up gives back too", || subscribe(&mut one, 1).ok());
}

#[test]
fn leases_are_limited() {
    let broker = broker("leases = 5");
    let mut wire = broker.connect();
    subscribe(&mut wire, 3).expect("three of five");
    assert_over_quota(&subscribe(&mut wire, 3), "leases");
    subscribe(&mut wire, 2).expect("the other two");
}

#[test]
fn descriptors_are_limited() {
    let broker = broker("descriptors = 7");
    let mut wire = broker.connect();
    subscribe(&mut wire, 1).expect("three descriptors");
    subscribe(&mut wire, 1).expect("three more");
    assert_over_quota(&subscribe(&mut wire, 1), "descriptors");
}

#[test]
fn bytes_are_limited() {
    let broker = broker("bytes = 200000");
    let mut wire = broker.connect();
    subscribe(&mut wire, 1).expect("one frame of 57600 bytes");
    assert_over_quota(&subscribe(&mut wire, 100), "bytes");
}

#[test]
fn sessions_are_limited_and_given_back() {
    let broker = broker("sessions = 3");
    let ping = |wire: &mut Wire| {
        wire.send_bytes(b"{\"method\":\"io.streamem.Ping\"}\0")
            .then(|| wire.receive())
            .flatten()
            .is_some_and(|answer| answer.error.is_none())
    };
    let connect = || {
        let mut wire = broker.connect();
        ping(&mut wire).then_some(wire)
    };
    let mut held: Vec<Wire> = (0..3)
        .map(|_| eventually("a place is free", connect))
        .collect();
    assert!(connect().is_none(), "a fourth session was served");
    assert!(held.iter_mut().all(ping), "the others are served on");
    held.pop();
    eventually("a place is free again", connect);
}

#[test]
fn each_user_has_an_account_of_its_own() {
    let broker = broker("subscriptions = 1");
    let mut wire = broker.connect();
    subscribe(&mut wire, 1).expect("the first of one user");
    assert_over_quota(&subscribe(&mut wire, 1), "subscriptions");
    let call = json!({"method": "io.streamem.Subscribe", "parameters": {"stream": "cam"}});
    let option = format!("call={call}");
    let options = [option.as_str(), option.as_str()];
    let mut command = Consumer::command_as(NOBODY, &broker.socket(), "-", &options);
    let mut other = Consumer::spawn(&mut command);
    assert_answer(&other.expect("answer"), None);
    assert_answer(&other.expect("answer"), Some("QuotaExceeded"));
}

#[test]
fn one_user_can_have_half_of_a_streams_slots_promised() {
    const ANOTHER: u32 = NOBODY - 1;
    let broker = Broker::with_config(
        "[pool]\nslots_max = 16\n[access]\nsee = [\"everyone\"]\nread = [\"everyone\"]\n\
         [stream.cam]\nsource = \"pattern://bars?size=160x120&rate=30\"\n",
    );
    let hold = |user, leases: &str| {
        let option = format!("leases={leases}");
        let mut command = Consumer::command_as(user, &broker.socket(), "cam", &[&option]);
        let mut holder = Consumer::spawn(&mut command);
        holder.expect("opened");
        holder
    };
    let ask = |user, parameters: serde_json::Value| {
        let call = json!({"method": "io.streamem.Subscribe", "parameters": parameters});
        let option = format!("call={call}");
        let mut command = Consumer::command_as(user, &broker.socket(), "-", &[&option]);
        Consumer::spawn(&mut command).expect("answer")
    };
    let first = hold(NOBODY, "5");
    let _second = hold(NOBODY, "3");
    for more in [json!({"leases": 1}), json!({"leases": 1, "depth": 2})] {
        let mut more = more;
        more["stream"] = json!("cam");
        let refused = ask(NOBODY, more);
        assert_answer(&refused, Some("PoolFull"));
        assert!(refused.to_string().contains("half"), "{refused}");
    }
    let deep = json!({"stream": "cam", "leases": 1, "depth": 9});
    assert_answer(&ask(ANOTHER, deep), Some("PoolFull"));
    let other = hold(ANOTHER, "4");
    drop((first, other));
    eventually("what was held is free", || {
        (broker.stream("cam")["subscriptions"] == 1).then_some(())
    });
    let fits = json!({"stream": "cam", "leases": 5});
    assert_answer(&ask(NOBODY, fits), None);
    let most = broker
        .connect()
        .call("Subscribe", json!({"stream": "cam", "leases": 11}));
    assert!(
        most.error.is_none(),
        "the broker's own user is limited: {most:?}"
    );
}
