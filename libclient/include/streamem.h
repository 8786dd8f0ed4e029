/* Streamem: read frames of a broker where they lie. MIT or Apache-2.0, as you like.
 *
 * This file is made of the library's source; do not edit it.
 *
 * Whatever can fail returns a negative errno, and streamem_last_error() has the sentence that says
 * what is wrong and what to do. A function that gives a value or an address instead gives 0 or NULL
 * then. errno itself is left alone.
 *
 * Subscriptions, frames, lists and publishers are handles: they look like pointers and lead nowhere. Using one
 * that was released, or is of another kind, is -EBADF; NULL is -EINVAL. Release what you are given, and
 * in whatever order you like. A broker of another version is -EPROTONOSUPPORT.
 *
 * Texts that go in are UTF-8, end with a NUL and are not kept. Each descriptor that comes out belongs
 * to the library: never close it. All are close-on-exec. After fork, a child may only exec.
 *
 * A struct begins with its size. A program compiled with an older header works with a newer library;
 * one compiled with a newer header works with an older library as long as what is new in it is zero.
 */
#ifndef STREAMEM_H
#define STREAMEM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// The newest frame each time; those in between are counted as missed. The usual mode.
#define STREAMEM_LATEST 0

// Each frame in order, as long as the reader is at most `depth` behind.
#define STREAMEM_EVERY 1

// streamem_subscription_state: frames come.
#define STREAMEM_LIVE 0

// streamem_subscription_state: the source is gone for now, and frames may come again.
#define STREAMEM_LOST 1

// streamem_subscription_state: the stream's memory is being renewed.
#define STREAMEM_RENEWED 2

// streamem_subscription_state: the stream was removed.
#define STREAMEM_ENDED 3

// streamem_subscription_state: the broker is gone; it is called again and again.
#define STREAMEM_DISCONNECTED 4

// streamem_frame_flags: the source says that this frame is damaged.
#define STREAMEM_BROKEN 1

// streamem_frame_flags: the source lost frames before this one.
#define STREAMEM_GAP 2

// streamem_frame_flags: a packet that can be decoded without those before it.
#define STREAMEM_KEY 4

// streamem_frame_clock_domain: the source has no clock.
#define STREAMEM_CLOCK_NONE 0

// streamem_frame_clock_domain: nanoseconds of CLOCK_MONOTONIC.
#define STREAMEM_CLOCK_MONOTONIC 1

// streamem_frame_clock_domain: ticks of 100 ns of a HoloLens.
#define STREAMEM_CLOCK_HOLOLENS 2

// streamem_frame_clock_domain: ticks of 100 ns of NDI.
#define STREAMEM_CLOCK_NDI 3

// streamem_frame_clock_domain: the index of the first audio sample.
#define STREAMEM_CLOCK_SAMPLES 4

// streamem_frame_side_data: where the camera was, 16 floats, a matrix of 4 rows.
#define STREAMEM_SIDE_POSE 1

// streamem_frame_side_data: 4 floats: focal lengths x and y, principal point x and y, in pixels.
#define STREAMEM_SIDE_INTRINSICS 2

// streamem_frame_side_data: 12 bytes: a uint64_t, nanoseconds of exposure; a float, the gain.
#define STREAMEM_SIDE_EXPOSURE 3

// streamem_frame_side_data: 36 bytes: four uint32_t, sensitivity (ISO), white balance in kelvin, lens position, focus (0
// not set, 1 lost, 2 being looked for, 3 found, 4 not found); five floats, the gains of red, green and blue, and two of
// the sensor.
#define STREAMEM_SIDE_OPTICS 4

// A layout's `kind`: an uncompressed picture.
#define STREAMEM_VIDEO 1

// A layout's `kind`: compressed bytes of a picture.
#define STREAMEM_PACKET 2

// A layout's `kind`: a block of audio samples.
#define STREAMEM_AUDIO 3

// A layout's `kind`: a batch of records.
#define STREAMEM_BATCH 4

// Most planes a layout has.
#define STREAMEM_PLANES_MAX 4

// Most dimensions a layout has.
#define STREAMEM_DIMENSIONS_MAX 4

// One frame, held until streamem_frame_release.
//
// It may be used and released by any thread, and outlive its subscription. Its bytes do not change
// while it is held, and are gone afterwards: no address of them may be used then. A function that
// is called with a frame that was released fails, and touches nothing.
typedef struct streamem_frame streamem_frame;

