//! Descriptors nobody asked for, and too few of them on either side.
//!
//! Owns the limits; a limit is set on one process and no other.

use super::Scene;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use std::os::fd::AsFd;
use streamem_sys::socket;
use streamem_tests::consumer::NOBODY;
use streamem_tests::{Answer, Broker, Consumer, Wire, eventually, proc};

fn limit_descriptors(pid: u32, limit: u64) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let limit = Rlimit {
        current: Some(limit),
        maximum: Some(limit.max(4096)),
    };
    prlimit(pid, Resource::Nofile, limit).expect("we may limit our children");
}

#[test]
fn descriptors_that_were_not_asked_for_are_closed() {
    let scene = Scene::open();
    let to_dev_null = || {
        let held = proc::descriptors(scene.broker.pid());
        held.values()
            .filter(|target| *target == "/dev/null")
            .count()
    };
    let before = to_dev_null();
    let file = std::fs::File::open("/dev/null").expect("a file");
    for count in [1, 16] {
        let mut wire = scene.broker.connect();
        let fds = vec![file.as_fd(); count];
        let call = b"{\"method\":\"io.streamem.Ping\"}\0";
        socket::send(wire.socket(), call, &fds).expect("it is sent");
        let _ = wire.receive();
    }
    eventually("the broker has closed what it was sent", || {
        (to_dev_null() == before).then_some(())
    });
    scene.assert_nothing_happened();
}

#[test]
fn a_client_at_its_limit_is_told_and_the_broker_goes_on() {
    let scene = Scene::open();
    let mut command = Consumer::command(&scene.broker.socket(), "cam", &[]);
    let mut sh = std::process::Command::new("sh");
    sh.args(["-c", "ulimit -n 5 && exec \"$@\"", "sh"]);
    sh.arg(command.get_program()).args(command.get_args());
    command = sh;
    let mut poor = Consumer::spawn(&mut command);
    let complaint = poor.line().expect("a last word");
    assert_eq!(complaint["is"], "error", "{complaint}");
    let text = complaint["message"].as_str().unwrap_or_default().to_owned();
    assert!(
        text.contains("descriptor"),
        "it does not say what is short: {text}"
    );
    drop(poor);
    scene.assert_nothing_happened();
}

#[test]
fn a_broker_at_its_limit_refuses_and_serves_on_when_it_can() {
    let scene = Scene::open();
    let pid = scene.broker.pid();
    let mut wire = scene.broker.connect();
    wire.call("Ping", json!({})).ok();
    let highest = proc::descriptors(pid).into_keys().max().unwrap_or(0);
    limit_descriptors(pid, u64::from(highest) + 1);

    let refused = loop {
        let answer = wire.call("Subscribe", json!({"stream": "cam", "eventfd": true}));
        if answer.error.is_some() {
            break answer;
        }
    };
    assert_eq!(refused.refused(), "OutOfResources", "{refused:?}");
    let waiting: Vec<_> = (0..20)
        .map(|_| std::os::unix::net::UnixStream::connect(scene.broker.socket()))
        .collect();
    wire.call("Ping", json!({})).ok();
    drop(waiting);

    limit_descriptors(pid, 1024);
    drop(wire);
    scene.assert_nothing_happened();
}

/// Subscribes with an eventfd, and takes away everything that keeps a write to it from waiting.
fn subscribe_and_block(scene: &Scene) -> (Wire, Answer) {
    let mut wire = scene.broker.connect();
    let grant = wire.call("Subscribe", json!({"stream": "cam", "eventfd": true}));
    let eventfd = grant.fd("eventfd");
    let flags = fcntl_getfl(eventfd).expect("flags");
    fcntl_setfl(eventfd, flags | OFlags::NONBLOCK).expect("a flag");
    let count = (u64::MAX - 1).to_ne_bytes();
    while rustix::io::write(eventfd, &count).is_ok() {}
    fcntl_setfl(eventfd, flags.difference(OFlags::NONBLOCK)).expect("a flag");
    (wire, grant)
}

fn let_frames_pass(scene: &mut Scene, count: u64) {
    let before = scene.witness.count("frames");
    eventually("the witness goes on", || {
        (scene.witness.count("frames") > before + count).then_some(())
    });
}

#[test]
fn an_eventfd_that_is_full_and_made_to_block_holds_nobody_up() {
    let mut scene = Scene::open();
    let blocked = subscribe_and_block(&scene);
    let_frames_pass(&mut scene, 20);
    drop(blocked);
    scene.assert_nothing_happened();
}

#[test]
fn eventfds_left_full_and_blocking_leave_nothing_behind() {
    let mut scene = Scene::open();
    let pid = scene.broker.pid();
    let_frames_pass(&mut scene, 5);
    let before = proc::descriptors(pid).len();
    for _ in 0..20 {
        let blocked = subscribe_and_block(&scene);
        let_frames_pass(&mut scene, 2);
        drop(blocked);
    }
    eventually("every descriptor is given back", || {
        (proc::descriptors(pid).len() <= before).then_some(())
    });
    scene.assert_nothing_happened();
}

/// Whoever shares an open file with the broker can change its flags at any moment.
#[test]
fn an_eventfd_whose_flags_change_all_the_time_holds_nobody_up() {
    let mut scene = Scene::open();
    let blocked = subscribe_and_block(&scene);
    let eventfd = blocked.1.fd("eventfd");
    let flags = fcntl_getfl(eventfd).expect("flags");
    let before = scene.witness.count("frames");
    eventually("the witness goes on", || {
        for _ in 0..1000 {
            fcntl_setfl(eventfd, flags | OFlags::NONBLOCK).expect("a flag");
            fcntl_setfl(eventfd, flags.difference(OFlags::NONBLOCK)).expect("a flag");
        }
        (scene.witness.count("frames") > before + 60).then_some(())
    });
    drop(blocked);
    scene.assert_nothing_happened();
}

/// Descriptors nobody has received count against the broker's user, unless that is root.
#[test]
fn descriptors_others_do_not_receive_cost_nobody_the_session() {
    let config = "[stream.cam]\nsource = \"pattern://bars?size=160x120&rate=50\"\n";
    let plan = Broker::plan().config(config).user(NOBODY);
    let broker = plan.descriptors(100).start();
    let mut deaf = broker.connect();
    let mut send = |method: &str, parameters: Value, oneway: bool| {
        let method = format!("io.streamem.{method}");
        deaf.send(&json!({"method": method, "parameters": parameters, "oneway": oneway}));
    };
    for subscription in 1..=40 {
        send(
            "Subscribe",
            json!({"stream": "cam", "eventfd": true}),
            false,
        );
        send("Unsubscribe", json!({"subscription": subscription}), true);
    }
    let done = json!({"stream": "done", "source": "pattern://imu"});
    send("AddStream", done, true);
    let mut victim = broker.connect();
    eventually("every call of the deaf one was answered", || {
        let answer = victim.call("Info", json!({"stream": "done"}));
        answer.error.is_none().then_some(())
    });

    let refused = victim.call("Subscribe", json!({"stream": "cam"}));
    assert_eq!(refused.refused(), "OutOfResources", "{refused:?}");
    let message = refused.parameters["message"].as_str().unwrap_or_default();
    assert!(message.contains("ETOOMANYREFS"), "{message}");
    let inspection = victim.call("Inspect", json!({})).ok();
    assert_eq!(inspection["subscriptions"], json!([]), "{inspection}");
    drop(deaf);
    eventually("there is room again", || {
        let answer = victim.call("Subscribe", json!({"stream": "cam"}));
        answer.error.is_none().then_some(())
    });
}
