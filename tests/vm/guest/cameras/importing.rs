//! Frames in memory that is not the camera's.
//!
//! Owns what is given and what it then shows.

use crate::udmabuf::{self, Imported};
use crate::vivid::{BUFFERS, HD, MULTI, SINGLE, fresh, next};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use streamem_v4l2::{Device, DmaPlane, Error, Format, Fourcc, Memory, Queue};

fn given(memory: &[Imported]) -> Vec<DmaPlane<'_>> {
    let planes = memory.iter().map(|memory| DmaPlane {
        fd: memory.dma_buf.as_fd(),
        length: memory.bytes,
        offset: 0,
        used: 0,
    });
    planes.collect()
}

fn ready(camera: &Device, fourcc: Fourcc) -> (Queue, Format) {
    let queue = camera.capture_queue().expect("it captures");
    let format = camera.set_format(queue, &Format::wish(fourcc, HD));
    let count = camera.request(queue, Memory::DmaBuf, BUFFERS);
    assert_eq!(count.expect("it can import"), BUFFERS);
    (queue, format.expect("it has this format"))
}

fn begin_of(memory: &Imported) -> [u8; 4096] {
    let mut begin = [0; 4096];
    memory
        .file
        .read_exact_at(&mut begin, 0)
        .expect("it can be read");
    begin
}

#[test]
fn import_fills_memory_from_elsewhere() {
    for (camera, fourcc) in [
        (SINGLE, Fourcc::YUYV),
        (SINGLE, Fourcc::NV12),
        (MULTI, Fourcc::NV12M),
    ] {
        let camera = fresh(camera);
        let (queue, format) = ready(&camera, fourcc);
        let planes = || format.planes.iter().map(|plane| udmabuf::new(plane.bytes));
        let memory: Vec<Vec<Imported>> = (0..BUFFERS).map(|_| planes().collect()).collect();
        for (index, buffer) in (0..BUFFERS).zip(&memory) {
            let queued = camera.queue_dma_buf(queue, index, &given(buffer));
            queued.expect("it takes the buffer");
        }
        camera.stream_on(queue).expect("it starts");
        let mut last = None;
        for _ in 0..3 * BUFFERS {
            let frame = next(&camera, queue, Memory::DmaBuf, format.planes.len());
            let frame = frame.expect("the camera is there");
            assert!(last.is_none_or(|last| frame.sequence > last) && !frame.broken);
            last = Some(frame.sequence);
            let buffer = &memory[usize::try_from(frame.index).expect("a small number")];
            for (plane, (used, format)) in frame.planes.iter().zip(&format.planes).enumerate() {
                assert_eq!(used.bytes, format.bytes);
                assert_ne!(begin_of(&buffer[plane]), [0; 4096], "plane {plane}");
                // It is to be filled anew.
                let wiped = buffer[plane].file.write_all_at(&[0; 4096], 0);
                wiped.expect("it can be written");
            }
            let queued = camera.queue_dma_buf(queue, frame.index, &given(buffer));
            queued.expect("it takes the buffer");
        }
    }
}

#[test]
fn import_of_what_is_too_small_or_no_dma_buf_is_refused() {
    for (camera, fourcc) in [(SINGLE, Fourcc::YUYV), (MULTI, Fourcc::NV12M)] {
        let camera = fresh(camera);
        let (queue, format) = ready(&camera, fourcc);
        let whole = |bytes| format.planes.iter().map(move |_| udmabuf::new(bytes));
        let small: Vec<Imported> = whole(4096).collect();
        let large: Vec<Imported> = whole(format.planes[0].bytes).collect();
        let queue_it = |planes: &[DmaPlane<'_>]| camera.queue_dma_buf(queue, 0, planes);
        let is_refused = |result| matches!(result, Err(Error::Refused { .. }));
        assert!(is_refused(queue_it(&given(&small))));
        let mut ordinary = given(&large);
        ordinary[0].fd = large[0].file.as_fd();
        assert!(is_refused(queue_it(&ordinary)));
        assert!(is_refused(queue_it(&[])));
        queue_it(&given(&large)).expect("it takes this one");
        assert!(is_refused(queue_it(&given(&large))), "it has it already");
    }
}
