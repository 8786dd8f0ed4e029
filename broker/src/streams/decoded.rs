//! Streams decoded from others: each does what its parent and its readers ask for.
//!
//! Owns when one is begun, ended, and given other memory; never decodes, and never speaks to a client.

use super::{StreamError, Streams};
use crate::config::PoolConfig;
use crate::source::decode::Wish;
use crate::source::{BadSource, Source};
use crate::stream::{Parent, Seat, Stream, Terms};
use streamem_wire::message::Mode;
use streamem_wire::{StreamName, SubscriptionId};
use tracing::debug;

/// What the broker asks of a stream it decodes: the newest frame, one at a time.
const TERMS: Terms = Terms {
    mode: Mode::Latest,
    depth: 1,
    leases: 1,
};

/// What became of a decoded stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Its parent is there.
    Live,
    /// It has other memory.
    Renewed,
    /// Its parent gives nothing, for this reason.
    Lost(String),
    /// It cannot be decoded, for this reason; it is tried again.
    Failed(String),
}

impl Streams {
    /// Has each decoded stream do as its parent does, and decode while somebody reads it. Returns what changed.
    pub fn follow(&mut self, pool: &PoolConfig) -> Vec<(StreamName, Followed)> {
        let decoded = self.by_name.values().filter_map(|stream| {
            let wish = stream.decodes()?;
            Some((stream.name.clone(), wish))
        });
        let decoded: Vec<(StreamName, Wish)> = decoded.collect();
        let mut turns = Vec::new();
        for (name, wish) in decoded {
            match self.follow_one(&name, &wish, pool) {
                Ok(followed) => turns.extend(followed.into_iter().map(|turn| (name.clone(), turn))),
                Err(why) => turns.push((name, Followed::Failed(why.to_string()))),
            }
        }
        turns
    }

    fn follow_one(
        &mut self,
        name: &StreamName,
        wish: &Wish,
        pool: &PoolConfig,
    ) -> Result<Vec<Followed>, StreamError> {
        let parent = match self.parent(wish) {
            Ok(parent) => parent,
            Err(why) => {
                let stream = self.by_name.get_mut(name);
                let is_news = stream.is_some_and(|stream| stream.lose_parent(why.clone()));
                return Ok(is_news.then_some(Followed::Lost(why)).into_iter().collect());
            }
        };
        let mut turns = Vec::new();
        let suits = |stream: &Stream| *stream.layout() == parent.picture;
        if let Some(stream) = self.get(name).filter(|stream| !suits(stream)) {
            if stream.is_put_off() {
                return Ok(turns);
            }
            self.refit(name, &parent, pool)?;
            turns.push(Followed::Renewed);
        }
        let Some(stream) = self.by_name.get_mut(name) else {
            return Ok(turns);
        };
        if !stream.is_to_decode() || !stream.follows(&parent) {
            stream.rest();
        }
        if stream.is_to_decode() && !stream.runs() && !self.decode(name, wish, &parent, pool)? {
            return Ok(turns);
        }
        let stream = self.by_name.get_mut(name);
        if stream.is_some_and(|stream| stream.find_parent()) {
            turns.push(Followed::Live);
        }
        Ok(turns)
    }

    fn parent(&self, wish: &Wish) -> Result<Parent, String> {
        let parent = self.by_name.get(&wish.parent).ok_or_else(|| {
            let name = wish.parent.as_str();
            format!("there is no stream {name:?}, which it is to be decoded from")
        })?;
        parent.as_parent(wish)
    }

    /// Gives it memory for the pictures of this parent.
    fn refit(
        &mut self,
        name: &StreamName,
        parent: &Parent,
        pool: &PoolConfig,
    ) -> Result<(), StreamError> {
        let generation = self.next_generation(name);
        let memory = self.fresh_memory(name, &parent.picture, pool, generation)?;
        self.store.keep_memory(name, &memory);
        if let Some(stream) = self.by_name.get_mut(name) {
            stream.rest();
            stream.refit(parent.picture.clone(), memory);
        }
        Ok(())
    }

    /// Begins to decode. Whether it could, with the memory its parent has now, and nobody decoding it any more.
    fn decode(
        &mut self,
        name: &StreamName,
        wish: &Wish,
        parent: &Parent,
        pool: &PoolConfig,
    ) -> Result<bool, StreamError> {
        if !parent.is_mapped() {
            self.have_copied(&wish.parent, "a stream is decoded from it");
            return Ok(false);
        }
        if self.get(name).is_some_and(Stream::is_being_left) {
            return Ok(false);
        }
        self.admit(&wish.parent, TERMS, None, pool)
            .map_err(StreamError::Promises)?;
        self.subscriptions += 1;
        let id = SubscriptionId(self.subscriptions);
        let seat = Seat::ours(&self.allocator, id, TERMS)?;
        self.sources += 1;
        let (number, reports) = (self.sources, &self.reports);
        if let Some(stream) = self.by_name.get_mut(name) {
            debug!(stream = %name, parent = %wish.parent, "decoding begins");
            stream
                .decode(wish, parent, seat, number, reports)
                .map_err(StreamError::Thread)?;
        }
        Ok(true)
    }

    /// Whether a stream of this name could be of this source, as far as its parent is known.
    pub(super) fn check_parent(&self, name: &StreamName, source: &Source) -> Result<(), BadSource> {
        let Source::Decoded(wish) = source else {
            return Ok(());
        };
        wish.check_name(name)?;
        match self.by_name.get(&wish.parent) {
            Some(parent) => wish.check_parent(&parent.config.source),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::config::StreamConfig;
    use crate::manager::Manager;
    use crate::store::Store;

    #[test]
    fn one_that_failed_gets_no_memory_before_it_is_tried_again() {
        let pool = PoolConfig::default();
        let mut streams = Streams::new(Store::new(Manager::of_environment(), false)).unwrap();
        let [cam, picture] = ["cam", "picture"].map(|name| StreamName::new(name).unwrap());
        for (name, source) in [
            (&cam, "publish://?format=mjpeg&size=64x48"),
            (&picture, "decode://cam"),
        ] {
            let config = StreamConfig::of(source.parse().unwrap());
            streams.add(name, config, Access::default(), &pool).unwrap();
        }
        streams.get_mut(&cam).unwrap().say_live();
        streams
            .get_mut(&picture)
            .unwrap()
            .lose("there was no memory".to_owned());
        assert_eq!(streams.follow(&pool), []);
        streams.retry(&picture).unwrap();
        let turns = streams.follow(&pool);
        assert!(
            turns.contains(&(picture.clone(), Followed::Renewed)),
            "{turns:?}"
        );
        assert_eq!(streams.get(&picture).unwrap().layout().width, 64);
    }
}
