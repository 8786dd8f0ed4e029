//! Workers that end, get stuck or lose their manners: their streams are lost with a reason, and come back.

use super::{becomes, broker, goes_on, is_gone, kill, newest, stream, worker_of};
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;
use streamem_tests::{Broker, Consumer, eventually, proc};

fn two_hosts(other: &str) -> Broker {
    let good = stream("good", "hl2ss://honest.test/vlc-left-front");
    let bad = stream("bad", &format!("hl2ss://{other}.test/vlc-left-front"));
    broker(&(good + &bad))
}

#[test]
fn a_worker_fills_the_streams_of_its_host() {
    let config = stream("left", "hl2ss://honest.test/vlc-left-front")
        + &stream("depth", "hl2ss://honest.test/longthrow-depth")
        + &stream("other", "hl2ss://honest2.test/eyes");
    let broker = broker(&config);
    for name in ["left", "depth", "other"] {
        becomes(&broker, name, "live", "");
        goes_on(&broker, name);
    }
    assert_eq!(worker_of(&broker, "left"), worker_of(&broker, "depth"));
    assert_ne!(worker_of(&broker, "left"), worker_of(&broker, "other"));
    let mut reader = Consumer::start(&broker.socket(), "left", &[]);
    eventually("a reader has frames", || {
        (reader.count("frames") > 3).then_some(())
    });
}

#[test]
fn a_worker_that_is_killed_is_started_again_and_its_readers_go_on() {
    let broker = two_hosts("honest2");
    let pid = worker_of(&broker, "bad");
    becomes(&broker, "bad", "live", "");
    becomes(&broker, "good", "live", "");
    let untouched = broker.stream("good")["generation"].clone();
    kill(pid);
    let words = format!("its worker (pid {pid}) was killed by signal 9");
    becomes(&broker, "bad", "lost", &words);
    is_gone(pid);
    becomes(&broker, "bad", "live", "");
    assert_ne!(worker_of(&broker, "bad"), pid);
    goes_on(&broker, "bad");
    goes_on(&broker, "good");
    assert_eq!(broker.stream("good")["generation"], untouched);
}

#[test]
fn a_worker_that_fails_is_said_with_its_status_and_tried_again() {
    let broker = two_hosts("failing");
    becomes(&broker, "bad", "lost", "ended with status 3");
    eventually("it is tried again", || {
        (broker.log().matches("no walls to be had").count() > 1).then_some(())
    });
    goes_on(&broker, "good");
}

#[test]
fn a_worker_that_crashes_costs_nothing_but_its_stream() {
    let broker = two_hosts("crasher");
    becomes(&broker, "bad", "lost", "was killed by signal 6");
    let first = newest(&broker, "bad");
    eventually("it is tried again", || {
        (newest(&broker, "bad") > first).then_some(())
    });
    goes_on(&broker, "good");
}

#[test]
fn a_worker_that_is_stuck_is_ended() {
    let broker = two_hosts("stuck");
    let pid = worker_of(&broker, "bad");
    becomes(&broker, "bad", "lost", "says nothing for 10 s");
    is_gone(pid);
    goes_on(&broker, "good");
}

#[test]
fn a_worker_that_never_speaks_is_ended() {
    let broker = two_hosts("mute");
    becomes(&broker, "bad", "lost", "says nothing for 10 s");
}

#[test]
fn a_worker_without_manners_is_ended_and_said_why() {
    for (host, words) in [
        ("hasty", "speaks before it is ready"),
        ("flooder", "connections in a second"),
        ("chatterer", "things in a second"),
        ("porter", "asks for port 22"),
        ("stranger", "a stream it was not given"),
        ("rambler", "cannot be understood"),
        ("greedy", "published stream \"bad\" twice"),
        ("renewer", "publishes stream \"bad\" over and over"),
        ("sullen", "is not ready after 10 s"),
        ("restless", "loses and finds stream \"bad\" without end"),
        ("giver", "descriptors nobody asked for"),
    ] {
        let broker = two_hosts(host);
        becomes(&broker, "bad", "lost", words);
        goes_on(&broker, "good");
    }
}

#[test]
fn what_a_worker_gives_up_is_given_to_it_again_and_others_go_on() {
    for (host, words) in [
        ("quitter", "there is no room for it"),
        ("dropper", "its worker gave it up"),
    ] {
        let source = format!("hl2ss://{host}.test/vlc-left-");
        let broker = broker(
            &(stream("good", &(source.clone() + "front")) + &stream("bad", &(source + "left"))),
        );
        becomes(&broker, "bad", "lost", words);
        let pid = worker_of(&broker, "good");
        let untouched = broker.stream("good")["generation"].clone();
        if host == "quitter" {
            becomes(&broker, "bad", "live", "");
        } else {
            eventually("the log says so", || {
                broker.log().contains(words).then_some(())
            });
        }
        goes_on(&broker, "good");
        assert_eq!(worker_of(&broker, "good"), pid);
        assert_eq!(broker.stream("good")["generation"], untouched);
    }
}

