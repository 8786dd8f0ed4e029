//! A frame as a reader has it, copied out.
//!
//! Owns taking it apart; never judges it.

use streamem::{Frame, Layout, Optics, SideData};

/// A frame.
#[derive(Debug)]
pub struct Seen {
    pub bytes: Vec<u8>,
    pub layout: Layout,
    pub captured_ns: u64,
    pub clock: u32,
    pub ticks: u64,
    pub packet: u64,
    pub flags: u32,
    pub pose: Option<[f32; 16]>,
    pub intrinsics: Option<[f32; 4]>,
    pub exposure: Option<(u64, f32)>,
    pub optics: Option<Optics>,
}

impl Seen {
    pub fn of(frame: &Frame) -> Seen {
        let (clock, ticks) = frame.source_clock();
        let mut seen = Seen {
            bytes: frame.bytes().to_vec(),
            layout: frame.layout().clone(),
            captured_ns: frame.captured_ns(),
            clock,
            ticks,
            packet: frame.source_sequence(),
            flags: frame.flags(),
            pose: None,
            intrinsics: None,
            exposure: None,
            optics: None,
        };
        for said in frame.side_data() {
            match said {
                SideData::Pose(pose) => seen.pose = Some(pose),
                SideData::Intrinsics(intrinsics) => seen.intrinsics = Some(intrinsics),
                SideData::Exposure { exposure_ns, gain } => {
                    seen.exposure = Some((exposure_ns, gain));
                }
                SideData::Optics(optics) => seen.optics = Some(optics),
                SideData::Other { kind, .. } => panic!("side-data of kind {kind}"),
            }
        }
        seen
    }

    /// Which packet it is from, by the place the device was at.
    pub fn number(&self) -> u64 {
        let pose = self
            .pose
            .expect("every packet of it says where the device was");
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count"
        )]
        let number = (pose[12] * 4.0) as u64;
        assert_eq!(pose, streamem_headset::expected::pose(number));
        number
    }

    /// A row of a plane, without what is beside it.
    pub fn row(&self, plane: usize, row: usize, bytes: usize) -> &[u8] {
        let plane = &self.layout.planes[plane];
        let at = usize::try_from(plane.offset + plane.stride * row as u64).expect("a place");
        &self.bytes[at..at + bytes]
    }

    /// The numbers of a plane of 16 bits, row by row.
    pub fn shorts(&self, width: usize, height: usize) -> Vec<u16> {
        let rows = (0..height).map(|row| self.row(0, row, width * 2));
        rows.flat_map(|row| row.as_chunks::<2>().0)
            .map(|two| u16::from_le_bytes(*two))
            .collect()
    }
}

/// A number of 4 bytes at this place.
pub fn f32_at(bytes: &[u8], at: usize) -> f32 {
    f32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
