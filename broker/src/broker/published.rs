//! What the inspector is shown of publications.
//!
//! Owns gathering it; never shows anybody a user they may not see.

use super::Broker;
use super::describe::descriptor;
use crate::stream::{Publication, Stream};
use streamem_wire::message::{self, Descriptor, Holder};

fn holder(publication: &Publication) -> Holder {
    Holder {
        session: publication.publisher.session,
        pid: publication.publisher.pid,
        access: "write".to_owned(),
    }
}

impl Broker {
    /// The publications that may be seen.
    pub(super) fn describe_publications(
        &self,
        may_see: impl Fn(&Publication) -> bool,
    ) -> Vec<message::Publication> {
        self.streams
            .publications()
            .filter(|publication| may_see(publication))
            .map(Publication::describe)
            .collect()
    }

    /// Adds what the publisher of a stream was handed.
    pub(super) fn add_publisher(
        &self,
        stream: &Stream,
        all: &mut Vec<Descriptor>,
        is_admin: bool,
        uid: Option<u32>,
    ) {
        let fills = |publication: &&Publication| publication.source() == Some(stream.source);
        let found = self.streams.publications().find(fills);
        let Some(publication) = found.filter(|found| is_admin || Some(found.publisher.uid) == uid)
        else {
            return;
        };
        for slot in all.iter_mut().filter(|held| held.role == "slot") {
            slot.exporter = format!("pid {}", publication.publisher.pid);
        }
        for pool in all.iter_mut().filter(|held| held.role == "pool") {
            pool.handed_to.push(holder(publication));
        }
        let page = &publication.desk.page;
        let handed_to = vec![holder(publication)];
        let name = &stream.name;
        all.push(descriptor(
            "submission",
            name,
            None,
            page.kind,
            page.given(),
            handed_to,
        ));
    }
}