#[test]
fn a_stream_that_is_removed_and_added_again_at_once_is_filled_again() {
    let source = "hl2ss://honest.test/vlc-left-front";
    let broker = broker(&(stream("one", source) + &stream("two", "hl2ss://honest.test/eyes")));
    becomes(&broker, "one", "live", "");
    let pid = worker_of(&broker, "two");
    let mut client = broker.connect();
    let remove = json!({
        "method": "io.streamem.RemoveStream",
        "parameters": { "stream": "one" }
    });
    let add = json!({
        "method": "io.streamem.AddStream",
        "parameters": { "stream": "one", "source": source }
    });
    for _ in 0..3 {
        client.send(&remove);
        client.send(&add);
        client.receive().expect("an answer").ok();
        client.receive().expect("an answer").ok();
        becomes(&broker, "one", "live", "");
        goes_on(&broker, "one");
    }
    assert_eq!(
        [worker_of(&broker, "one"), worker_of(&broker, "two")],
        [pid; 2]
    );
}

#[test]
fn a_worker_that_was_stopped_together_with_the_broker_is_not_stuck() {
    let broker = two_hosts("honest2");
    becomes(&broker, "bad", "live", "");
    let pids = [worker_of(&broker, "good"), worker_of(&broker, "bad")];
    let all = [pids[0], pids[1], broker.pid()];
    all.into_iter()
        .for_each(|pid| proc::signal(pid, Signal::STOP));
    std::thread::sleep(Duration::from_secs(12));
    all.into_iter()
        .for_each(|pid| proc::signal(pid, Signal::CONT));
    goes_on(&broker, "good");
    std::thread::sleep(Duration::from_secs(2));
    goes_on(&broker, "bad");
    let after = [worker_of(&broker, "good"), worker_of(&broker, "bad")];
    assert_eq!(after, pids);
}

#[test]
fn what_a_worker_writes_comes_into_the_log_cut_and_counted() {
    let broker = two_hosts("writer");
    becomes(&broker, "bad", "live", "");
    eventually("the rest is counted", || {
        broker
            .log()
            .contains("more lines of its worker")
            .then_some(())
    });
    let log = broker.log();
    assert!(log.contains("its worker writes: red  [31m line"), "{log}");
    let xs = log.matches('x').count();
    assert!((400..500).contains(&xs) && !log.contains('\u{1b}'), "{log}");
    assert!(log.matches("flood").count() < 11, "{log}");
    let pid = worker_of(&broker, "bad");
    for fd in [1, 2] {
        let place = std::fs::read_link(format!("/proc/{pid}/fd/{fd}")).expect("a descriptor");
        assert!(place.to_string_lossy().starts_with("pipe:"), "{place:?}");
    }
}

#[test]
fn a_wall_that_is_missing_is_warned_of() {
    let broker = two_hosts("bare");
    becomes(&broker, "bad", "live", "");
    let log = broker.log();
    assert!(
        log.contains("WARN") && log.contains("fewer walls: landlock"),
        "{log}"
    );
}

#[test]
fn a_missing_worker_is_said_with_the_package_that_has_it() {
    let config = stream("left", "hl2ss://honest.test/pv");
    let broker = Broker::plan()
        .config(&config)
        .environment("STREAMEM_WORKER", "/nowhere/streamem-worker")
        .start();
    let why = becomes(&broker, "left", "lost", "streamem-hololens");
    assert!(why.contains("/nowhere/streamem-worker"), "{why}");
}

#[test]
fn a_host_without_streams_has_no_worker() {
    let broker = two_hosts("honest2");
    let (good, bad) = (worker_of(&broker, "good"), worker_of(&broker, "bad"));
    broker.ask("RemoveStream", json!({ "stream": "bad" }));
    is_gone(bad);
    assert_eq!(worker_of(&broker, "good"), good);
    goes_on(&broker, "good");
}

#[test]
fn streams_come_change_and_go_without_disturbing_others() {
    let of = |name: &str, what: &str| stream(name, &format!("hl2ss://honest.test/{what}"));
    let broker = broker(&(of("one", "vlc-left-front") + &of("two", "vlc-left-left")));
    let pid = worker_of(&broker, "one");
    worker_of(&broker, "two");
    let generation = broker.stream("one")["generation"].clone();
    let changed = of("one", "vlc-left-front") + &of("two", "vlc-left-left?poses=no");
    broker.rewrite_config(&(changed + &of("three", "eyes")));
    broker.hangup();
    becomes(&broker, "three", "live", "");
    becomes(&broker, "two", "live", "");
    goes_on(&broker, "two");
    let after = ["one", "two", "three"].map(|name| worker_of(&broker, name));
    assert_eq!(after, [pid; 3]);
    assert_eq!(broker.stream("one")["generation"], generation);
    broker.rewrite_config(&of("one", "vlc-left-front"));
    broker.hangup();
    eventually("the others are gone", || {
        let publications = broker.inspect()["publications"].as_array()?.len();
        (publications == 1).then_some(())
    });
    goes_on(&broker, "one");
    assert_eq!(worker_of(&broker, "one"), pid);
}

#[test]
fn workers_end_with_the_broker() {
    let mut broker = two_hosts("stuck");
    let pids = [worker_of(&broker, "good"), worker_of(&broker, "bad")];
    assert!(broker.terminate().success());
    pids.into_iter().for_each(is_gone);
}
