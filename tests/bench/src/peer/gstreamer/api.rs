//! The handful of GStreamer functions the peer needs, loaded with dlopen.
//!
//! It owns every pointer that GStreamer gave: each wrapper unreferences what it holds on drop.
//!
//! # Safety
//!
//! All of it is C. The signatures are those of GStreamer 1.x, whose ABI is stable; ownership of each argument
//! follows its documentation and is noted at the call.
#![allow(unsafe_code)]

use libloading::Library;
use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::io;
use std::ptr::null_mut;
use std::sync::Arc;
use std::time::Duration;

type Object = *mut c_void;

const PLAYING: c_int = 4;
const NULL: c_int = 1;
const READ: c_uint = 1;
const WRITE: c_uint = 2;

/// Loads each named function of a library into a field of the same name.
macro_rules! functions {
    ($($library:literal { $($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)* })*) => {
        struct Functions {
            $($($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*)*
            _libraries: Vec<Library>,
        }

        impl Functions {
            fn load() -> Result<Self, libloading::Error> {
                let mut libraries = Vec::new();
                $(
                    // SAFETY: loading GStreamer runs its constructors, which are meant to run in any process.
                    let library = unsafe { Library::new($library)? };
                    $(
                        // SAFETY: the signature is that of the GStreamer 1.x header; the library stays loaded.
                        let $name = unsafe { *library.get(concat!(stringify!($name), "\0").as_bytes())? };
                    )*
                    libraries.push(library);
                )*
                Ok(Self { $($($name,)*)* _libraries: libraries })
            }
        }
    };
}

functions! {
    "libgobject-2.0.so.0" {
        g_object_unref: fn(Object);
    }
    "libgstreamer-1.0.so.0" {
        gst_init: fn(*mut c_int, *mut *mut *mut c_char);
        gst_parse_launch: fn(*const c_char, *mut *mut c_void) -> Object;
        gst_bin_get_by_name: fn(Object, *const c_char) -> Object;
        gst_element_set_state: fn(Object, c_int) -> c_int;
        gst_element_get_state: fn(Object, *mut c_int, *mut c_int, u64) -> c_int;
        gst_element_get_static_pad: fn(Object, *const c_char) -> Object;
        gst_caps_from_string: fn(*const c_char) -> Object;
        gst_query_new_allocation: fn(Object, c_int) -> Object;
        gst_pad_peer_query: fn(Object, Object) -> c_int;
        gst_query_get_n_allocation_params: fn(Object) -> c_uint;
        gst_query_parse_nth_allocation_param: fn(Object, c_uint, *mut Object, *mut AllocationParams);
        gst_buffer_new_allocate: fn(Object, usize, *const AllocationParams) -> Object;
        gst_buffer_map: fn(Object, *mut MapInfo, c_uint) -> c_int;
        gst_buffer_unmap: fn(Object, *mut MapInfo);
        gst_sample_get_buffer: fn(Object) -> Object;
        gst_mini_object_unref: fn(Object);
    }
    "libgstapp-1.0.so.0" {
        gst_app_src_push_buffer: fn(Object, Object) -> c_int;
        gst_app_sink_try_pull_sample: fn(Object, u64) -> Object;
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
struct AllocationParams {
    flags: c_uint,
    align: usize,
    prefix: usize,
    padding: usize,
    reserved: [*mut c_void; 4],
}

#[repr(C)]
struct MapInfo {
    memory: *mut c_void,
    flags: c_uint,
    data: *mut u8,
    size: usize,
    maxsize: usize,
    user_data: [*mut c_void; 4],
    reserved: [*mut c_void; 4],
}

/// The loaded library.
pub struct Gst(Arc<Functions>);

/// A playing pipeline and its element called `end`.
pub struct Pipeline {
    functions: Arc<Functions>,
    pipeline: Object,
    end: Object,
}

/// The allocator that the sink of a pipeline proposes.
pub struct Allocator {
    functions: Arc<Functions>,
    allocator: Object,
    params: AllocationParams,
}

/// A buffer mapped for access; unmapped and unreferenced on drop.
pub struct Mapped {
    functions: Arc<Functions>,
    buffer: Object,
    info: MapInfo,
    /// The sample that owns the buffer, if it came out of a sink.
    sample: Option<Object>,
}

/// A sample that came out of a sink.
pub struct Sample {
    functions: Arc<Functions>,
    sample: Object,
}

impl Gst {
    /// Loads and initialises GStreamer.
    pub fn load() -> io::Result<Self> {
        let functions = Functions::load().map_err(io::Error::other)?;
        // SAFETY: null is allowed for both arguments.
        unsafe { (functions.gst_init)(null_mut(), null_mut()) };
        Ok(Self(Arc::new(functions)))
    }

    /// Builds a pipeline and sets it playing.
    pub fn launch(&self, description: &str) -> io::Result<Pipeline> {
        let description = CString::new(description)?;
        let functions = Arc::clone(&self.0);
        // SAFETY: a terminated string; the error may be ignored with null.
        let pipeline = unsafe { (functions.gst_parse_launch)(description.as_ptr(), null_mut()) };
        if pipeline.is_null() {
            return Err(io::Error::other("GStreamer refuses the pipeline"));
        }
        // SAFETY: a pipeline is a bin; the result is a new reference or null.
        let end = unsafe { (functions.gst_bin_get_by_name)(pipeline, c"end".as_ptr()) };
        let built = Pipeline {
            functions,
            pipeline,
            end,
        };
        // SAFETY: a valid element.
        unsafe { (built.functions.gst_element_set_state)(pipeline, PLAYING) };
        let patience = Duration::from_millis(300).as_nanos() as u64;
        // SAFETY: a valid element; null is allowed for both results.
        unsafe {
            (built.functions.gst_element_get_state)(pipeline, null_mut(), null_mut(), patience)
        };
        Ok(built)
    }
}

impl Pipeline {
    /// Asks what comes after `end` for the memory it would like frames to be in.
    pub fn allocator(&self, caps: &str) -> io::Result<Allocator> {
        let functions = Arc::clone(&self.functions);
        let caps = CString::new(caps)?;
        // SAFETY: a valid element; the result is a new reference.
        let pad = unsafe { (functions.gst_element_get_static_pad)(self.end, c"src".as_ptr()) };
        // SAFETY: a terminated string; the result is a new reference.
        let caps = unsafe { (functions.gst_caps_from_string)(caps.as_ptr()) };
        // SAFETY: valid caps, of which the query keeps its own reference.
        let query = unsafe { (functions.gst_query_new_allocation)(caps, 0) };
        let mut params = AllocationParams {
            flags: 0,
            align: 0,
            prefix: 0,
            padding: 0,
            reserved: [null_mut(); 4],
        };
        let mut allocator = null_mut();
        // SAFETY: a valid pad and query.
        let answered = unsafe { (functions.gst_pad_peer_query)(pad, query) } != 0;
        // SAFETY: a valid allocation query.
        if answered && unsafe { (functions.gst_query_get_n_allocation_params)(query) } > 0 {
            // SAFETY: index 0 exists; the allocator comes as a new reference.
            unsafe {
                (functions.gst_query_parse_nth_allocation_param)(
                    query,
                    0,
                    &mut allocator,
                    &mut params,
                )
            };
        }
        // SAFETY: our reference to the query ends here.
        unsafe { (functions.gst_mini_object_unref)(query) };
        // SAFETY: our reference to the caps ends here.
        unsafe { (functions.gst_mini_object_unref)(caps) };
        // SAFETY: our reference to the pad ends here.
        unsafe { (functions.g_object_unref)(pad) };
        if allocator.is_null() {
            return Err(io::Error::other("shmsink proposes no allocator"));
        }
        Ok(Allocator {
            functions,
            allocator,
            params,
        })
    }

    /// Gives a filled buffer to `end`, an appsrc.
    pub fn push(&self, mut mapped: Mapped) -> io::Result<()> {
        let buffer = mapped.release();
        // SAFETY: a valid appsrc; it takes over the reference to the buffer.
        match unsafe { (self.functions.gst_app_src_push_buffer)(self.end, buffer) } {
            0 => Ok(()),
            flow => Err(io::Error::other(format!("appsrc answers {flow}"))),
        }
    }

    /// Takes a sample from `end`, an appsink; `None` when none came in time.
    pub fn pull(&self, timeout: Duration) -> Option<Sample> {
        // SAFETY: a valid appsink; the result is a new reference or null.
        let sample = unsafe {
            (self.functions.gst_app_sink_try_pull_sample)(self.end, timeout.as_nanos() as u64)
        };
        (!sample.is_null()).then(|| Sample {
            functions: Arc::clone(&self.functions),
            sample,
        })
    }
}

impl Allocator {
    /// A new buffer, mapped for writing.
    pub fn buffer(&self, bytes: usize) -> io::Result<Mapped> {
        // SAFETY: a valid allocator and its own parameters; the result is a new reference.
        let buffer = unsafe {
            (self.functions.gst_buffer_new_allocate)(self.allocator, bytes, &self.params)
        };
        if buffer.is_null() {
            return Err(io::Error::other("GStreamer has no memory"));
        }
        Mapped::new(&self.functions, buffer, WRITE, None)
    }
}

impl Sample {
    /// Maps its buffer for reading.
    pub fn map(self) -> io::Result<Mapped> {
        // SAFETY: a valid sample; the buffer belongs to it.
        let buffer = unsafe { (self.functions.gst_sample_get_buffer)(self.sample) };
        let sample = self.sample;
        let functions = Arc::clone(&self.functions);
        std::mem::forget(self);
        Mapped::new(&functions, buffer, READ, Some(sample))
    }
}

impl Mapped {
    fn new(
        functions: &Arc<Functions>,
        buffer: Object,
        access: c_uint,
        sample: Option<Object>,
    ) -> io::Result<Self> {
        let info = MapInfo {
            memory: null_mut(),
            flags: 0,
            data: null_mut(),
            size: 0,
            maxsize: 0,
            user_data: [null_mut(); 4],
            reserved: [null_mut(); 4],
        };
        let mut mapped = Self {
            functions: Arc::clone(functions),
            buffer,
            info,
            sample,
        };
        // SAFETY: a valid buffer and room for the answer.
        if unsafe { (functions.gst_buffer_map)(buffer, &mut mapped.info, access) } == 0 {
            return Err(io::Error::other("GStreamer cannot map the buffer"));
        }
        Ok(mapped)
    }

    /// The bytes, to read.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: mapped until drop; that nobody writes meanwhile is what the peer promises.
        unsafe { std::slice::from_raw_parts(self.info.data, self.info.size) }
    }

    /// The bytes, to write.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: mapped for writing until drop, and this buffer is not shared yet.
        unsafe { std::slice::from_raw_parts_mut(self.info.data, self.info.size) }
    }

    /// Unmaps and gives up the reference.
    fn release(&mut self) -> Object {
        // SAFETY: mapped exactly once, in `new`.
        unsafe { (self.functions.gst_buffer_unmap)(self.buffer, &mut self.info) };
        std::mem::replace(&mut self.buffer, null_mut())
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        if self.buffer.is_null() {
            return;
        }
        let buffer = self.release();
        // SAFETY: our reference: to the sample that owns the buffer, or to the buffer itself.
        unsafe { (self.functions.gst_mini_object_unref)(self.sample.unwrap_or(buffer)) };
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        // SAFETY: our reference to the sample ends here.
        unsafe { (self.functions.gst_mini_object_unref)(self.sample) };
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // SAFETY: a valid element.
        unsafe { (self.functions.gst_element_set_state)(self.pipeline, NULL) };
        for object in [self.end, self.pipeline] {
            if !object.is_null() {
                // SAFETY: our reference ends here.
                unsafe { (self.functions.g_object_unref)(object) };
            }
        }
    }
}
