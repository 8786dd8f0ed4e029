//! What may be called on the sessions workers publish on, and what is told of their devices.
//!
//! Owns these rules; never gives a worker more rights than its errand.

use super::Broker;
use super::methods::{Answer, Answered, arguments, no_descriptor, not_permitted, once, parameters};
use crate::access::Right;
use crate::session::{Handover, Undo};
use crate::source::hl2ss::{self, Device};
use crate::source::{BadSource, SourceUri};
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::{Calibrated, INTERFACE, OfStream, Publish};
use streamem_wire::varlink::Call;
use streamem_wire::{Reason, Refusal, SessionId, StreamName};

/// What a worker may call, each for the one stream its session is for.
const ERRANDS: [&str; 3] = ["Publish", "Begin", "Unpublish"];

impl Broker {
    /// Why a worker may not publish now: it has done so, or does it over and over. That ends it.
    pub(super) fn check_pace(&mut self, id: SessionId, name: &StreamName) -> Result<(), Refusal> {
        let has = self.streams.published_by(id).len();
        if self.workers.publishes(id, has, monotonic_ns()) {
            return Ok(());
        }
        let message = "a worker publishes a stream once";
        Err(Refusal::new(Reason::NotPermitted, name.as_str(), message))
    }

    /// Whether its device can be asked for what a source wants of it, beside what other streams want.
    pub(super) fn check_device(&self, source: &SourceUri) -> Result<(), BadSource> {
        if !hl2ss::is_device(source) {
            return Ok(());
        }
        let device = Device::of(source)?;
        for stream in self.streams.iter() {
            let other = &stream.config.source;
            match hl2ss::is_device(other).then(|| Device::of(other)) {
                Some(Ok(other)) if other.host == device.host => {
                    device.check_beside(&other.wish, stream.name.as_str())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a device tells of a stream's camera, for who may read the stream.
    pub(super) fn calibration(&self, id: SessionId, call: &Call) -> Answered {
        let OfStream { stream: name } = arguments(call)?;
        self.permit(id, &name, Right::Read)?;
        let stream = self.streams.get(&name);
        let Some((calibration, tables)) = stream.and_then(|stream| stream.calibration()) else {
            return once(&Calibrated::default());
        };
        let copy = tables.as_ref().map(|tables| tables.try_clone()).transpose();
        let tables = copy.map_err(|error| no_descriptor(name.as_str(), error))?;
        let told = Calibrated {
            calibration: Some(calibration.clone()),
            tables: tables.as_ref().map(|_| 0),
        };
        let handover = tables.map(|tables| Handover {
            fds: vec![tables],
            undo: Undo::Nothing,
        });
        Ok(Answer::Once(parameters(&told), handover))
    }

    /// Why the session may not call this, if it is one that was made for a single stream.
    pub(super) fn check_errand(&self, id: SessionId, call: &Call) -> Result<(), Refusal> {
        let session = self.sessions.get(&id);
        let Some(name) = session.and_then(|session| session.errand.as_ref()) else {
            return Ok(());
        };
        let method = call.method.strip_prefix(INTERFACE);
        let method = method.and_then(|method| method.strip_prefix('.'));
        if method.is_some_and(|method| ERRANDS.contains(&method)) {
            return Ok(());
        }
        let message = format!(
            "this session is for publishing stream {:?}, and nothing else can be called on it",
            name.as_str()
        );
        Err(Refusal::new(Reason::NotPermitted, &call.method, message))
    }

    /// Why the session may not publish this, if it or the stream is a worker's.
    pub(super) fn check_filler(&self, id: SessionId, wanted: &Publish) -> Result<bool, Refusal> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(false);
        };
        let (name, uid) = (&wanted.stream, session.peer.uid);
        match &session.errand {
            Some(errand) if errand != name => Err(not_permitted(uid, Right::Publish, name)),
            Some(_) if wanted.layout.is_some() || wanted.like.is_some() || wanted.own => {
                let message = "this stream's layout is known, and its memory is the broker's";
                Err(Refusal::new(Reason::InvalidParameter, "layout", message))
            }
            Some(_) => Ok(true),
            None => {
                let stream = self.streams.get(name);
                let source = stream.map(|stream| &stream.config.source);
                match source.filter(|source| hl2ss::is_device(source)) {
                    Some(source) => {
                        let message = format!(
                            "stream {:?} is filled from {source}, by the broker's own worker: choose another name",
                            name.as_str()
                        );
                        Err(Refusal::new(Reason::NotPermitted, name.as_str(), message))
                    }
                    None => Ok(false),
                }
            }
        }
    }
}
