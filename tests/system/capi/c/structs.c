/* Structs of other versions: as long as they were, and longer than this library knows.
 * structs SOCKET STREAM */
#include "check.h"
#include <stddef.h>

/* As a later header may have it. */
struct later_options {
  streamem_options now;
  uint64_t later;
};
struct later_layout {
  streamem_layout now;
  uint64_t later;
};

static int subscribe(const char *stream, void *options)
{
  streamem_subscription *subscription;
  int result = streamem_subscribe(stream, options, &subscription);
  CHECK((subscription != NULL) == (result == 0));
  CHECK(streamem_unsubscribe(subscription) == 0);
  return result;
}

int main(int argc, char **argv)
{
  CHECK(argc >= 3);
  struct later_options later = {options_at(argv[1]), 0};
  later.now.struct_size = sizeof later;
  CHECK(subscribe(argv[2], &later) == 0);
  later.later = 1;
  CHECK_FAILS(subscribe(argv[2], &later), E2BIG, "newer version");

  /* What lies behind a shorter struct is not read: here a mode that would be refused. */
  streamem_options shorter = options_at(argv[1]);
  shorter.struct_size = offsetof(streamem_options, mode);
  shorter.mode = 99;
  CHECK(subscribe(argv[2], &shorter) == 0);
  shorter.struct_size = 0;
  CHECK_FAILS(subscribe(argv[2], &shorter), EINVAL, "struct_size");
  shorter.struct_size = (size_t)-1;
  CHECK_FAILS(subscribe(argv[2], &shorter), EINVAL, "struct_size");

  streamem_options options = options_at(argv[1]);
  streamem_subscription *subscription;
  CHECK(streamem_subscribe(argv[2], &options, &subscription) == 0);
  struct later_layout wide;
  memset(&wide, 0x5a, sizeof wide);
  wide.now.struct_size = sizeof wide;
  CHECK(streamem_subscription_layout(subscription, &wide.now) == 0);
  CHECK(wide.now.struct_size == sizeof wide && wide.now.width > 0);
  CHECK(wide.later == 0x5a5a5a5a5a5a5a5a);

  /* And what lies behind a shorter one is not written. */
  streamem_layout narrow;
  memset(&narrow, 0x5a, sizeof narrow);
  narrow.struct_size = offsetof(streamem_layout, height);
  CHECK(streamem_subscription_layout(subscription, &narrow) == 0);
  CHECK(narrow.width == wide.now.width && narrow.height == 0x5a5a5a5a);
  CHECK(streamem_unsubscribe(subscription) == 0);
  return 0;
}
