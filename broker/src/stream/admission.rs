//! Whether one more reader can be promised what it asks for.
//!
//! Owns the sum of what was promised; never adds a reader.

use super::{Core, Reader, Stream, Terms, lock};
use crate::source::v4l2::Fill;

impl Stream {
    /// Whether one more reader with these terms would keep every promise.
    pub fn admit(&self, terms: Terms, limited: Option<u32>) -> Result<(), String> {
        let most = slots_max(&lock(&self.core));
        self.admit_to(most, terms, limited)
    }

    /// Whether it would, were there so many slots. A user who is `limited` may have half of them promised,
    /// so that nobody can take a stream from all others.
    pub fn admit_to(&self, most: u32, terms: Terms, limited: Option<u32>) -> Result<(), String> {
        let own = |reader: &&Reader| Some(reader.owner.uid) == limited;
        let promised = |terms: Terms| terms.leases + terms.depth.saturating_sub(1);
        let has: u32 = self
            .readers
            .iter()
            .filter(own)
            .map(|reader| promised(reader.seat.terms))
            .sum();
        let half = most / 2;
        let memory = self.memory();
        let remedy = match memory.is_filled_by() {
            Fill::Import if memory.shape().slots < self.device_slots as usize => {
                "or give its source `memory=udmabuf` or `fill=copy`: these slots are all that go into a message"
            }
            Fill::Import => "or raise `device_slots` under [pool] in the configuration",
            Fill::Export => {
                "or give its source `fill=copy`: these slots are all that its driver has"
            }
            Fill::Copy => "or raise `slots_max` under [pool] in the configuration",
        };
        if let Some(uid) = limited
            && has + promised(terms) > half
        {
            return Err(format!(
                "user {uid} has {has} slots of stream {:?} promised and may have {half}, half of what there \
                 is; {} leases and a depth of {} would be more: ask for fewer, {remedy}",
                self.name.as_str(),
                terms.leases,
                terms.depth,
            ));
        }
        let core = lock(&self.core);
        let (has, needed) = (core.slots_needed(), core.slots_needed_with(terms));
        if needed <= most {
            return Ok(());
        }
        Err(format!(
            "stream {:?} has {most} slots, of which {has} are promised; with {} leases and a depth of {} it would \
             need {needed}: ask for fewer, {remedy}",
            self.name.as_str(),
            terms.leases,
            terms.depth,
        ))
    }
}

fn slots_max(core: &Core) -> u32 {
    u32::try_from(core.memory().shape().slots).unwrap_or(u32::MAX)
}
