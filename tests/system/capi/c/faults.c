/* Everything a caller can do wrong, and what it is told. faults SOCKET STREAM */
#include "check.h"

static void arguments_that_cannot_be(const char *socket, const char *stream)
{
  streamem_options options = options_at(socket);
  streamem_subscription *subscription = (void *)&options;
  streamem_frame *frame = (void *)&options;
  streamem_streams *streams;
  CHECK(strcmp(streamem_last_error(), "") == 0);

  CHECK_FAILS(streamem_subscribe(NULL, &options, &subscription), EINVAL, "name of the stream is NULL");
  CHECK(subscription == NULL);
  CHECK_FAILS(streamem_subscribe(stream, &options, NULL), EINVAL, "is NULL");
  CHECK_FAILS(streamem_subscribe("../no", &options, &subscription), EINVAL, "name");
  CHECK_FAILS(streamem_subscribe("\xff", &options, &subscription), EINVAL, "UTF-8");
  options.mode = 7;
  CHECK_FAILS(streamem_subscribe(stream, &options, &subscription), EINVAL, "mode 7");
  options = options_at(socket);
  options.eventfd = 2;
  CHECK_FAILS(streamem_subscribe(stream, &options, &subscription), EINVAL, "eventfd is 2");
  options = options_at(socket);
  options.dma_buf = 2;
  CHECK_FAILS(streamem_subscribe(stream, &options, &subscription), EINVAL, "dma_buf is 2");
  options.dma_buf = 1;
  CHECK_FAILS(streamem_subscribe(stream, &options, &subscription), EOPNOTSUPP, "memfd");
  options = options_at(socket);
  options.reserved = 1;
  CHECK_FAILS(streamem_subscribe(stream, &options, &subscription), EINVAL, "reserved");
  options = options_at(socket);
  options.leases = 1000000;
  CHECK(streamem_subscribe(stream, &options, &subscription) < 0);

  CHECK_FAILS(streamem_next(NULL, 0, &frame), EINVAL, "subscription is NULL");
  CHECK(frame == NULL);
  CHECK_FAILS(streamem_next((void *)socket, 0, &frame), EBADF, "no subscription");
  CHECK_FAILS(streamem_subscription_fd(NULL), EINVAL, "subscription is NULL");
  CHECK_FAILS(streamem_list(socket, NULL), EINVAL, "is NULL");
  CHECK(streamem_frame_data(NULL) == NULL);
  CHECK(streamem_frame_size((void *)socket) == 0);
  CHECK(streamem_streams_json(NULL) == NULL);
  CHECK(streamem_unsubscribe(NULL) == 0);
  CHECK(streamem_frame_release(NULL) == 0);
  CHECK(streamem_streams_release(NULL) == 0);

  CHECK(streamem_list(socket, &streams) == 0);
  CHECK(streamem_streams_count(streams) > 0);
  CHECK(strcmp(streamem_streams_name(streams, 0), stream) == 0);
  CHECK(strstr(streamem_streams_json(streams), "\"layout\"") != NULL);
  CHECK(streamem_streams_name(streams, 1000) == NULL);
  CHECK(streamem_streams_release(streams) == 0);
  CHECK_FAILS(streamem_streams_release(streams), EBADF, "released already");
}

static void brokers_and_streams_that_are_not_there(const char *socket)
{
  streamem_options options = options_at("/nowhere/streamem.sock");
  streamem_subscription *subscription;
  streamem_streams *streams;
  CHECK_FAILS(streamem_subscribe("cam", &options, &subscription), ECONNREFUSED, "no broker");
  CHECK_FAILS(streamem_list(options.socket, &streams), ECONNREFUSED, "no broker");
  CHECK(streams == NULL);
  options.socket = socket;
  CHECK_FAILS(streamem_subscribe("absent", &options, &subscription), ENOENT, "absent");
  options.wait_ms = 50;
  CHECK_FAILS(streamem_subscribe("absent", &options, &subscription), ETIME, "did not come");
}

static void frames_beyond_their_time(const char *socket, const char *stream)
{
  streamem_options options = options_at(socket);
  streamem_subscription *subscription;
  streamem_frame *frames[3];
  streamem_frame *more;
  streamem_layout layout = streamem_layout_init();
  float pose[16];
  options.history = 2;
  options.leases = 2;
  CHECK(streamem_subscribe(stream, &options, &subscription) == 0);
  CHECK_FAILS(streamem_next(subscription, -1, &more), EINVAL, "timeout_ms is -1");
  CHECK_FAILS(streamem_next(subscription, 0, NULL), EINVAL, "is NULL");
  CHECK_FAILS(streamem_clip(subscription, NULL, 2), EINVAL, "is NULL");
  CHECK_FAILS(streamem_clip(subscription, frames, 3), ENOBUFS, "leases");

  CHECK(streamem_next(subscription, 30000, &frames[0]) == 1);
  CHECK(streamem_latest(subscription, &frames[1]) == 1);
  CHECK_FAILS(streamem_latest(subscription, &more), ENOBUFS, "leases");
  CHECK(more == NULL);
  CHECK_FAILS(streamem_frame_side_data(frames[0], STREAMEM_SIDE_POSE, pose, sizeof pose), ENODATA,
              "side-data");
  CHECK_FAILS(streamem_frame_side_data(frames[0], STREAMEM_SIDE_POSE, NULL, 4), EINVAL, "NULL");
  CHECK_FAILS(streamem_frame_layout(frames[0], NULL), EINVAL, "layout is NULL");

  CHECK(streamem_frame_release(frames[0]) == 0);
  CHECK_FAILS(streamem_frame_release(frames[0]), EBADF, "released already");
  CHECK(streamem_frame_data(frames[0]) == NULL);
  CHECK(streamem_frame_sequence(frames[0]) == 0);
  CHECK_FAILS(streamem_frame_layout(frames[0], &layout), EBADF, "released already");
  CHECK_FAILS(streamem_frame_memory(frames[0], NULL), EBADF, "released already");
  CHECK_FAILS(streamem_unsubscribe((void *)frames[1]), EBADF, "no subscription");

  CHECK(streamem_unsubscribe(subscription) == 0);
  CHECK_FAILS(streamem_next(subscription, 0, &more), EBADF, "released already");
  CHECK(streamem_frame_size(frames[1]) > 0);
  CHECK(memchr(streamem_frame_data(frames[1]), 0xff, streamem_frame_size(frames[1])) != NULL);
  CHECK(streamem_frame_release(frames[1]) == 0);
}

int main(int argc, char **argv)
{
  CHECK(argc >= 3);
  arguments_that_cannot_be(argv[1], argv[2]);
  brokers_and_streams_that_are_not_there(argv[1]);
  frames_beyond_their_time(argv[1], argv[2]);
  return 0;
}