// Who fills a stream.
//
// A publisher is used by one thread at a time; a call during another's gives -EBUSY. It goes on by
// itself when the broker comes back.
typedef struct streamem_publisher streamem_publisher;

// The streams there were when it was asked for. May be used by several threads.
typedef struct streamem_streams streamem_streams;

// One reader of one stream.
//
// A subscription is used by one thread at a time; a call during another's gives -EBUSY.
typedef struct streamem_subscription streamem_subscription;

// What is asked of a subscription. Begin with streamem_options_init() and change what is to be
// different: 0 and NULL mean the usual.
typedef struct streamem_options {
  // sizeof(streamem_options), as the caller was compiled.
  size_t struct_size;
  // Path of the broker's socket; NULL looks at $STREAMEM_SOCKET and the usual places.
  const char *socket;
  // STREAMEM_LATEST or STREAMEM_EVERY.
  uint32_t mode;
  // How many frames a reader of every frame may be behind; 0 is 1.
  uint32_t depth;
  // How many frames are kept for streamem_clip.
  uint32_t history;
  // How many frames may be held at a time; 0 is 2, or one more than `history`.
  uint32_t leases;
  // 1 makes the subscription's descriptor readable with each frame, for an event loop.
  uint32_t eventfd;
  // How long to wait for a stream that is not there, in milliseconds. With 0 that is an error at
  // once, and so is the end of the stream later on; otherwise it is waited for then, too.
  uint32_t wait_ms;
  // 1 makes each frame a DMA-BUF too (streamem_frame_dma_buf). Needs the right to import.
  uint32_t dma_buf;
  // Must be 0.
  uint32_t reserved;
} streamem_options;

// Where the rows of one plane lie.
typedef struct streamem_plane {
  // Bytes from the frame's first to the plane's.
  uint64_t offset;
  // Bytes from one row to the next.
  uint64_t stride;
  // Number of rows.
  uint64_t rows;
} streamem_plane;

// How the bytes of a frame are to be read.
typedef struct streamem_layout {
  // sizeof(streamem_layout), as the caller was compiled.
  size_t struct_size;
  // STREAMEM_VIDEO and the numbers after it.
  uint32_t kind;
  // The four-character code, first character in the lowest byte: DRM's where DRM has the format.
  uint32_t fourcc;
  // DRM's format modifier; 0 is linear.
  uint64_t modifier;
  // Pixels in a row; 0 where there are none.
  uint32_t width;
  // Rows of pixels.
  uint32_t height;
  // Frames in a second; 0 where unknown.
  double rate;
  // Audio samples in a second.
  uint32_t sample_rate;
  // How many of `planes` there are; none for packets.
  uint32_t plane_count;
  // Where the rows lie.
  struct streamem_plane planes[STREAMEM_PLANES_MAX];
  // Bytes of a frame, or the most a packet has.
  uint64_t bytes;
  // How many of `shape` and `strides` there are: the frame as an array; none where it is no array.
  uint32_t dimensions;
  // Bytes of one number.
  uint32_t element_bytes;
  // Length of each dimension.
  uint64_t shape[STREAMEM_DIMENSIONS_MAX];
  // Bytes from one element to the next in each dimension.
  uint64_t strides[STREAMEM_DIMENSIONS_MAX];
  // The format's name, such as `bgr24`.
  char format[16];
  // The array's elements as numpy names them, such as `|u1`.
  char element[16];
  // `srgb`, `bt601`, `bt709` or `bt2020`; empty where there is no colour.
  char colour_space[16];
  // `full` or `limited`.
  char colour_range[16];
} streamem_layout;

// What is asked of a publication. Begin with streamem_publish_options_init(), then set either `like`
// or `format` and what belongs to it; 0 and NULL mean the usual, or "there is none".
typedef struct streamem_publish_options {
  // sizeof(streamem_publish_options), as the caller was compiled.
  size_t struct_size;
  // Path of the broker's socket; NULL looks at $STREAMEM_SOCKET and the usual places.
  const char *socket;
  // The name of a stream whose frames lie as these shall.
  const char *like;
  // The name of a format, such as `bgr24`.
  const char *format;
  // Frames in a second.
  double rate;
  // Pixels in a row.
  uint32_t width;
  // Rows of pixels.
  uint32_t height;
  // The most bytes of a packet.
  uint32_t bytes_max;
  // Audio samples in a second.
  uint32_t sample_rate;
  // Audio channels.
  uint32_t channels;
  // Samples of a channel in a block.
  uint32_t samples;
  // How many slots are in hand at a time; 0 is 2.
  uint32_t slots;
  // The most slots the stream can have; 0 is 32.
  uint32_t slots_max;
} streamem_publish_options;

