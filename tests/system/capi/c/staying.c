/* Says what it sees: "frame" for each one, "away" once whenever the broker is gone, "ended" at the
 * end of the stream. Gives up when nothing comes for a minute. staying SOCKET STREAM */
#include "check.h"

int main(int argc, char **argv)
{
  CHECK(argc == 3);
  streamem_options options = options_at(argv[1]);
  streamem_subscription *subscription;
  streamem_frame *frame;
  CHECK(streamem_subscribe(argv[2], &options, &subscription) == 0);
  int was = STREAMEM_LIVE;
  int idle = 0;
  int taken;
  while ((taken = streamem_next(subscription, 100, &frame)) >= 0) {
    int state = streamem_subscription_state(subscription);
    if (taken == 1) {
      puts("frame");
      CHECK(streamem_frame_release(frame) == 0);
      idle = 0;
    }
    if (state == STREAMEM_DISCONNECTED && was != state)
      puts("away");
    was = state;
    fflush(stdout);
    CHECK(idle++ < 600);
  }
  CHECK(taken == -ENODEV);
  CHECK(strstr(streamem_last_error(), "has ended") != NULL);
  puts("ended");
  CHECK(streamem_unsubscribe(subscription) == 0);
  return 0;
}
