//! Cameras in the loop: those that are open get memory, and those that are plugged in are tried at once.
//!
//! Owns when a camera is tried; never talks to a driver.

use super::{Broker, BrokerError};
use crate::config::StreamConfig;
use crate::engine::Token;
use crate::hotplug::{self, There};
use crate::source::v4l2::{Camera, Fill, Places, Plugged, Which, Wish, nodes};
use crate::stream::{Ready, Stream};
use rustix::event::PollFlags;
use std::sync::Arc;
use std::thread;
use streamem_wire::StreamName;
use streamem_wire::message::Change;
use tracing::{info, warn};

/// Without it, cameras that come are found when their streams are tried again by and by.
pub(super) fn watch_for_cameras() -> Option<Plugged> {
    Plugged::watch()
        .inspect_err(|why| {
            warn!(
                "cannot watch /dev ({why}), so cameras that are plugged in are found some seconds later: raise \
                 fs.inotify.max_user_instances or max_user_watches"
            );
        })
        .ok()
}

/// Closing a camera takes its time, so whoever is the last to have it does that elsewhere.
pub(super) fn close_elsewhere(camera: Arc<Camera>) {
    if Arc::strong_count(&camera) == 1 {
        let closing = thread::Builder::new().name("camera-close".to_owned());
        // Without a thread it is closed here, late as that may be.
        let _closing = closing.spawn(move || drop(camera));
    }
}

impl Broker {
    pub(super) fn await_cameras(&mut self) -> Result<(), BrokerError> {
        if let Some(plugged) = &self.plugged {
            self.engine.watch(plugged, PollFlags::IN, Token::Plugged)?;
        }
        Ok(())
    }

    /// Something came to `/dev`: cameras that are missed may be there.
    pub(super) fn look_for_cameras(&mut self) -> Result<(), BrokerError> {
        if self.plugged.as_mut().is_some_and(Plugged::has_news) {
            // What a node is known by is complete only a moment after it was made.
            self.streams.iter_mut().for_each(Stream::hope);
            let streams = self.streams.iter();
            let missed = streams.filter(|stream| stream.misses_its_camera());
            let missed: Vec<StreamName> = missed.map(|stream| stream.name.clone()).collect();
            for name in missed {
                self.retry(&name);
            }
            self.plug_in();
        }
        self.await_cameras()
    }

    /// Makes streams of the cameras that are to be some, and have none yet.
    pub(super) fn plug_in(&mut self) {
        let Some(policy) = &self.config.hotplug else {
            return;
        };
        let spoken_for = self.spoken_for();
        let there = There {
            names: self
                .streams
                .iter()
                .map(|stream| stream.name.clone())
                .collect(),
            cameras: self
                .streams
                .iter()
                .filter_map(|stream| Wish::camera(&stream.config.source))
                .collect(),
        };
        let nodes = nodes(&Places::default());
        for (name, source) in hotplug::wanted(policy, &nodes, &spoken_for, &there) {
            let access = self.config.access.clone();
            let config = StreamConfig::of(source);
            match self.streams.add(&name, config, access, &self.config.pool) {
                Ok(()) => {
                    info!(stream = %name, "a camera was plugged in");
                    self.hotplugged.insert(name.clone());
                    self.announce(&name);
                }
                Err(why) => {
                    warn!(stream = %name, "a camera was plugged in and is no stream: {why}")
                }
            }
        }
    }

    /// The cameras of the configuration's own streams.
    fn spoken_for(&self) -> Vec<Which> {
        let configured = self.config.streams.values().map(|stream| &stream.source);
        configured.filter_map(Wish::which).collect()
    }

    /// Gives up streams of cameras that the configuration has for something else now.
    pub(super) fn make_way(&mut self) {
        let (spoken_for, nodes) = (self.spoken_for(), nodes(&Places::default()));
        let policy = self.config.hotplug.as_ref();
        let is_over = |name: &&StreamName| {
            let stream = self.streams.get(name);
            let camera = stream.and_then(|stream| Wish::which(&stream.config.source));
            // One that is configured by its own name goes on under it.
            !self.config.streams.contains_key(*name)
                && camera
                    .is_none_or(|camera| !hotplug::may_stay(policy, &nodes, &spoken_for, &camera))
        };
        let over: Vec<StreamName> = self.hotplugged.iter().filter(is_over).cloned().collect();
        for name in over {
            self.remove(&name);
        }
    }

    /// Takes leave of streams whose camera was plugged out, once nobody reads them.
    pub(super) fn plug_out(&mut self) {
        let is_over = |name: &&StreamName| {
            let stream = self.streams.get(name);
            stream.is_none_or(|stream| stream.misses_its_camera() && stream.readers().is_empty())
        };
        let over: Vec<StreamName> = self.hotplugged.iter().filter(is_over).cloned().collect();
        if over.is_empty() {
            return;
        }
        let nodes = nodes(&Places::default());
        for name in over {
            let source = self
                .streams
                .get(&name)
                .map(|stream| stream.config.source.clone());
            let which = source.as_ref().and_then(Wish::which);
            if which.is_none_or(|which| !nodes.iter().any(|node| node.is(&which))) {
                self.remove(&name);
            }
        }
    }

    /// A camera is open and can fill its stream.
    pub(super) fn go_on_with(&mut self, name: &StreamName, ready: Ready) {
        let camera = Arc::clone(&ready.camera);
        match self.streams.go_on_with(name, ready, &self.config.pool) {
            Ok(true) => self.tell_stream(Change::Changed, "stream-renewed", name, None),
            Ok(false) => self.tell_stream(Change::Changed, "stream-live", name, None),
            Err(why) => self.lose(name, why.to_string()),
        }
        close_elsewhere(camera);
    }

    /// Slots of a stream cannot be filled in this way; another may do.
    pub(super) fn avoid(&mut self, name: &StreamName, fill: Fill, why: String) {
        warn!(stream = %name, "slots cannot be filled by {}: {why}", fill.name());
        if let Some(stream) = self.streams.get_mut(name) {
            stream.avoid(fill, why);
        }
        self.retry(name);
    }
}
