//! The method `Controls`: what can be set on a stream's camera, and setting it.
//!
//! Owns who may; the driver is asked on a thread of its own, since it may take its time.

use super::Broker;
use super::methods::{Answer, Answered, arguments, parameters};
use crate::access::Right;
use crate::session::{Pending, Session};
use crate::source::v4l2::{Camera, controls};
use crate::stream::Report;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use streamem_wire::message::{ControlList, Controls};
use streamem_wire::varlink::Call;
use streamem_wire::{Reason, Refusal, SessionId, StreamName};
use tracing::warn;

/// How many may be asking cameras at a time: each has a thread, and the driver's ear.
const ASKING_MAX: u32 = 8;

/// Sets what the configuration says now; what is wrong with it is in the log.
pub(super) fn set_later(camera: Arc<Camera>, set: BTreeMap<String, String>) {
    let asked = thread::Builder::new()
        .name("controls".to_owned())
        .spawn(move || {
            let place = camera.device.path().display();
            match controls::set(&camera.device, &set) {
                Ok(wrong) => wrong.iter().for_each(|why| warn!("{place}: {why}")),
                Err(why) => warn!("{why}"),
            }
        });
    if let Err(why) = asked {
        warn!("no thread to set controls: {why} (raise TasksMax= of the service)");
    }
}

impl Broker {
    pub(super) fn controls(&mut self, id: SessionId, call: &Call) -> Answered {
        let Controls { stream: name, set } = arguments(call)?;
        self.permit(id, &name, Right::See)?;
        if !set.is_empty() {
            self.permit(id, &name, Right::Admin)?;
        }
        let camera = self.streams.get(&name).and_then(|stream| stream.camera());
        let camera = camera.ok_or_else(|| {
            let message = format!(
                "stream {:?} has no camera that is open: `streamem info {name}` says what fills it",
                name.as_str()
            );
            Refusal::new(Reason::BadSource, name.as_str(), message)
        })?;
        if self.asking >= ASKING_MAX {
            let message = "cameras are asked for their controls by many just now: try again";
            return Err(Refusal::new(Reason::OutOfResources, "Controls", message));
        }
        let mailbox = self.streams.reports().mailbox();
        let asked = thread::Builder::new()
            .name("controls".to_owned())
            .spawn(move || {
                let asked = AssertUnwindSafe(|| ask(&camera, &name, &set));
                let answer = catch_unwind(asked).unwrap_or_else(|_| {
                    let message =
                        "asking the camera has failed; this is a defect, see the log for where";
                    Err(Refusal::new(Reason::OutOfResources, "Controls", message))
                });
                // It may be waited for to be closed.
                drop(camera);
                mailbox.post(Report::Controls(id, answer));
            });
        asked.map_err(|cause| {
            let message =
                format!("no thread to ask the camera: {cause} (raise TasksMax= of the service)");
            Refusal::new(Reason::OutOfResources, "Controls", message)
        })?;
        self.asking += 1;
        // Nobody waits for the answer to a oneway call.
        if let Some(session) = self.sessions.get_mut(&id).filter(|_| !call.oneway) {
            session.pending = Some(Pending::Controls);
        }
        Ok(Answer::Later)
    }

    /// A camera has answered; whoever asked may be gone by now.
    pub(super) fn tell_controls(&mut self, id: SessionId, answer: Result<ControlList, Refusal>) {
        self.asking = self.asking.saturating_sub(1);
        let session = self.sessions.get_mut(&id);
        let is_awaited =
            |session: &&mut Session| matches!(session.pending, Some(Pending::Controls));
        let Some(session) = session.filter(is_awaited) else {
            return;
        };
        session.pending = None;
        self.touched.insert(id);
        let answered = answer.map(|list| Answer::Once(parameters(&list), None));
        let replied = self.send_answer(id, answered);
        if let Err(over) = replied.and_then(|()| self.answer_calls(id)) {
            self.end_session(id, &over);
        }
    }
}

fn ask(
    camera: &Arc<Camera>,
    name: &StreamName,
    set: &BTreeMap<String, String>,
) -> Result<ControlList, Refusal> {
    let refused =
        |why: streamem_v4l2::Error| Refusal::new(Reason::BadSource, name.as_str(), why.to_string());
    let wrong = controls::set(&camera.device, set).map_err(refused)?;
    if !wrong.is_empty() {
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        let message = format!("{}; the others are set", wrong.join("; "));
        return Err(Refusal::new(Reason::InvalidParameter, "set", message));
    }
    let controls = controls::read(&camera.device).map_err(refused)?;
    Ok(ControlList { controls })
}
