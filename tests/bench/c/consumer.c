/* A consumer with the C library: waits for the newest frame and writes down when it holds it.
 *
 * consumer LEDGER NUMBER SOCKET STREAM. It writes to the desk of src/harness/ledger.rs what the loop in
 * src/harness/participant.rs does.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <streamem.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

enum { HEADER_BYTES = 4096, DESK_BYTES = 69632, SAMPLES_MAX = 4096, TIMEOUT_MS = 200 };
enum { MEASURE = 2, STOP = 4 };

struct desk {
  uint64_t ready, frames, lost, torn, changed, gap_ns, naps, span_ns, passed;
  uint64_t count, latency_ns[SAMPLES_MAX];
};

static uint64_t now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int fail(const char *what, const char *why)
{
  fprintf(stderr, "consumer: %s: %s\n", what, why);
  return 1;
}

static void note(struct desk *desk, uint64_t now, uint64_t published, uint64_t sequence)
{
  static uint64_t last, last_ns, first, first_ns;
  uint64_t latency = now > published ? now - published : 0;
  if (desk->count < SAMPLES_MAX) {
    desk->latency_ns[desk->count] = latency;
    __atomic_store_n(&desk->count, desk->count + 1, __ATOMIC_RELEASE);
  }
  if (!last) {
    first = sequence;
    first_ns = now;
  } else {
    if (sequence > last + 1)
      desk->lost += sequence - last - 1;
    if (now - last_ns > desk->gap_ns)
      desk->gap_ns = now - last_ns;
  }
  desk->span_ns = now - first_ns;
  desk->passed = sequence - first;
  desk->frames++;
  last = sequence;
  last_ns = now;
}

int main(int argc, char **argv)
{
  if (argc != 5)
    return fail("usage", "consumer LEDGER NUMBER SOCKET STREAM");
  struct stat about;
  int file = open(argv[1], O_RDWR | O_CLOEXEC);
  if (file < 0 || fstat(file, &about) < 0)
    return fail(argv[1], "cannot be opened");
  char *ledger = mmap(NULL, (size_t)about.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (ledger == MAP_FAILED)
    return fail(argv[1], "cannot be mapped");
  const uint64_t *phase = (const uint64_t *)ledger;
  struct desk *desk = (struct desk *)(ledger + HEADER_BYTES + strtoul(argv[2], NULL, 10) * DESK_BYTES);

  streamem_options options = streamem_options_init();
  options.socket = argv[3];
  streamem_subscription *subscription;
  if (streamem_subscribe(argv[4], &options, &subscription) < 0)
    return fail(argv[4], streamem_last_error());
  __atomic_store_n(&desk->ready, 1, __ATOMIC_RELEASE);
  while (__atomic_load_n(phase, __ATOMIC_ACQUIRE) != STOP) {
    streamem_frame *frame;
    int got = streamem_next(subscription, TIMEOUT_MS, &frame);
    if (got < 0)
      return fail(argv[4], streamem_last_error());
    if (got == 0)
      continue;
    uint64_t now = now_ns();
    if (__atomic_load_n(phase, __ATOMIC_ACQUIRE) == MEASURE)
      note(desk, now, streamem_frame_published_ns(frame), streamem_frame_sequence(frame));
    streamem_frame_release(frame);
  }
  streamem_unsubscribe(subscription);
  return 0;
}
