//! The methods of the socket: what each call does and what it is answered.
//!
//! Owns the meaning of calls; never closes a session for a call it refuses.

use super::Broker;
use super::tell::event;
use crate::access::Right;
use crate::config::StreamConfig;
use crate::session::{Handover, Over};
use crate::source::SourceUri;
use crate::source::decode::Wish;
use crate::streams::no_such_stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::{
    self, AddStream, Change, Listing, OfStream, Pong, ServiceInfo, StreamInfo,
};
use streamem_wire::varlink::{Call, Reply};
use streamem_wire::{Reason, Refusal, SessionId, StreamName};

pub(super) type Parameters = Map<String, Value>;

/// What is worth calling for more than its reply.
const ACTS: [&str; 7] = [
    "Controls",
    "Unsubscribe",
    "AddStream",
    "RemoveStream",
    "Bring",
    "Begin",
    "Unpublish",
];

fn is_act(call: &Call) -> bool {
    let parts = call.method.rsplit_once('.');
    parts.is_some_and(|(interface, method)| {
        interface == message::INTERFACE && ACTS.contains(&method)
    })
}

/// What a call is answered with.
pub(super) enum Answer {
    Once(Parameters, Option<Handover>),
    /// The first of several replies.
    First(Parameters),
    Later,
}

pub(super) type Answered = Result<Answer, Refusal>;

/// The fields of a message as a reply has them.
pub(super) fn parameters(message: &impl Serialize) -> Parameters {
    match serde_json::to_value(message) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// A reply that others will follow.
pub(super) fn continued(parameters: Parameters) -> Reply {
    Reply {
        parameters,
        continues: true,
        error: None,
    }
}

pub(super) fn once(message: &impl Serialize) -> Answered {
    Ok(Answer::Once(parameters(message), None))
}

pub(super) fn arguments<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    // Absent and null are the same in varlink.
    let given: Parameters = call
        .parameters
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let names: Vec<String> = given.keys().cloned().collect();
    serde_json::from_value(Value::Object(given)).map_err(|error| {
        let text = error.to_string();
        let quoted = text.split('`').nth(1).unwrap_or_default().to_owned();
        let subject = if quoted.is_empty() {
            names.join(", ")
        } else {
            quoted
        };
        Refusal::new(
            Reason::InvalidParameter,
            subject,
            format!("{} was called with wrong parameters: {text}", call.method),
        )
    })
}

impl Broker {
    /// Answers one call.
    pub(super) fn answer(&mut self, id: SessionId, call: &Call) -> Result<(), Over> {
        if call.oneway {
            if is_act(call) {
                let _nobody_asks = self.dispatch(id, call);
            }
            return Ok(());
        }
        let answered = self.dispatch(id, call);
        self.send_answer(id, answered)
    }

