//! What the inspector is shown.
//!
//! Owns gathering it; never shows anybody a stream or a user they may not see.

use super::Broker;
use crate::access::Right;
use crate::peer;
use crate::pool::Memory;
use crate::session::Session;
use crate::stream::{Pool, Reader, Stream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use streamem_sys::file;
use streamem_wire::message::{self, Descriptor, Holder, Inspection};
use streamem_wire::{SessionId, StreamName, SubscriptionId};

impl Broker {
    /// Everything this session may see.
    pub(super) fn inspect(&self, id: SessionId) -> Inspection {
        let asker = self.sessions.get(&id);
        let is_admin =
            asker.is_some_and(|session| self.config.access.allows(Right::Admin, &session.peer));
        let uid = asker.map(|session| session.peer.uid);
        let may_see = |session: &&Session| is_admin || Some(session.peer.uid) == uid;
        let streams: Vec<&Stream> = self
            .streams
            .iter()
            .filter(|stream| {
                asker.is_some_and(|session| stream.access.allows(Right::See, &session.peer))
            })
            .collect();
        let own = |reader: &Reader| is_admin || Some(reader.owner.uid) == uid;
        Inspection {
            broker: self.pong(),
            sessions: self
                .sessions
                .values()
                .filter(may_see)
                .map(|session| describe(session, id))
                .collect(),
            subscriptions: streams
                .iter()
                .flat_map(|stream| stream.describe_readers(own))
                .collect(),
            pools: streams
                .iter()
                .map(|stream| stream.describe_pool())
                .collect(),
            descriptors: streams
                .iter()
                .flat_map(|stream| {
                    let mut all = descriptors(stream, is_admin, uid);
                    self.add_publisher(stream, &mut all, is_admin, uid);
                    all
                })
                .collect(),
            publications: self.describe_publications(|publication| {
                let is_own = is_admin || Some(publication.publisher.uid) == uid;
                let name = &publication.stream;
                let is_hidden = streams.iter().all(|stream| stream.name != *name)
                    && self.streams.get(name).is_some();
                is_own && !is_hidden
            }),
            accounts: self.accounts.describe(if is_admin { None } else { uid }),
            streams: streams.iter().map(|stream| stream.describe()).collect(),
        }
    }
}

fn describe(session: &Session, asker: SessionId) -> message::Session {
    message::Session {
        session: session.id,
        pid: session.peer.pid,
        uid: session.peer.uid,
        gid: session.peer.gid,
        command: peer::command(session.peer.pid),
        connected_ns: session.connected_ns,
        own: session.id == asker,
    }
}

fn descriptors(stream: &Stream, is_admin: bool, uid: Option<u32>) -> Vec<Descriptor> {
    let seen: Vec<&Reader> = stream
        .readers()
        .iter()
        .filter(|reader| is_admin || Some(reader.owner.uid) == uid)
        .collect();
    let holders = |access: &str, of: &[&Reader]| -> Vec<Holder> {
        of.iter()
            .filter_map(|reader| {
                let session = reader.owner.session?;
                Some(Holder {
                    session,
                    pid: reader.owner.pid,
                    access: access.to_owned(),
                })
            })
            .collect()
    };
    let memory = |role, memory: &Memory, subscription, handed_to| {
        descriptor(
            role,
            &stream.name,
            subscription,
            memory.kind,
            memory.given(),
            handed_to,
        )
    };
    let shared = stream.memory();
    let mut all = vec![memory("ring", &shared.ring, None, holders("read", &seen))];
    match &shared.pool {
        Pool::Made(pool) => {
            all.push(memory("pool", pool, None, holders("read", &seen)));
            // Who has these can write, so only those are given them who may import, and ask.
            let importing: Vec<&Reader> = seen
                .iter()
                .filter(|reader| reader.imports)
                .copied()
                .collect();
            let part = |part: &OwnedFd| {
                descriptor(
                    "part",
                    &stream.name,
                    None,
                    "dma-buf",
                    part.as_fd(),
                    holders("import", &importing),
                )
            };
            all.extend(pool.parts.iter().map(part));
        }
        each => all.extend(each.each().iter().map(|slot| {
            let handed_to = holders("read", &seen);
            let kind = shared.pool.kind();
            descriptor("slot", &stream.name, None, kind, slot.as_fd(), handed_to)
        })),
    }
    for reader in seen {
        let id = Some(reader.seat.id);
        all.push(memory(
            "lease",
            &reader.seat.page,
            id,
            holders("write", &[reader]),
        ));
        if let Some(bell) = &reader.seat.bell {
            let handed_to = holders("write", &[reader]);
            all.push(descriptor(
                "eventfd",
                &stream.name,
                id,
                "socket",
                bell.theirs.as_fd(),
                handed_to,
            ));
        }
    }
    all
}

pub(super) fn descriptor(
    role: &str,
    stream: &StreamName,
    subscription: Option<SubscriptionId>,
    kind: &str,
    fd: BorrowedFd<'_>,
    handed_to: Vec<Holder>,
) -> Descriptor {
    let (bytes, inode) = file::size_and_inode(fd).unwrap_or_default();
    Descriptor {
        role: role.to_owned(),
        stream: stream.clone(),
        subscription,
        number: fd.as_raw_fd(),
        kind: kind.to_owned(),
        bytes,
        seals: file::seals(fd).unwrap_or_default(),
        inode,
        exporter: "streamemd".to_owned(),
        handed_to,
    }
}
