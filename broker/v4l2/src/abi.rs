//! The structures of `linux/videodev2.h` and the numbers in them, for 64-bit kernels.
//!
//! Owns layouts, each checked by the compiler; never makes a call. Where the kernel has a union, there
//! is one structure here for each member that is used, so that reading one needs no trust.

pub const PLANES_MAX: usize = 8;
pub const PRIV_MAGIC: u32 = 0xfeed_cafe;

pub const CAP_CAPTURE: u32 = 0x1;
pub const CAP_OUTPUT: u32 = 0x2;
pub const CAP_CAPTURE_MULTI: u32 = 0x1000;
pub const CAP_OUTPUT_MULTI: u32 = 0x2000;
pub const CAP_M2M_MULTI: u32 = 0x4000;
pub const CAP_M2M: u32 = 0x8000;
pub const CAP_META_CAPTURE: u32 = 0x0080_0000;
pub const CAP_STREAMING: u32 = 0x0400_0000;
pub const CAP_IO_MC: u32 = 0x2000_0000;
pub const CAP_DEVICE_CAPS: u32 = 0x8000_0000;

pub const TYPE_CAPTURE: u32 = 1;
pub const TYPE_OUTPUT: u32 = 2;
pub const TYPE_CAPTURE_MULTI: u32 = 9;
pub const TYPE_OUTPUT_MULTI: u32 = 10;

pub const MEMORY_MMAP: u32 = 1;
pub const MEMORY_DMABUF: u32 = 4;

pub const FIELD_ANY: u32 = 0;
pub const FIELD_NONE: u32 = 1;
pub const FIELD_INTERLACED: u32 = 4;
pub const FIELD_INTERLACED_TB: u32 = 8;
pub const FIELD_INTERLACED_BT: u32 = 9;

pub const INPUT_NO_POWER: u32 = 0x1;
pub const INPUT_NO_SIGNAL: u32 = 0x2;
pub const INPUT_NO_LOCK: u32 = 0x0001_0d00;
pub const INPUT_CAP_TIMINGS: u32 = 0x2;

pub const FORMAT_COMPRESSED: u32 = 0x1;
pub const FORMAT_EMULATED: u32 = 0x2;

pub const ENUM_DISCRETE: u32 = 1;
pub const ENUM_CONTINUOUS: u32 = 2;

pub const PARM_INTERVAL: u32 = 0x1000;

pub const BUFFER_KEY: u32 = 0x8;
pub const BUFFER_ERROR: u32 = 0x40;
pub const BUFFER_CLOCK: u32 = 0xe000;
pub const BUFFER_MONOTONIC: u32 = 0x2000;
pub const BUFFER_COPY: u32 = 0x4000;
pub const BUFFER_SOURCE: u32 = 0x7_0000;
pub const BUFFER_START_OF_EXPOSURE: u32 = 0x1_0000;
pub const BUFFER_LAST: u32 = 0x10_0000;

pub const CONTROL_INTEGER: u32 = 1;
pub const CONTROL_BOOLEAN: u32 = 2;
pub const CONTROL_MENU: u32 = 3;
pub const CONTROL_BUTTON: u32 = 4;
pub const CONTROL_INTEGER64: u32 = 5;
pub const CONTROL_CLASS: u32 = 6;
pub const CONTROL_STRING: u32 = 7;
pub const CONTROL_BITMASK: u32 = 8;
pub const CONTROL_INTEGER_MENU: u32 = 9;
pub const CONTROL_COMPOUND: u32 = 0x100;
pub const CONTROL_DISABLED: u32 = 0x1;
pub const CONTROL_GRABBED: u32 = 0x2;
pub const CONTROL_READ_ONLY: u32 = 0x4;
pub const CONTROL_INACTIVE: u32 = 0x10;
pub const CONTROL_WRITE_ONLY: u32 = 0x40;
pub const CONTROL_VOLATILE: u32 = 0x80;
pub const CONTROL_HAS_PAYLOAD: u32 = 0x100;
pub const CONTROL_NEXT: u32 = 0x8000_0000;

