//! Streams whose camera has been opened: they get the memory that suits it.
//!
//! Owns the choice of allocator; never talks to a driver.

use super::{StreamError, Streams};
use crate::config::PoolConfig;
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
        let Some(stream) = self.get(name) else {
            return Ok(false);
        };
        let renews = !stream.suits(&ready);
        if renews {
            let layout = ready.camera.layout.clone();
            let memory = self
                .memory_for(name, &layout, &mut ready, pool)
                .inspect_err(|why| {
                    let fill = ready.way.fill();
                    if let Some(stream) = self.by_name.get_mut(name).filter(|_| fill != Fill::Copy)
                    {
                        stream.avoid(fill, why.to_string());
                    }
                })?;
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
                .attach_camera(ready, number, &self.losses)
                .map_err(StreamError::Thread)?;
        }
        Ok(renews)
    }

    fn memory_for(
        &self,
        name: &StreamName,
        layout: &Layout,
        ready: &mut Ready,
        pool: &PoolConfig,
    ) -> Result<StreamMemory, StreamError> {
        let generation = self.next_generation(name);
        let fill = ready.way.fill();
        let admit = |slots| {
            let readers = self
                .get(name)
                .map(|stream| stream.admit_camera(fill, slots));
            readers.unwrap_or(Ok(())).map_err(StreamError::Promises)
        };
        let made = match &mut ready.way {
            Way::Export(slots) => {
                admit(u32::try_from(slots.len()).unwrap_or(u32::MAX))?;
                let slots = Pool::Exported(std::mem::take(slots));
                StreamMemory::bring(&self.allocator, name, layout, slots, generation)
            }
            Way::Import(allocator) => {
                let slots = pool.device_slots;
                admit(slots)?;
                let parts = ready.camera.parts();
                StreamMemory::for_devices(
                    allocator,
                    name,
                    layout,
                    slots,
                    &parts,
                    (generation, self.protection),
                )
            }
            Way::Copy => StreamMemory::make(
                &self.allocator,
                name,
                layout,
                pool,
                generation,
                self.protection,
            ),
        };
        Ok(made?)
    }
}
