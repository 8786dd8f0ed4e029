//! Decoded streams in the loop: they follow what became of the streams they are decoded from.
//!
//! Owns telling of it; never decodes.

use super::Broker;
use crate::streams::Followed;
use streamem_wire::message::Change;
use tracing::info;

impl Broker {
    /// Has decoded streams do as their parents and their readers do.
    pub(super) fn follow(&mut self) {
        for (name, followed) in self.streams.follow(&self.config.pool) {
            match followed {
                Followed::Live => self.tell_stream(Change::Changed, "stream-live", &name, None),
                Followed::Renewed => {
                    self.tell_stream(Change::Changed, "stream-renewed", &name, None);
                }
                Followed::Lost(why) => {
                    info!(stream = %name, "nothing to decode: {why}");
                    self.tell_stream(Change::Changed, "stream-lost", &name, Some(why));
                }
                Followed::Failed(why) => self.lose(&name, why),
            }
        }
    }
}
