/* Takes COUNT frames in order and writes each to standard output: a line with what the library says
 * of it, then its bytes. frames SOCKET STREAM COUNT */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <inttypes.h>
#include <unistd.h>

static unsigned char copy[4096];

int main(int argc, char **argv)
{
  CHECK(argc == 4);
  streamem_options options = options_at(argv[1]);
  options.mode = STREAMEM_EVERY;
  options.depth = 16;
  options.leases = 3;
  streamem_subscription *subscription;
  CHECK(streamem_subscribe(argv[2], &options, &subscription) == 0);
  CHECK(streamem_subscription_state(subscription) == STREAMEM_LIVE);

  for (long left = atol(argv[3]); left > 0; left--) {
    streamem_frame *frame;
    CHECK(streamem_next(subscription, 30000, &frame) == 1);
    streamem_layout layout = streamem_layout_init();
    CHECK(streamem_frame_layout(frame, &layout) == 0);
    uint64_t offset;
    int memory = streamem_frame_memory(frame, &offset);
    CHECK(pread(memory, copy, sizeof copy, (off_t)offset) == (ssize_t)sizeof copy);
    CHECK(memcmp(copy, streamem_frame_data(frame), sizeof copy) == 0);
    CHECK(pwrite(memory, copy, 1, (off_t)offset) < 0);
    CHECK(streamem_frame_dma_buf(frame) == -ENODATA);
    CHECK(streamem_frame_sync_file(frame) == -ENODATA);
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %zu %s %" PRIu32 " %" PRIu32
           " %" PRIu64 " %" PRIu32 "\n",
           streamem_frame_sequence(frame), streamem_frame_missed(frame),
           streamem_frame_captured_ns(frame), streamem_frame_published_ns(frame),
           streamem_frame_size(frame), layout.format, layout.width, layout.height,
           layout.planes[0].stride, layout.plane_count);
    fwrite(streamem_frame_data(frame), 1, streamem_frame_size(frame), stdout);
    CHECK(streamem_frame_release(frame) == 0);
  }
  CHECK(streamem_unsubscribe(subscription) == 0);
  return 0;
}
