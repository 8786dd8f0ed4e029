/* Fills a stream and reads it back, byte by byte; and what a publisher can do wrong.
 * publishing SOCKET STREAM, which is there already */
#include "check.h"

enum { FRAMES = 20, WIDTH = 64, HEIGHT = 48, BYTES = WIDTH * HEIGHT };

static streamem_publish_options wish_at(const char *socket)
{
  streamem_publish_options wish = streamem_publish_options_init();
  wish.socket = socket;
  wish.format = "gray8";
  wish.width = WIDTH;
  wish.height = HEIGHT;
  return wish;
}

static int refused(const char *stream, const streamem_publish_options *wish)
{
  streamem_publisher *publisher;
  int result = streamem_publish(stream, wish, &publisher);
  CHECK(publisher == NULL);
  return result;
}

static void wishes_that_cannot_be(const char *socket, const char *stream)
{
  streamem_publish_options wish = wish_at(socket);
  CHECK_FAILS(refused(stream, &wish), EEXIST, stream);
  CHECK_FAILS(refused("../no", &wish), EINVAL, "name");
  CHECK_FAILS(refused(NULL, &wish), EINVAL, "NULL");
  CHECK_FAILS(refused("made", NULL), EINVAL, "NULL");
  wish.like = "absent";
  CHECK_FAILS(refused("made", &wish), EINVAL, "either");
  wish.format = NULL;
  CHECK_FAILS(refused("made", &wish), ENOENT, "absent");
  wish = wish_at(socket);
  wish.format = "grey8";
  CHECK_FAILS(refused("made", &wish), EINVAL, "grey8");
  wish.format = "nv12";
  wish.width = 3;
  CHECK_FAILS(refused("made", &wish), EDOM, "3");
  wish = wish_at("/nowhere/streamem.sock");
  CHECK_FAILS(refused("made", &wish), ECONNREFUSED, "no broker");
}

static void submissions_that_cannot_be(streamem_publisher *publisher)
{
  streamem_stamp stamp = streamem_stamp_init();
  streamem_side_block block = {1000, 5000, &stamp};
  unsigned char much[5000] = {0};
  void *bytes;
  size_t size;
  CHECK_FAILS(streamem_submit(publisher, NULL), EINVAL, "no slot is in hand");
  CHECK_FAILS(streamem_slot(publisher, -1, &bytes, &size), EINVAL, "timeout_ms");
  CHECK_FAILS(streamem_slot(publisher, 0, NULL, &size), EINVAL, "NULL");
  CHECK_FAILS(streamem_slot((void *)much, 0, &bytes, &size), EBADF, "no publisher");
  CHECK(bytes == NULL);
  CHECK(streamem_slot(publisher, 30000, &bytes, &size) == 1);
  stamp.bytes = BYTES + 1;
  CHECK_FAILS(streamem_submit(publisher, &stamp), EINVAL, "its slot has 3072");
  stamp.bytes = 0;
  stamp.side_count = 1;
  CHECK_FAILS(streamem_submit(publisher, &stamp), EINVAL, "side is NULL");
  stamp.side = &block;
  block.data = NULL;
  CHECK_FAILS(streamem_submit(publisher, &stamp), EINVAL, "NULL");
  block.data = much;
  CHECK_FAILS(streamem_submit(publisher, &stamp), EMSGSIZE, "side-data");
  stamp.struct_size = 3;
  CHECK_FAILS(streamem_submit(publisher, &stamp), EINVAL, "struct_size");
  void *again;
  CHECK(streamem_slot(publisher, 0, &again, &size) == 1 && again == bytes);
}

static void publish(streamem_publisher *publisher, unsigned char number)
{
  float pose[16] = {0};
  streamem_side_block block = {STREAMEM_SIDE_POSE, sizeof pose, pose};
  streamem_stamp stamp = streamem_stamp_init();
  void *bytes;
  size_t size;
  CHECK(streamem_slot(publisher, 30000, &bytes, &size) == 1);
  CHECK(size == BYTES);
  memset(bytes, number, size);
  pose[15] = number;
  stamp.captured_ns = 1000u + number;
  stamp.source_sequence = 7u * number;
  stamp.flags = STREAMEM_KEY;
  stamp.side = &block;
  stamp.side_count = 1;
  CHECK(streamem_submit(publisher, &stamp) == 0);
}

static void expect(streamem_subscription *subscription, unsigned char number)
{
  streamem_frame *frame;
  float pose[16];
  CHECK(streamem_next(subscription, 30000, &frame) == 1);
  const unsigned char *bytes = streamem_frame_data(frame);
  CHECK(streamem_frame_size(frame) == BYTES);
  for (int at = 0; at < BYTES; at++)
    CHECK(bytes[at] == number);
  CHECK(streamem_frame_captured_ns(frame) == 1000u + number);
  CHECK(streamem_frame_source_sequence(frame) == 7u * number);
  CHECK(streamem_frame_flags(frame) == STREAMEM_KEY);
  CHECK(streamem_frame_side_data(frame, STREAMEM_SIDE_POSE, pose, sizeof pose) == sizeof pose);
  CHECK(pose[15] == number);
  CHECK(streamem_frame_release(frame) == 0);
}

int main(int argc, char **argv)
{
  CHECK(argc >= 3);
  wishes_that_cannot_be(argv[1], argv[2]);

  streamem_publish_options wish = wish_at(argv[1]);
  streamem_publisher *publisher;
  CHECK(streamem_publish("made", &wish, &publisher) == 0);
  streamem_layout layout = streamem_layout_init();
  CHECK(streamem_publisher_layout(publisher, &layout) == 0);
  CHECK(layout.bytes == BYTES && strcmp(layout.format, "gray8") == 0);
  submissions_that_cannot_be(publisher);

  streamem_options options = options_at(argv[1]);
  streamem_subscription *subscription;
  CHECK(streamem_subscribe("made", &options, &subscription) == 0);
  for (unsigned char number = 1; number <= FRAMES; number++) {
    publish(publisher, number);
    expect(subscription, number);
  }
  CHECK(streamem_unpublish(publisher) == 0);
  CHECK_FAILS(streamem_unpublish(publisher), EBADF, "released already");
  CHECK(streamem_unpublish(NULL) == 0);
  CHECK(streamem_unsubscribe(subscription) == 0);
  return 0;
}
