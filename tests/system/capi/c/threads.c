/* One subscription in the hands of two threads: the second is told so, and ending it under the first
 * ends nothing else. threads SOCKET STREAM, whose frames come so slowly that the first waits. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <pthread.h>
#include <time.h>

static void *take_until_it_ends(void *subscription)
{
  streamem_frame *frame;
  for (;;) {
    int taken = streamem_next(subscription, 30000, &frame);
    if (taken == -EBADF)
      return NULL;
    CHECK(taken == 1 || taken == -EBUSY);
    CHECK(streamem_frame_release(frame) == 0);
  }
}

int main(int argc, char **argv)
{
  CHECK(argc >= 3);
  const struct timespec a_moment = {0, 1000000};
  streamem_options options = options_at(argv[1]);
  streamem_subscription *subscription;
  CHECK(streamem_subscribe(argv[2], &options, &subscription) == 0);
  pthread_t other;
  CHECK(pthread_create(&other, NULL, take_until_it_ends, subscription) == 0);

  int looks = 0;
  while (streamem_subscription_state(subscription) != -EBUSY && ++looks < 30000)
    nanosleep(&a_moment, NULL);
  CHECK(looks < 30000);
  CHECK_FAILS(streamem_subscription_fd(subscription), EBUSY, "another thread");
  CHECK(streamem_unsubscribe(subscription) == 0);
  CHECK(pthread_join(other, NULL) == 0);
  return 0;
}
