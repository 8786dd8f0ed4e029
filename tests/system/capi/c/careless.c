/* What must be found: a frame that is kept to the end, or looked at too late.
 * careless SOCKET STREAM keep|late */
#include "check.h"

int main(int argc, char **argv)
{
  CHECK(argc == 4);
  streamem_options options = options_at(argv[1]);
  streamem_subscription *subscription;
  streamem_frame *frame;
  CHECK(streamem_subscribe(argv[2], &options, &subscription) == 0);
  CHECK(streamem_next(subscription, 30000, &frame) == 1);
  volatile const unsigned char *pixels = streamem_frame_data(frame);
  CHECK(streamem_unsubscribe(subscription) == 0);
  if (strcmp(argv[3], "keep") == 0)
    return 0;
  /* With the last frame the memory goes as well. */
  CHECK(streamem_frame_release(frame) == 0);
  return pixels[0] & 0;
}
