/* Frames in an event loop, held across threads and released by another; then everything is given
 * back, descriptors too. loop SOCKET STREAM */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <dirent.h>
#include <poll.h>
#include <pthread.h>

enum { FRAMES = 12, CLIP = 3 };

static int descriptors(void)
{
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  CHECK(folder != NULL);
  while (readdir(folder) != NULL)
    count++;
  closedir(folder);
  return count;
}

static void *sum_and_release(void *frame)
{
  const unsigned char *bytes = streamem_frame_data(frame);
  size_t size = streamem_frame_size(frame);
  unsigned long sum = 0;
  for (size_t at = 0; at < size; at += 64)
    sum += bytes[at];
  CHECK(sum > 0);
  CHECK(streamem_frame_release(frame) == 0);
  return NULL;
}

int main(int argc, char **argv)
{
  CHECK(argc >= 3);
  int before = descriptors();
  streamem_options options = options_at(argv[1]);
  options.eventfd = 1;
  options.history = CLIP;
  options.wait_ms = 30000;
  streamem_subscription *subscription;
  CHECK(streamem_subscribe(argv[2], &options, &subscription) == 0);

  struct pollfd watched = {streamem_subscription_fd(subscription), POLLIN, 0};
  CHECK(watched.fd >= 0);
  for (int seen = 0; seen < FRAMES;) {
    streamem_frame *frame;
    CHECK(poll(&watched, 1, 30000) == 1);
    while (streamem_try_next(subscription, &frame) == 1) {
      pthread_t other;
      CHECK(pthread_create(&other, NULL, sum_and_release, frame) == 0);
      CHECK(pthread_join(other, NULL) == 0);
      seen++;
    }
  }

  streamem_frame *clip[CLIP];
  CHECK(streamem_clip(subscription, clip, CLIP) == CLIP);
  for (int at = 1; at < CLIP; at++)
    CHECK(streamem_frame_sequence(clip[at]) == streamem_frame_sequence(clip[at - 1]) + 1);
  for (int at = 0; at < CLIP; at++)
    CHECK(streamem_frame_release(clip[at]) == 0);
  CHECK(streamem_unsubscribe(subscription) == 0);
  CHECK(descriptors() == before);
  return 0;
}
