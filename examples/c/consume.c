/* Prints a line for each frame: consume STREAM COUNT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <streamem.h>

int main(int argc, char **argv)
{
  const char *stream = argc > 1 ? argv[1] : "randcam";
  long left = argc > 2 ? atol(argv[2]) : 10;
  streamem_subscription *subscription;
  streamem_frame *frame;
  int got = streamem_subscribe(stream, NULL, &subscription);

  while (got >= 0 && left > 0 && (got = streamem_next(subscription, 1000, &frame)) > 0) {
    const unsigned char *pixels = streamem_frame_data(frame); /* the broker's own memory */
    printf("frame %" PRIu64 ", missed %" PRIu64 ", %zu bytes, the first is %u\n",
           streamem_frame_sequence(frame), streamem_frame_missed(frame),
           streamem_frame_size(frame), pixels[0]);
    streamem_frame_release(frame);
    left--;
  }
  if (got < 0)
    fprintf(stderr, "consume: %s\n", streamem_last_error());
  else if (left > 0)
    fprintf(stderr, "consume: no frame came within a second\n");
  streamem_unsubscribe(subscription);
  return left > 0;
}