pub const EVENT_END_OF_STREAM: u32 = 2;
pub const EVENT_CONTROL: u32 = 3;
pub const EVENT_SOURCE_CHANGE: u32 = 5;

/// Defines a structure with its size, and offsets of fields, as the kernel's compiler has them.
macro_rules! layout {
    ($(struct $name:ident$(<$kind:ident = $some:ty>)?, $bytes:literal {
        $($field:ident: $type:ty $(= $at:literal)?,)*
    })*) => {$(
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub struct $name$(<$kind = $some>)? { $(pub $field: $type,)* }

        const _: () = {
            type This = $name$(<$some>)?;
            assert!(size_of::<This>() == $bytes);
            $($(assert!(std::mem::offset_of!(This, $field) == $at);)?)*
        };
    )*};
}

layout! {
    struct Capability, 104 {
        driver: [u8; 16],
        card: [u8; 32] = 16,
        bus: [u8; 32] = 48,
        version: u32 = 80,
        capabilities: u32,
        device_caps: u32 = 88,
        reserved: [u32; 3],
    }
    struct Input, 80 {
        index: u32,
        name: [u8; 32],
        kind: u32,
        audioset: u32,
        tuner: u32,
        standards: u64 = 48,
        status: u32,
        capabilities: u32 = 60,
        reserved: [u32; 3],
        padding: u32,
    }
    struct FormatEntry, 64 {
        index: u32,
        kind: u32,
        flags: u32,
        description: [u8; 32],
        pixels: u32 = 44,
        bus_code: u32,
        reserved: [u32; 3],
    }
    struct SizeEntry, 44 {
        index: u32,
        pixels: u32,
        kind: u32,
        // One size, or: width from, to, step; height from, to, step.
        numbers: [u32; 6] = 12,
        reserved: [u32; 2],
    }
    struct IntervalEntry, 52 {
        index: u32,
        pixels: u32,
        width: u32,
        height: u32,
        kind: u32,
        // One fraction, or: shortest, longest, step.
        fractions: [[u32; 2]; 3] = 20,
        reserved: [u32; 2] = 44,
    }
    struct SinglePixels, 48 {
        width: u32,
        height: u32,
        pixels: u32,
        field: u32,
        bytes_per_line: u32,
        bytes: u32,
        space: u32,
        magic: u32 = 28,
        flags: u32,
        encoding: u32,
        quantization: u32,
        transfer: u32 = 44,
    }
    struct SingleFormat, 208 {
        kind: u32,
        padding: u32,
        pixels: SinglePixels = 8,
        rest: [u64; 19],
    }
    struct PlanePixels, 20 {
        bytes: u32,
        bytes_per_line: u32,
        reserved: [u16; 6],
    }
    struct MultiPixels, 192 {
        width: u32,
        height: u32,
        pixels: u32,
        field: u32,
        space: u32,
        planes: [PlanePixels; PLANES_MAX] = 20,
        count: u8 = 180,
        flags: u8,
        encoding: u8,
        quantization: u8,
        transfer: u8 = 184,
        reserved: [u8; 7],
    }
    struct MultiFormat, 208 {
        kind: u32,
        padding: u32,
        pixels: MultiPixels = 8,
        rest: u64,
    }
    struct Parameters, 204 {
        kind: u32,
        capability: u32 = 4,
        mode: u32,
        interval: [u32; 2] = 12,
        extended_mode: u32,
        buffers: u32,
        reserved: [u32; 4],
        rest: [u32; 40],
    }
    struct Request, 20 {
        count: u32,
        kind: u32,
        memory: u32 = 8,
        capabilities: u32,
        flags: u8,
        reserved: [u8; 3],
    }
    struct Plane, 64 {
        used: u32,
        length: u32,
        // An offset for mmap, or a descriptor.
        place: [u32; 2] = 8,
        offset: u32 = 16,
        reserved: [u32; 11],
    }
    struct Buffer<P = [u32; 2]>, 88 {
        index: u32,
        kind: u32,
        used: u32,
        flags: u32,
        field: u32,
        padding: u32,
        seconds: i64 = 24,
        microseconds: i64 = 32,
        timecode: [u32; 4] = 40,
        sequence: u32 = 56,
        memory: u32 = 60,
        // As a plane's, or where the planes are.
        place: P = 64,
        length: u32 = 72,
        reserved: u32,
        request: u32,
        padding_after: u32,
    }
    struct Export, 64 {
        kind: u32,
        index: u32,
        plane: u32,
        flags: u32 = 12,
        fd: i32 = 16,
        reserved: [u32; 11],
    }
    struct ControlEntry, 232 {
        id: u32,
        kind: u32,
        name: [u8; 32],
        min: i64 = 40,
        max: i64,
        step: u64,
        default: i64,
        flags: u32 = 72,
        element_bytes: u32,
        elements: u32,
        dimensions: u32,
        lengths: [u32; 4],
        reserved: [u32; 32],
    }
    struct MenuEntry, 44 {
        id: u32,
        index: u32,
        // A name, or at its beginning a number of 64 bits.
        name: [u8; 32] = 8,
        reserved: u32,
    }
    struct ControlValue, 20 {
        id: u32,
        bytes: u32,
        reserved: u32,
        // A number of 32 bits at the beginning, or one of 64 bits.
        value: [u8; 8] = 12,
    }
    struct ControlValues, 32 {
        which: u32,
        count: u32 = 4,
        wrong: u32,
        request: u32,
        reserved: u32,
        padding: u32,
        values: *mut ControlValue = 24,
    }
    struct Happening, 136 {
        kind: u32,
        padding: u32,
        about: [u64; 8] = 8,
        pending: u32 = 72,
        sequence: u32,
        timestamp: [i64; 2] = 80,
        id: u32 = 96,
        reserved: [u32; 8],
        padding_after: u32,
    }
    struct Interest, 32 {
        kind: u32,
        id: u32,
        flags: u32,
        reserved: [u32; 5],
    }
    struct Signal, 132 {
        kind: u32,
        width: u32 = 4,
        height: u32,
        interlaced: u32,
        polarities: u32,
        // A number of 64 bits that is not aligned to 8 bytes.
        pixel_clock: [u32; 2] = 20,
        // Porch, synchronisation, porch; for the second field too.
        horizontal: [u32; 3] = 28,
        vertical: [u32; 3] = 40,
        vertical_second: [u32; 3] = 52,
        standards: u32,
        flags: u32 = 68,
        aspect: [u32; 2],
        codes: [u8; 2],
        reserved: [u8; 46],
        rest: u32,
    }
}

impl<P> Buffer<P> {
    pub fn new(index: u32, kind: u32, memory: u32, place: P) -> Buffer<P> {
        Buffer {
            index,
            kind,
            used: 0,
            flags: 0,
            field: FIELD_ANY,
            padding: 0,
            seconds: 0,
            microseconds: 0,
            timecode: [0; 4],
            sequence: 0,
            memory,
            place,
            length: 0,
            reserved: 0,
            request: 0,
            padding_after: 0,
        }
    }

    /// The same with something else where it is said what memory it has.
    pub fn with_place<Q>(self, place: Q) -> Buffer<Q> {
        Buffer {
            index: self.index,
            kind: self.kind,
            used: self.used,
            flags: self.flags,
            field: self.field,
            padding: self.padding,
            seconds: self.seconds,
            microseconds: self.microseconds,
            timecode: self.timecode,
            sequence: self.sequence,
            memory: self.memory,
            place,
            length: self.length,
            reserved: self.reserved,
            request: self.request,
            padding_after: self.padding_after,
        }
    }
}
