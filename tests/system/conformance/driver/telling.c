/* What is said of a frame, and what goes with one that is submitted. */
#define _POSIX_C_SOURCE 200809L
#include "driver.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const clocks[] = {"none", "monotonic", "hololens", "ndi", "samples"};
enum { CLOCKS = sizeof clocks / sizeof clocks[0] };

static void tell_numbers(const char *name, const uint64_t *numbers, uint32_t count)
{
  printf(", \"%s\": [", name);
  for (uint32_t at = 0; at < count; at++)
    printf("%s%" PRIu64, at ? ", " : "", numbers[at]);
  printf("]");
}

void tell_layout(const streamem_layout *layout)
{
  static const char *const kinds[] = {"", "video", "packet", "audio", "batch"};
  uint32_t code = layout->fourcc;
  printf("{\"kind\": \"%s\", \"format\": \"%s\"", kinds[layout->kind], layout->format);
  printf(", \"fourcc\": \"%c%c%c%c\"", (int)(code & 255), (int)(code >> 8 & 255), (int)(code >> 16 & 255),
         (int)(code >> 24));
  printf(", \"modifier\": %" PRIu64 ", \"width\": %" PRIu32 ", \"height\": %" PRIu32, layout->modifier,
         layout->width, layout->height);
  printf(", \"millihertz\": %.0f, \"sample_rate\": %" PRIu32 ", \"planes\": [", layout->rate * 1000,
         layout->sample_rate);
  for (uint32_t at = 0; at < layout->plane_count; at++) {
    const streamem_plane *plane = &layout->planes[at];
    printf("%s[%" PRIu64 ", %" PRIu64 ", %" PRIu64 "]", at ? ", " : "", plane->offset, plane->stride,
           plane->rows);
  }
  printf("], \"bytes\": %" PRIu64, layout->bytes);
  tell_numbers("shape", layout->shape, layout->dimensions);
  tell_numbers("strides", layout->strides, layout->dimensions);
  printf(", \"dtype\": \"%s\", \"space\": \"%s\", \"range\": \"%s\"}", layout->element,
         layout->colour_space, layout->colour_range);
}

static void tell_side_data(const streamem_frame *frame)
{
  static const char *const names[] = {"", "pose", "intrinsics", "exposure", "optics"};
  const char *separator = "";
  unsigned char bytes[64];
  printf(", \"side\": {");
  for (uint32_t kind = STREAMEM_SIDE_POSE; kind <= STREAMEM_SIDE_OPTICS; kind++) {
    int size = streamem_frame_side_data(frame, kind, bytes, sizeof bytes);
    if (size < 0)
      continue;
    printf("%s\"%s\": \"", separator, names[kind]);
    for (int at = 0; at < size; at++)
      printf("%02x", bytes[at]);
    printf("\"");
    separator = ", ";
  }
  printf("}");
}

void tell(const streamem_frame *frame)
{
  streamem_layout layout = streamem_layout_init();
  if (failed(streamem_frame_layout(frame, &layout)))
    return;
  printf("{\"sequence\": %" PRIu64 ", \"captured_ns\": %" PRIu64 ", \"published_ns\": %" PRIu64,
         streamem_frame_sequence(frame), streamem_frame_captured_ns(frame),
         streamem_frame_published_ns(frame));
  printf(", \"source_clock\": %" PRIu64 ", \"clock\": \"%s\", \"source_sequence\": %" PRIu64,
         streamem_frame_source_clock(frame), clocks[streamem_frame_clock_domain(frame) % CLOCKS],
         streamem_frame_source_sequence(frame));
  printf(", \"flags\": %" PRIu32 ", \"bytes\": %zu, \"layout\": ", streamem_frame_flags(frame),
         streamem_frame_size(frame));
  tell_layout(&layout);
  tell_side_data(frame);
  printf("}\n");
}

int submit(streamem_publisher *publisher)
{
  streamem_stamp stamp = streamem_stamp_init();
  float pose[16];
  const float intrinsics[4] = {1.5f, 2.5f, 3.5f, 4.5f};
  const uint64_t exposure_ns = 12345;
  const float gain = 0.5f;
  unsigned char exposure[12];
  const struct {
    uint32_t settings[4];
    float gains[5];
  } optics = {{400, 4000, 550, 3}, {1.0f, 1.125f, 1.75f, 1.5f, 1.25f}};
  const streamem_side_block side[] = {
      {STREAMEM_SIDE_POSE, sizeof pose, pose},
      {STREAMEM_SIDE_INTRINSICS, sizeof intrinsics, intrinsics},
      {STREAMEM_SIDE_EXPOSURE, sizeof exposure, exposure},
      {STREAMEM_SIDE_OPTICS, sizeof optics, &optics},
  };
  for (int at = 0; at < 16; at++)
    pose[at] = (float)at / 2;
  memcpy(exposure, &exposure_ns, 8);
  memcpy(exposure + 8, &gain, 4);
  stamp.bytes = number_option("bytes", 0);
  stamp.captured_ns = number_option("captured_ns", 0);
  stamp.source_sequence = number_option("source_sequence", 0);
  stamp.source_clock = number_option("source_clock", 0);
  stamp.flags = (uint32_t)number_option("flags", 0);
  for (uint32_t at = 0; at < CLOCKS; at++)
    if (option("clock") != NULL && strcmp(option("clock"), clocks[at]) == 0)
      stamp.clock_domain = at;
  if (option("side") != NULL) {
    stamp.side = side;
    stamp.side_count = sizeof side / sizeof side[0];
  }
  return streamem_submit(publisher, &stamp);
}
