//! Streams whose camera has been opened: they get the memory that suits it.
//!
//! Owns the choice of allocator; never talks to a driver.

use super::{StreamError, Streams};
use crate::config::PoolConfig;
use crate::pool::PoolError;
use crate::source::v4l2::Fill;
use crate::stream::{Pool, Ready, StreamMemory, Way};
use streamem_wire::{Layout, StreamName};
use tracing::info;

impl Streams {
    /// Lets an open camera fill its stream. Whether readers have to ask for other memory.
    pub fn go_on_with(
        &mut self,
        name: &StreamName,
        mut ready: Ready,
        pool: &PoolConfig,
    ) -> Result<bool, StreamError> {
        let Some(stream) = self.by_name.get_mut(name) else {
            return Ok(false);
        };
        let fill = ready.way.fill();
        let slots = match &ready.way {
            Way::Export(slots) => u32::try_from(slots.len()).unwrap_or(u32::MAX),
            Way::Import(Some(pool)) if !pool.each().is_empty() => {
                u32::try_from(pool.each().len()).unwrap_or(u32::MAX)
            }
            Way::Import(_) => stream.device_slots(),
            Way::Copy => pool.slots_max,
        };
        if let Err(why) = stream.admit_camera(fill, ready.in_hand, slots) {
            if fill != Fill::Copy {
                stream.avoid(fill, why.clone());
            }
            return Err(StreamError::Promises(why));
        }
        let renews = !stream.suits(&ready);
        if renews {
            let layout = ready.camera.layout.clone();
            let memory = self.memory_for(name, &layout, &mut ready.way, slots, pool)?;
            self.store.keep_memory(name, &memory);
            if let Some(stream) = self.by_name.get_mut(name) {
                stream.refit(layout, memory);
            }
        }
        self.sources += 1;
        let number = self.sources;
        if let Some(stream) = self.by_name.get_mut(name) {
            info!(
                stream = %name,
                camera = %ready.camera.device.path().display(),
                layout = ready.camera.layout.summary(),
                filled_by = ready.way.fill().name(),
                "camera opened"
            );
            stream
                .attach_camera(ready, number, &self.reports)
                .map_err(StreamError::Thread)?;
        }
        Ok(renews)
    }

    fn memory_for(
        &self,
        name: &StreamName,
        layout: &Layout,
        way: &mut Way,
        slots: u32,
        pool: &PoolConfig,
    ) -> Result<StreamMemory, PoolError> {
        let generation = self.next_generation(name);
        match way {
            Way::Import(made) => match made.take() {
                Some(Pool::Made(made)) => {
                    StreamMemory::of_devices(made, name, layout, slots, generation)
                }
                Some(each) => StreamMemory::bring(&self.allocator, name, layout, each, generation),
                None => self.fresh_memory(name, layout, pool, generation),
            },
            Way::Export(exported) => {
                let exported = Pool::Exported(std::mem::take(exported));
                StreamMemory::bring(&self.allocator, name, layout, exported, generation)
            }
            Way::Copy => self.fresh_memory(name, layout, pool, generation),
        }
    }
}
