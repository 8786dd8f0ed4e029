//! What is drawn into pictures, and which camera is opened: both are said with the same bytes.
//!
//! Owns these bytes; never when a camera is opened.

use crate::bytes::Writer;
use crate::error::{Refused, finite};
use serde::{Deserialize, Serialize};

/// From where holograms are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Perspective {
    /// The wearer.
    Display,
    /// The camera.
    Camera,
}

/// What the colour camera's pictures show beside what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MixedReality {
    /// Whether anything is drawn into pictures.
    pub enabled: bool,
    /// Holograms are.
    pub holograms: bool,
    /// So is that it is recording.
    pub recording_indicator: bool,
    /// Pictures are kept steady.
    pub stabilised: bool,
    /// What is protected is left out.
    pub blank_protected: bool,
    /// The mesh of the room is drawn.
    pub mesh: bool,
    /// Another program may have the camera, and then its size and settings are that program's.
    pub shared: bool,
    /// How much holograms hide, 0 to 1.
    pub opacity: f32,
    /// The size of what is drawn, 0 for that of the picture.
    pub output: [f32; 2],
    /// How many pictures are held to keep them steady.
    pub stabilisation: u32,
    /// From where.
    pub perspective: Perspective,
}

impl Default for MixedReality {
    fn default() -> Self {
        Self {
            enabled: false,
            holograms: true,
            recording_indicator: false,
            stabilised: false,
            blank_protected: false,
            mesh: false,
            shared: false,
            opacity: 0.9,
            output: [0.0; 2],
            stabilisation: 0,
            perspective: Perspective::Camera,
        }
    }
}

impl MixedReality {
    pub(crate) fn write(&self, writer: &mut Writer) -> Result<(), Refused> {
        finite("opacity", &[self.opacity])?;
        finite("size of what is drawn", &self.output)?;
        writer
            .flag(self.enabled)
            .flag(self.holograms)
            .flag(self.recording_indicator)
            .flag(self.stabilised)
            .flag(self.blank_protected)
            .flag(self.mesh)
            .flag(self.shared)
            .f32(self.opacity)
            .f32(self.output[0])
            .f32(self.output[1])
            .u32(self.stabilisation)
            .u32(u32::from(self.perspective == Perspective::Camera));
        Ok(())
    }
}

/// A camera as the list of devices counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// Which group of sources.
    pub group: u16,
    /// Which source of the group.
    pub source: u16,
    /// Which profile of the source.
    pub profile: u16,
    /// Another program may have it. A depth camera is never shared.
    pub shared: bool,
}

impl Hardware {
    pub(crate) fn write(self, writer: &mut Writer) {
        for _ in 0..6 {
            writer.flag(false);
        }
        writer
            .flag(self.shared)
            .f32(self.group.into())
            .f32(self.source.into())
            .f32(self.profile.into())
            .u32(0)
            .u32(0);
    }
}
