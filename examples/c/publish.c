/* Fills a stream with a moving grey ramp: publish STREAM COUNT */
#include <stdio.h>
#include <stdlib.h>
#include <streamem.h>

int main(int argc, char **argv)
{
  streamem_publish_options options = streamem_publish_options_init();
  streamem_publisher *publisher;
  void *bytes;
  size_t size;
  long left = argc > 2 ? atol(argv[2]) : 10;
  options.format = "gray8";
  options.width = 640;
  options.height = 480;
  int got = streamem_publish(argc > 1 ? argv[1] : "ramp", &options, &publisher);

  while (got >= 0 && left > 0 && (got = streamem_slot(publisher, 1000, &bytes, &size)) > 0) {
    for (size_t at = 0; at < size; at++)
      ((unsigned char *)bytes)[at] = (unsigned char)(at + (size_t)left);
    if ((got = streamem_submit(publisher, NULL)) == 0)
      printf("frame of %zu bytes\n", size);
    left--;
  }
  if (got >= 0)
    got = streamem_unpublish(publisher); /* when all of them are out */
  if (got < 0)
    fprintf(stderr, "publish: %s\n", streamem_last_error());
  return got < 0 || left > 0;
}