// One block of side-data that goes with a frame.
typedef struct streamem_side_block {
  // STREAMEM_SIDE_POSE and the numbers after it, or a kind of your own.
  uint32_t kind;
  // How many bytes.
  uint32_t size;
  // The bytes.
  const void *data;
} streamem_side_block;

// What is said of a frame that is submitted. Begin with streamem_stamp_init(); 0 means the usual.
typedef struct streamem_stamp {
  // sizeof(streamem_stamp), as the caller was compiled.
  size_t struct_size;
  // When it was captured: CLOCK_MONOTONIC, in nanoseconds; 0 is when it is published.
  uint64_t captured_ns;
  // How many bytes it has; 0 is all of them.
  size_t bytes;
  // What the source's own clock says.
  uint64_t source_clock;
  // The source's own number for the frame.
  uint64_t source_sequence;
  // What the source's own clock counts: STREAMEM_CLOCK_NONE and the numbers after it.
  uint32_t clock_domain;
  // STREAMEM_BROKEN, STREAMEM_GAP, STREAMEM_KEY, each a bit.
  uint32_t flags;
  // Side-data, as many blocks as `side_count` says.
  const struct streamem_side_block *side;
  // How many blocks of side-data there are.
  size_t side_count;
} streamem_stamp;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Subscribes to a stream.
//
// `options` may be NULL: the newest frames, from the broker at the usual place. Neither text is kept.
// On success 0 is returned, and `subscription` is the caller's, to be ended with
// streamem_unsubscribe; otherwise it is NULL.
//
// -EINVAL: an argument cannot be. -ECONNREFUSED: no broker. -EACCES: its socket is not open to this
// user. -ENOENT: no such stream. -EPERM: this user may not read it, or not import it. -EOPNOTSUPP: no
// device can import its memory. -ETIME: it did not come within `wait_ms`. -EDQUOT, -ENOSPC: this
// user, or the stream, has no room for one more reader. -E2BIG: `options` is of a newer version and
// not zero there.
int streamem_subscribe(const char *stream,
                       const struct streamem_options *options,
                       struct streamem_subscription **subscription);

// Ends a subscription, with all its descriptors. Frames taken from it stay valid. NULL is allowed.
int streamem_unsubscribe(struct streamem_subscription *subscription);

// Takes the next frame, and waits for it for at most `timeout_ms`; 0 only looks.
//
// Returns 1 and a frame, which is the caller's, to be given back with streamem_frame_release; or 0
// and NULL if none came in that time, which is also so while the broker or the source is away.
//
// -EINVAL: an argument cannot be; there is no waiting for ever. -ENOBUFS: as many frames are held as
// may be; release one, or ask for more `leases`. -ENODEV: the stream has ended. -EBUSY: another
// thread uses the subscription.
int streamem_next(struct streamem_subscription *subscription,
                  int timeout_ms,
                  struct streamem_frame **frame);

// Takes the next frame if it is there. As streamem_next with 0: what to call when the descriptor of
// the subscription is readable, until it returns 0.
int streamem_try_next(struct streamem_subscription *subscription, struct streamem_frame **frame);

// Takes the newest frame there is, taken before or not. Returns as streamem_next; never waits.
int streamem_latest(struct streamem_subscription *subscription, struct streamem_frame **frame);

// Takes the newest `count` frames, oldest first, into `frames`, which has room for that many.
//
// Returns how many there are, which is fewer when there are not as many yet; each is the caller's,
// to be given back with streamem_frame_release. Ask for them to be kept with `history`. Never waits.
// Fails as streamem_next.
int streamem_clip(struct streamem_subscription *subscription,
                  struct streamem_frame **frames,
                  size_t count);

// What has become of the stream: STREAMEM_LIVE and the numbers after it.
int streamem_subscription_state(const struct streamem_subscription *subscription);

