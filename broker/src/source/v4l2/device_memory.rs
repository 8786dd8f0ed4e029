//! The kinds of the broker's memory that a camera's driver can write.
//!
//! Owns their words; never makes any.

use std::str::FromStr;

/// What slots are made of that a driver fills by `import`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceMemory {
    /// A sealed memfd, of which each slot is a DMA-BUF too.
    Udmabuf,
    /// A DMA-BUF of a heap for each slot.
    DmaHeap,
    /// A DMA-BUF of a graphics card for each slot.
    Drm,
}

impl DeviceMemory {
    /// All.
    pub const ALL: [DeviceMemory; 3] = [
        DeviceMemory::Udmabuf,
        DeviceMemory::DmaHeap,
        DeviceMemory::Drm,
    ];
    /// Those that are tried if nothing is said, the best first. A graphics card is opened for those only who
    /// ask: it may be asleep, or somebody's who begins to draw on it.
    pub const UNASKED: [DeviceMemory; 2] = [DeviceMemory::Udmabuf, DeviceMemory::DmaHeap];

    /// Its word in URIs and on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DeviceMemory::Udmabuf => "udmabuf",
            DeviceMemory::DmaHeap => "dma_heap",
            DeviceMemory::Drm => "drm",
        }
    }
}

impl FromStr for DeviceMemory {
    type Err = ();

    fn from_str(word: &str) -> Result<DeviceMemory, ()> {
        let found = DeviceMemory::ALL.into_iter().find(|it| it.name() == word);
        found.ok_or(())
    }
}
