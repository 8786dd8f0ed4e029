/* A reader that takes frames as they come, keeps some for odd times, and looks at every pixel twice.
 * What must be in a frame is foretold as picture.rs says. */
#define _POSIX_C_SOURCE 200809L
#include "driver.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WIDTH = 80, CELL = 2, COLUMNS = 40, STRIP = 4 * CELL * WIDTH, PERIOD = 40, HELD_MAX = 16 };

static unsigned char *reference;
static size_t length;
static uint64_t chance;

static uint64_t odd(uint64_t below)
{
  chance ^= chance << 13;
  chance ^= chance >> 7;
  chance ^= chance << 17;
  return chance % below;
}

static int read_reference(const char *path)
{
  FILE *file = path == NULL ? NULL : fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0)
    return -1;
  length = (size_t)ftell(file) / PERIOD;
  rewind(file);
  free(reference);
  reference = malloc(length * PERIOD);
  if (reference == NULL || fread(reference, 1, length * PERIOD, file) != length * PERIOD)
    return -1;
  return fclose(file);
}

static void put(unsigned char *bytes, uint64_t value, int count)
{
  for (int at = 0; at < count; at++)
    bytes[at] = (unsigned char)(value >> 8 * (count - 1 - at));
}

static unsigned checksum(const unsigned char *bytes, int count)
{
  unsigned sum = 0xffff;
  for (int at = 0; at < count; at++) {
    sum ^= (unsigned)bytes[at] << 8;
    for (int bit = 0; bit < 8; bit++)
      sum = (sum << 1 ^ (sum & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return sum;
}

static int is_whole(const streamem_frame *frame)
{
  const unsigned char *picture = streamem_frame_data(frame);
  uint64_t number = streamem_frame_source_sequence(frame);
  unsigned char bytes[20], strip[STRIP];
  put(bytes, 0x5a3c, 2);
  put(bytes + 2, number, 8);
  put(bytes + 10, streamem_frame_captured_ns(frame), 8);
  put(bytes + 18, checksum(bytes + 2, 16), 2);
  for (int at = 0; at < STRIP; at++) {
    int bit = at / WIDTH / CELL * COLUMNS + at % WIDTH / CELL;
    strip[at] = bytes[bit / 8] >> (7 - bit % 8) & 1 ? 255 : 0;
  }
  return picture != NULL && streamem_frame_size(frame) == STRIP + length &&
         memcmp(picture, strip, STRIP) == 0 &&
         memcmp(picture + STRIP, reference + number % PERIOD * length, length) == 0;
}

static uint64_t now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void hammer(const char *socket, const char *stream)
{
  uint64_t frames = 0, torn = 0, changed = 0, backwards = 0, last = 0;
  uint64_t leases = number_option("leases", 2);
  streamem_frame *held[HELD_MAX];
  uint64_t count = 0;
  streamem_options options = asked(socket);
  streamem_subscription *subscription;
  chance = number_option("seed", 1);
  if (read_reference(option("reference")) != 0 || leases > HELD_MAX) {
    test_fails("no reference, or too many leases");
    return;
  }
  if (failed(streamem_subscribe(stream, &options, &subscription)))
    return;
  uint64_t end_ns = now_ns() + number_option("seconds", 1) * 1000000000u;
  while (now_ns() < end_ns) {
    streamem_frame *frame;
    int status = streamem_next(subscription, 1000, &frame);
    if (failed(status))
      return;
    if (status == 0)
      continue;
    frames++;
    torn += !is_whole(frame);
    backwards += streamem_frame_sequence(frame) <= last;
    last = streamem_frame_sequence(frame);
    held[count++] = frame;
    while (count > odd(leases)) {
      uint64_t place = odd(count);
      frame = held[place];
      held[place] = held[--count];
      changed += !is_whole(frame);
      streamem_frame_release(frame);
    }
    if (odd(20) == 0) {
      struct timespec pause = {0, (long)odd(5000000)};
      nanosleep(&pause, NULL);
    }
  }
  while (count > 0) {
    changed += !is_whole(held[--count]);
    streamem_frame_release(held[count]);
  }
  streamem_unsubscribe(subscription);
  printf("{\"frames\": %" PRIu64 ", \"torn\": %" PRIu64 ", \"changed\": %" PRIu64
         ", \"backwards\": %" PRIu64 "}\n", frames, torn, changed, backwards);
}