// The descriptor an event loop watches for reading: it becomes readable when streamem_try_next may
// have something, if `eventfd` was asked for, and when the broker went away or is to be called again.
//
// It belongs to the subscription: watch it, do not read or close it. It stays the same until
// streamem_unsubscribe, which closes it.
int streamem_subscription_fd(const struct streamem_subscription *subscription);

// How many frames were published and not taken, all in all.
uint64_t streamem_subscription_missed(const struct streamem_subscription *subscription);

// Writes how the stream's frames lie now; a frame knows its own. `layout` is the caller's, with its
// `struct_size` set.
int streamem_subscription_layout(const struct streamem_subscription *subscription,
                                 struct streamem_layout *layout);

// Gives a frame back; the handle stands for nothing from then on. NULL is allowed.
int streamem_frame_release(struct streamem_frame *frame);

// The frame's bytes, in the broker's own memory: read-only, and good until the frame is released.
// NULL if that is no frame.
const void *streamem_frame_data(const struct streamem_frame *frame);

// How many bytes the frame has.
size_t streamem_frame_size(const struct streamem_frame *frame);

// The frame's number within its stream, beginning with 1. 0 if that is no frame.
uint64_t streamem_frame_sequence(const struct streamem_frame *frame);

// How many frames there were between the one taken before and this one.
uint64_t streamem_frame_missed(const struct streamem_frame *frame);

// When it was captured: CLOCK_MONOTONIC, in nanoseconds.
uint64_t streamem_frame_captured_ns(const struct streamem_frame *frame);

// When the broker made it visible: CLOCK_MONOTONIC, in nanoseconds.
uint64_t streamem_frame_published_ns(const struct streamem_frame *frame);

// What is special about it: STREAMEM_BROKEN, STREAMEM_GAP, STREAMEM_KEY, each a bit.
uint32_t streamem_frame_flags(const struct streamem_frame *frame);

// What the source's own clock said; what that counts is said by streamem_frame_clock_domain.
uint64_t streamem_frame_source_clock(const struct streamem_frame *frame);

// What the source's own clock counts: STREAMEM_CLOCK_NONE and the numbers after it.
uint32_t streamem_frame_clock_domain(const struct streamem_frame *frame);

// The source's own number for the frame, where it has one.
uint64_t streamem_frame_source_sequence(const struct streamem_frame *frame);

// Writes how the frame's bytes are to be read. `layout` is the caller's, with its `struct_size` set
// (streamem_layout_init); nothing in it refers to the frame.
int streamem_frame_layout(const struct streamem_frame *frame, struct streamem_layout *layout);

// Copies the frame's side-data of one kind (STREAMEM_SIDE_POSE and the numbers after it) into
// `buffer`, as much as fits into `capacity` bytes, and returns how many bytes it has.
//
// `buffer` may be NULL if `capacity` is 0. -ENODATA: the frame has none of that kind.
int streamem_frame_side_data(const struct streamem_frame *frame,
                             uint32_t kind,
                             void *buffer,
                             size_t capacity);

// The descriptor of the memory the frame lies in, and where in it the frame begins: to hand it on to
// another process, or to import it.
//
// It belongs to the library: do not close it; dup it to keep it longer than the frame. Whoever maps
// it sees other frames there as well, and this one only while it is held. `offset` may be NULL.
int streamem_frame_memory(const struct streamem_frame *frame,
                          uint64_t *offset);

// The descriptor of the DMA-BUF the frame lies in from its start on, for a device to import. Options with
// `dma_buf` may be needed for it.
//
// It belongs to the library: do not close it; dup it to keep it longer than the frame. A device that has
// imported it is to read the frame only while it is held, and to write none. -ENODATA: it is in none.
int streamem_frame_dma_buf(const struct streamem_frame *frame);

// A new descriptor that becomes readable when the device that writes the frame is done, as Vulkan and
// EGL take it (a sync_file). A program that reads with the processor needs none.
//
// It belongs to the caller, who closes it. -ENODATA: this reader has no DMA-BUF of the frame, as
// where no device writes it.
int streamem_frame_sync_file(const struct streamem_frame *frame);

// Asks the broker which streams there are.
//
// `socket` is the path of its socket, or NULL for the usual places; it is not kept. On success 0 is
// returned, and `streams` is the caller's, to be given back with streamem_streams_release; otherwise
// it is NULL. Waits for at most 10 seconds.
//
// -EINVAL: an argument cannot be. -ECONNREFUSED: no broker. -EACCES: its socket is not open to this
// user. -ETIMEDOUT: it does not answer.
int streamem_list(const char *socket,
                  struct streamem_streams **streams);

