//! The ways in which a worker can misbehave, each called by a host.
//!
//! Owns their names, and what is tried on a session that is for one stream.

use serde_json::{Value, json};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use streamem_wire::varlink::{Inbox, REPLY_BYTES_MAX, Reply};

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    /// As it should.
    Honest,
    /// It asks for a connection, and publishes what comes.
    Dialler,
    /// It ends by a signal.
    Crasher,
    /// It ends with a status.
    Failing,
    /// It publishes, and does nothing more.
    Stuck,
    /// It never says a word.
    Mute,
    /// It speaks before it is ready.
    Hasty,
    /// It asks for connections without end.
    Flooder,
    /// It says more than anybody has to say.
    Chatterer,
    /// It asks for another port.
    Porter,
    /// It speaks of another stream.
    Stranger,
    /// It says what is no message.
    Rambler,
    /// It closes its first session for the stream "bad", and says why.
    Quitter,
    /// It closes each session for the stream "bad", and says nothing.
    Dropper,
    /// It publishes again and again, and never begins.
    Greedy,
    /// It publishes and lets go again and again.
    Renewer,
    /// It loses and finds its stream again and again.
    Restless,
    /// It complains without being ready.
    Sullen,
    /// It writes what should not get into a log as it is.
    Writer,
    /// It says that a wall is missing.
    Bare,
    /// It sends descriptors.
    Giver,
    /// It calls what it may not.
    Thief,
}

const ALL: [(&str, Manners); 21] = [
    ("crasher", Manners::Crasher),
    ("failing", Manners::Failing),
    ("stuck", Manners::Stuck),
    ("mute", Manners::Mute),
    ("hasty", Manners::Hasty),
    ("flooder", Manners::Flooder),
    ("chatterer", Manners::Chatterer),
    ("porter", Manners::Porter),
    ("stranger", Manners::Stranger),
    ("rambler", Manners::Rambler),
    ("quitter", Manners::Quitter),
    ("dropper", Manners::Dropper),
    ("greedy", Manners::Greedy),
    ("renewer", Manners::Renewer),
    ("restless", Manners::Restless),
    ("sullen", Manners::Sullen),
    ("writer", Manners::Writer),
    ("bare", Manners::Bare),
    ("giver", Manners::Giver),
    ("thief", Manners::Thief),
    ("honest", Manners::Honest),
];

impl Manners {
    /// Those of the worker for this host. One that can be reached is connected to.
    pub fn of(host: &str) -> Manners {
        let called = ALL.iter().find(|(name, _)| host.starts_with(name));
        called.map_or(Manners::Dialler, |(_, manners)| *manners)
    }
}

/// What each call is answered with, by the short name of its error.
pub fn misuse(own: &str, socket: &OwnedFd) -> Vec<String> {
    let layout = json!({ "format": "gray8", "width": 8, "height": 8 });
    let calls = [
        ("Publish", json!({ "stream": "other" })),
        ("Publish", json!({ "stream": own, "layout": layout })),
        ("Publish", json!({ "stream": own, "like": "bars" })),
        ("Publish", json!({ "stream": own, "own": true })),
        ("Subscribe", json!({ "stream": "bars" })),
        ("List", json!({})),
        ("Inspect", json!({})),
        ("RemoveStream", json!({ "stream": "bars" })),
        ("Begin", json!({ "publication": 1 })),
    ];
    let copy = socket.try_clone().expect("a descriptor is free");
    let mut stream = UnixStream::from(copy);
    stream.set_nonblocking(false).expect("a socket");
    let calls = calls.into_iter();
    calls
        .map(|(method, parameters)| call(&mut stream, method, &parameters))
        .collect()
}

/// Publishes until it is ended; with `is_tidy` each time once more after it was done.
pub fn publish_for_ever(own: &str, socket: OwnedFd, is_tidy: bool) {
    let mut stream = UnixStream::from(socket);
    stream.set_nonblocking(false).expect("a socket");
    loop {
        let permit = ask(&mut stream, "Publish", &json!({ "stream": own }));
        if is_tidy {
            let done = json!({ "publication": permit.parameters["publication"] });
            ask(&mut stream, "Unpublish", &done);
        }
    }
}

fn call(stream: &mut UnixStream, method: &str, parameters: &Value) -> String {
    let reply = ask(stream, method, parameters);
    let error = reply.error.unwrap_or_else(|| "io.streamem.Granted".into());
    let short = error.rsplit('.').next().unwrap_or_default().to_owned();
    format!("{method}:{short}")
}

fn ask(stream: &mut UnixStream, method: &str, parameters: &Value) -> Reply {
    let call = json!({ "method": format!("io.streamem.{method}"), "parameters": parameters });
    let bytes = [call.to_string().as_bytes(), b"\0"].concat();
    stream.write_all(&bytes).expect("the broker reads");
    let mut inbox = Inbox::new(REPLY_BYTES_MAX);
    loop {
        if let Some(reply) = inbox.take().expect("a reply") {
            return reply;
        }
        let mut piece = [0; 4096];
        let got = std::io::Read::read(stream, &mut piece).expect("the broker answers");
        assert!(got > 0, "the broker hung up");
        inbox.push(&piece[..got]);
    }
}