    /// Sends what a call came to, now or after a while.
    pub(super) fn send_answer(&mut self, id: SessionId, answered: Answered) -> Result<(), Over> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let replied = match answered {
            Ok(Answer::Once(parameters, handover)) => session.reply(
                &Reply {
                    parameters,
                    ..Reply::default()
                },
                handover,
            ),
            Ok(Answer::First(parameters)) => session.reply(&continued(parameters), None),
            Ok(Answer::Later) => Ok(()),
            Err(refusal) => session.reply(&refusal.reply(), None),
        };
        self.undo_undelivered(id);
        replied
    }

    fn dispatch(&mut self, id: SessionId, call: &Call) -> Answered {
        let (interface, method) = call.method.rsplit_once('.').unwrap_or(("", &call.method));
        if call.upgrade {
            let message = "this service does not change protocols: call without `upgrade`";
            return Err(Refusal::new(
                Reason::MethodNotImplemented,
                &call.method,
                message,
            ));
        }
        self.check_errand(id, call)?;
        match (interface, method) {
            (message::INTERFACE, "Ping") => once(&self.pong()),
            (message::INTERFACE, "List") => self.list(id, call),
            (message::INTERFACE, "Info") => self.info(id, call),
            (message::INTERFACE, "Subscribe") => self.subscribe(id, call),
            (message::INTERFACE, "Renew") => self.renew(id, call),
            (message::INTERFACE, "Unsubscribe") => self.unsubscribe(id, call),
            (message::INTERFACE, "Inspect") => once(&self.inspect(id)),
            (message::INTERFACE, "Monitor") => self.monitor(id, call),
            (message::INTERFACE, "Publish") => self.publish(id, call),
            (message::INTERFACE, "Bring") => self.bring(id, call),
            (message::INTERFACE, "Begin") => self.begin(id, call),
            (message::INTERFACE, "Unpublish") => self.unpublish(id, call),
            (message::INTERFACE, "Controls") => self.controls(id, call),
            (message::INTERFACE, "GetCalibration") => self.calibration(id, call),
            (message::INTERFACE, "AddStream") => self.add_stream(id, call),
            (message::INTERFACE, "RemoveStream") => self.remove_stream(id, call),
            (message::SERVICE_INTERFACE, "GetInfo") => once(&ServiceInfo {
                vendor: "Streamem".to_owned(),
                product: "streamemd".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                url: String::new(),
                interfaces: vec![
                    message::SERVICE_INTERFACE.to_owned(),
                    message::INTERFACE.to_owned(),
                ],
            }),
            (message::SERVICE_INTERFACE, "GetInterfaceDescription") => describe_interface(call),
            (message::INTERFACE | message::SERVICE_INTERFACE, _) => {
                let message = format!(
                    "there is no method {}; GetInterfaceDescription tells which there are",
                    call.method
                );
                Err(Refusal::new(Reason::MethodNotFound, &call.method, message))
            }
            _ => {
                let message = format!(
                    "there is no interface {interface:?} here; GetInfo tells which there are"
                );
                Err(Refusal::new(Reason::InterfaceNotFound, interface, message))
            }
        }
    }

    pub(super) fn pong(&self) -> Pong {
        Pong {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            now_ns: monotonic_ns(),
            started_ns: self.started_ns,
        }
    }

    fn list(&mut self, id: SessionId, call: &Call) -> Answered {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(Answer::Later);
        };
        let streams = self
            .streams
            .iter()
            .filter(|stream| stream.access.allows(Right::See, &session.peer));
        let listing = Listing {
            change: Change::Present,
            streams: streams.map(|stream| stream.describe()).collect(),
        };
        if !call.more {
            return once(&listing);
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.watching = true;
        }
        Ok(Answer::First(parameters(&listing)))
    }

    fn monitor(&mut self, id: SessionId, call: &Call) -> Answered {
        if !call.more {
            let message = "Monitor has a reply for every event: call it with `more`";
            return Err(Refusal::new(Reason::ExpectedMore, &call.method, message));
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.monitoring = true;
        }
        Ok(Answer::First(parameters(&event("monitoring"))))
    }

    /// Checks that the session may do this with this stream; a stream it may not see does not exist
    /// for it.
    pub(super) fn permit(
        &self,
        id: SessionId,
        name: &StreamName,
        right: Right,
    ) -> Result<(), Refusal> {
        let Some(session) = self.sessions.get(&id) else {
            return Err(no_such_stream(name));
        };
        if self.streams.get(name).is_none() || !self.may(session, name, Right::See) {
            return Err(no_such_stream(name));
        }
        if self.may(session, name, right) {
            Ok(())
        } else {
            Err(not_permitted(session.peer.uid, right, name))
        }
    }

    fn permit_admin(&self, id: SessionId, name: &StreamName) -> Result<(), Refusal> {
        match self.sessions.get(&id) {
            Some(session) if self.may(session, name, Right::Admin) => Ok(()),
            session => Err(not_permitted(
                session.map_or(0, |session| session.peer.uid),
                Right::Admin,
                name,
            )),
        }
    }

    /// What is decoded is read, so whoever adds a decoded stream must be one who may read its parent. Of one that
    /// is not there yet nobody knows who may.
    fn permit_parent(&self, id: SessionId, source: &SourceUri) -> Result<(), Refusal> {
        match Wish::of_decoded(source) {
            Some(wish) if self.streams.get(&wish.parent).is_some() => {
                self.permit(id, &wish.parent, Right::Read)
            }
            _ => Ok(()),
        }
    }

    fn info(&mut self, id: SessionId, call: &Call) -> Answered {
        let OfStream { stream: name } = arguments(call)?;
        self.permit(id, &name, Right::See)?;
        let stream = self
            .streams
            .get(&name)
            .ok_or_else(|| no_such_stream(&name))?;
        once(&StreamInfo {
            stream: stream.describe(),
        })
    }

    fn add_stream(&mut self, id: SessionId, call: &Call) -> Answered {
        let AddStream {
            stream: name,
            source,
        } = arguments(call)?;
        self.permit_admin(id, &name)?;
        let bad = |error: &dyn std::fmt::Display| {
            Refusal::new(Reason::BadSource, &source, error.to_string())
        };
        let uri: SourceUri = source.parse().map_err(|error| bad(&error))?;
        self.permit_parent(id, &uri)?;
        self.check_device(&uri).map_err(|error| bad(&error))?;
        let config = StreamConfig::of(uri);
        let access = self.config.access.clone();
        self.streams
            .add(&name, config, access, &self.config.pool)
            .map_err(|error| error.refusal(&name))?;
        self.announce(&name);
        let stream = self
            .streams
            .get(&name)
            .ok_or_else(|| no_such_stream(&name))?;
        once(&StreamInfo {
            stream: stream.describe(),
        })
    }

    fn remove_stream(&mut self, id: SessionId, call: &Call) -> Answered {
        let OfStream { stream: name } = arguments(call)?;
        self.permit(id, &name, Right::See)?;
        self.permit_admin(id, &name)?;
        self.remove(&name);
        Ok(Answer::Once(Map::new(), None))
    }
}

pub(super) fn not_permitted(uid: u32, right: Right, name: &StreamName) -> Refusal {
    let right = right.name();
    let message = format!(
        "user {uid} may not {right} stream {:?}: add the user or one of its groups to `{right}` under [access] or \
         [stream.{name}.access] in the configuration",
        name.as_str()
    );
    Refusal::new(Reason::NotPermitted, name.as_str(), message)
}

pub(super) fn no_descriptor(subject: &str, cause: std::io::Error) -> Refusal {
    let message =
        format!("no descriptor for {subject}: {cause} (raise LimitNOFILE= of the service)");
    Refusal::new(Reason::OutOfResources, subject, message)
}

fn describe_interface(call: &Call) -> Answered {
    #[derive(serde::Deserialize)]
    struct Wanted {
        interface: String,
    }
    let Wanted { interface } = arguments(call)?;
    let description = match interface.as_str() {
        message::INTERFACE => message::INTERFACE_DESCRIPTION,
        message::SERVICE_INTERFACE => message::SERVICE_DESCRIPTION,
        _ => {
            let message =
                format!("there is no interface {interface:?} here; GetInfo tells which there are");
            return Err(Refusal::new(Reason::InterfaceNotFound, interface, message));
        }
    };
    let mut parameters = Map::new();
    parameters.insert(
        "description".to_owned(),
        Value::String(description.to_owned()),
    );
    Ok(Answer::Once(parameters, None))
}