// How many streams are in the list.
int streamem_streams_count(const struct streamem_streams *streams);

// The name of one of them, by its place in the list; NULL if there are not as many. It belongs to
// the list and is good until that is released.
const char *streamem_streams_name(const struct streamem_streams *streams, size_t index);

// All that the broker says of the streams, as a JSON array: layout, memory, counters. It belongs to
// the list and is good until that is released. NULL if that is no list.
const char *streamem_streams_json(const struct streamem_streams *streams);

// Gives a list back, with its texts. NULL is allowed.
int streamem_streams_release(struct streamem_streams *streams);

// Becomes the source of a stream.
//
// No text is kept. On success 0 is returned, and `publisher` is the caller's, to be ended with
// streamem_unpublish; otherwise it is NULL.
//
// -EINVAL: an argument cannot be. -ECONNREFUSED: no broker. -EACCES: its socket is not open to this
// user. -EPERM: this user may not publish it. -EEXIST: the stream has a source. -ENOENT: there is no
// stream to be like. -EDOM: frames cannot lie so, or the stream's must lie otherwise. -EDQUOT: this
// user has no room for its memory. -E2BIG: `options` is of a newer version and not zero there.
int streamem_publish(const char *stream,
                     const struct streamem_publish_options *options,
                     struct streamem_publisher **publisher);

// Takes the next slot to fill, and waits for it for at most `timeout_ms`; 0 only looks.
//
// Returns 1, where its bytes are, and how many; or 0 and NULL if none came in that time, which is
// also so while the broker is away. What was in it before may still be there. The bytes may be
// written until the next call with this publisher; without streamem_submit that gives the same slot.
//
// -EINVAL: an argument cannot be. -EBADMSG: a frame submitted before was not published. -EPIPE: the
// broker ended the publication, and it is begun anew with the next call. -EBUSY: another thread uses
// the publisher. Also what streamem_publish fails with, when the broker came back.
int streamem_slot(struct streamem_publisher *publisher,
                  int timeout_ms,
                  void **bytes,
                  size_t *size);

// Hands over the slot that streamem_slot gave; the broker publishes it at once. `stamp` may be NULL:
// the whole slot, captured now. Nothing of it is kept.
//
// -EINVAL: an argument cannot be, or there is no slot in hand. -EMSGSIZE: too much side-data.
// -EBADMSG: a frame submitted before was not published; this one is still in hand.
int streamem_submit(struct streamem_publisher *publisher,
                    const struct streamem_stamp *stamp);

// Writes how the frames are to lie. `layout` is the caller's, with its `struct_size` set
// (streamem_layout_init).
int streamem_publisher_layout(const struct streamem_publisher *publisher,
                              struct streamem_layout *layout);

// Ends a publication: waits, for at most 10 seconds, until what was submitted is published. A slot in
// hand falls back, and its bytes are gone. The handle stands for nothing from then on, whatever is
// returned. NULL is allowed.
int streamem_unpublish(struct streamem_publisher *publisher);

// The sentence that belongs to the last failure in this thread: what is wrong and what to do about it.
//
// Never NULL; empty as long as nothing failed. It belongs to the library and is valid until the
// next call of this library in the same thread. A call that succeeds leaves it alone.
const char *streamem_last_error(void);

// The version of this library, such as `0.1.0`. It belongs to the library and lives as long.
const char *streamem_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* The usual options, to be changed where something else is wanted. */
static inline streamem_options streamem_options_init(void)
{
  streamem_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  return options;
}

/* A publication as usual; how the frames lie is to be added. */
static inline streamem_publish_options streamem_publish_options_init(void)
{
  streamem_publish_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  return options;
}

/* A whole frame, captured now, to be changed where something else is so. */
static inline streamem_stamp streamem_stamp_init(void)
{
  streamem_stamp stamp;
  memset(&stamp, 0, sizeof stamp);
  stamp.struct_size = sizeof stamp;
  return stamp;
}

/* A layout to be written into. */
static inline streamem_layout streamem_layout_init(void)
{
  streamem_layout layout;
  memset(&layout, 0, sizeof layout);
  layout.struct_size = sizeof layout;
  return layout;
}

#endif
