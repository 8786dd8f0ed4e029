/* The C library, driven by lines: see main.rs beside this for the commands and the answers. */
#define _POSIX_C_SOURCE 200809L
#include "driver.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 16, THINGS_MAX = 64 };

/* What a test gave a name. A handle is kept when it was released, so that it can be used too late. */
static struct thing {
  char name[16];
  void *handle;
} things[THINGS_MAX];

static char *words[WORDS_MAX];
static int word_count;

void test_fails(const char *why)
{
  printf("{\"error\": \"test\", \"says\": \"%s\"}\n", why);
}

static const char *word(int at)
{
  return at < word_count ? words[at] : "";
}

const char *option(const char *name)
{
  size_t length = strlen(name);
  for (int at = 1; at < word_count; at++)
    if (strncmp(words[at], name, length) == 0 && words[at][length] == '=')
      return words[at] + length + 1;
  return NULL;
}

uint64_t number_option(const char *name, uint64_t otherwise)
{
  const char *text = option(name);
  return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static struct thing *find(const char *name)
{
  struct thing *empty = NULL;
  for (int at = 0; at < THINGS_MAX; at++) {
    if (strcmp(things[at].name, name) == 0)
      return &things[at];
    if (empty == NULL && things[at].name[0] == '\0')
      empty = &things[at];
  }
  return empty;
}

static void keep(const char *name, void *handle)
{
  struct thing *thing = find(name);
  if (thing == NULL || strlen(name) >= sizeof thing->name)
    abort();
  strcpy(thing->name, name);
  thing->handle = handle;
}

static void *named(const char *name)
{
  struct thing *thing = find(name);
  return thing == NULL ? NULL : thing->handle;
}

static const char *word_of(int number)
{
  switch (-number) {
  case EINVAL: return "bad-argument";
  case EBADF: return "released";
  case EPROTONOSUPPORT: return "other-version";
  case ECONNREFUSED: return "no-broker";
  case ETIMEDOUT: return "no-answer";
  case ECONNRESET: return "hung-up";
  case ENOENT: return "no-such-stream";
  case EEXIST: return "exists";
  case EPERM: return "not-permitted";
  case EDQUOT: return "quota";
  case ENOSPC: return "pool-full";
  case EDOM: return "bad-layout";
  case ENODEV: return "ended";
  case ETIME: return "timeout";
  case ENOBUFS: return "too-many-held";
  case EBADMSG: return "rejected";
  case EMSGSIZE: return "too-much-side-data";
  case EPIPE: return "publication-ended";
  case EMFILE: return "descriptors-lost";
  case EPROTO: return "protocol";
  default: return "refused";
  }
}

int failed(int status)
{
  if (status >= 0)
    return 0;
  printf("{\"error\": \"%s\", \"says\": \"", word_of(status));
  for (const char *at = streamem_last_error(); *at != '\0'; at++) {
    if (*at == '"' || *at == '\\')
      putchar('\\');
    putchar(*at);
  }
  printf("\"}\n");
  return 1;
}

static void done_unless(int status)
{
  if (!failed(status))
    printf("{\"done\": true}\n");
}

streamem_options asked(const char *socket)
{
  streamem_options options = streamem_options_init();
  const char *mode = option("mode");
  options.socket = socket;
  options.mode = mode != NULL && strcmp(mode, "every") == 0 ? STREAMEM_EVERY : STREAMEM_LATEST;
  options.depth = (uint32_t)number_option("depth", 0);
  options.history = (uint32_t)number_option("history", 0);
  options.leases = (uint32_t)number_option("leases", 0);
  options.eventfd = option("eventfd") != NULL;
  options.wait_ms = (uint32_t)number_option("wait", 0);
  return options;
}

static void taken(int status, streamem_frame *frame, const char *name)
{
  if (failed(status))
    return;
  if (status == 0) {
    printf("{\"sequence\": null}\n");
    return;
  }
  keep(name, frame);
  printf("{\"sequence\": %" PRIu64 ", \"missed\": %" PRIu64 "}\n", streamem_frame_sequence(frame),
         streamem_frame_missed(frame));
}

static void clip(void)
{
  streamem_frame *frames[THINGS_MAX];
  char name[32];
  int count = streamem_clip(named(word(1)), frames, strtoul(word(2), NULL, 10));
  if (failed(count))
    return;
  printf("{\"clip\": [");
  for (int at = 0; at < count; at++) {
    snprintf(name, sizeof name, "%s%d", word(3), at);
    keep(name, frames[at]);
    printf("%s%" PRIu64, at ? ", " : "", streamem_frame_sequence(frames[at]));
  }
  printf("]}\n");
}

static void wait_until_readable(void)
{
  struct pollfd watched = {streamem_subscription_fd(named(word(1))), POLLIN, 0};
  if (!failed(watched.fd))
    printf("{\"readable\": %s}\n", poll(&watched, 1, atoi(word(2))) > 0 ? "true" : "false");
}

static void state(void)
{
  static const char *const names[] = {"live", "lost", "renewed", "ended", "disconnected"};
  int found = streamem_subscription_state(named(word(1)));
  if (!failed(found))
    printf("{\"state\": \"%s\"}\n", names[found]);
}

static void dump(void)
{
  streamem_frame *frame = named(word(1));
  streamem_layout layout = streamem_layout_init();
  if (failed(streamem_frame_layout(frame, &layout)))
    return;
  FILE *file = fopen(word(2), "wb");
  size_t size = streamem_frame_size(frame);
  if (file == NULL || fwrite(streamem_frame_data(frame), 1, size, file) != size || fclose(file) != 0)
    test_fails("the file cannot be written");
  else
    printf("{\"bytes\": %zu}\n", size);
}

static void publish(const char *socket)
{
  streamem_publish_options options = streamem_publish_options_init();
  streamem_publisher *publisher;
  streamem_layout layout = streamem_layout_init();
  const char *rate = option("rate");
  options.socket = socket;
  options.like = option("like");
  options.format = option("format");
  options.width = (uint32_t)number_option("width", 0);
  options.height = (uint32_t)number_option("height", 0);
  options.rate = rate == NULL ? 0 : strtod(rate, NULL);
  options.slots = (uint32_t)number_option("slots", 0);
  if (failed(streamem_publish(word(2), &options, &publisher)) ||
      failed(streamem_publisher_layout(publisher, &layout)))
    return;
  keep(word(1), publisher);
  printf("{\"layout\": ");
  tell_layout(&layout);
  printf("}\n");
}

/* The slot in hand: the library gives the same one until it is submitted. */
static int in_hand(int milliseconds, void **bytes, size_t *size)
{
  int status = streamem_slot(named(word(1)), milliseconds, bytes, size);
  if (failed(status))
    return -1;
  return status;
}

static void fill(void)
{
  void *bytes;
  size_t size;
  int status = in_hand(0, &bytes, &size);
  FILE *file = status > 0 ? fopen(word(2), "rb") : NULL;
  if (status < 0)
    return;
  if (file == NULL || fread(bytes, 1, size, file) != size || fclose(file) != 0)
    test_fails("no slot in hand, or no file as long as it");
  else
    printf("{\"done\": true}\n");
}

static void slot(void)
{
  void *bytes;
  size_t size;
  int status = in_hand(atoi(word(2)), &bytes, &size);
  if (status == 0)
    printf("{\"size\": null}\n");
  else if (status > 0)
    printf("{\"size\": %zu}\n", size);
}

static void list(const char *socket)
{
  streamem_streams *streams;
  if (failed(streamem_list(socket, &streams)))
    return;
  printf("{\"streams\": %s}\n", streamem_streams_json(streams));
  streamem_streams_release(streams);
}

static void obey(const char *socket)
{
  const char *verb = word(0);
  streamem_frame *frame = NULL;
  streamem_subscription *subscription;
  if (strcmp(verb, "streams") == 0) {
    list(socket);
  } else if (strcmp(verb, "open") == 0) {
    streamem_options options = asked(socket);
    int status = streamem_subscribe(word(2), &options, &subscription);
    if (status == 0)
      keep(word(1), subscription);
    done_unless(status);
  } else if (strcmp(verb, "close") == 0) {
    done_unless(streamem_unsubscribe(named(word(1))));
  } else if (strcmp(verb, "next") == 0) {
    int status = streamem_next(named(word(1)), atoi(word(2)), &frame);
    taken(status, frame, word(3));
  } else if (strcmp(verb, "try") == 0) {
    int status = streamem_try_next(named(word(1)), &frame);
    taken(status, frame, word(2));
  } else if (strcmp(verb, "latest") == 0) {
    int status = streamem_latest(named(word(1)), &frame);
    taken(status, frame, word(2));
  } else if (strcmp(verb, "clip") == 0) {
    clip();
  } else if (strcmp(verb, "poll") == 0) {
    wait_until_readable();
  } else if (strcmp(verb, "state") == 0) {
    state();
  } else if (strcmp(verb, "missed") == 0) {
    printf("{\"missed\": %" PRIu64 "}\n", streamem_subscription_missed(named(word(1))));
  } else if (strcmp(verb, "layout") == 0) {
    streamem_layout layout = streamem_layout_init();
    if (!failed(streamem_subscription_layout(named(word(1)), &layout))) {
      printf("{\"layout\": ");
      tell_layout(&layout);
      printf("}\n");
    }
  } else if (strcmp(verb, "tell") == 0) {
    tell(named(word(1)));
  } else if (strcmp(verb, "dump") == 0) {
    dump();
  } else if (strcmp(verb, "release") == 0) {
    done_unless(streamem_frame_release(named(word(1))));
  } else if (strcmp(verb, "publish") == 0) {
    publish(socket);
  } else if (strcmp(verb, "slot") == 0) {
    slot();
  } else if (strcmp(verb, "fill") == 0) {
    fill();
  } else if (strcmp(verb, "submit") == 0) {
    done_unless(submit(named(word(1))));
  } else if (strcmp(verb, "unpublish") == 0) {
    done_unless(streamem_unpublish(named(word(1))));
  } else if (strcmp(verb, "hammer") == 0) {
    hammer(socket, word(1));
  } else {
    test_fails("unknown command");
  }
}

int main(int argc, char **argv)
{
  static char line[4096];
  if (argc != 2)
    return 2;
  while (fgets(line, sizeof line, stdin) != NULL) {
    word_count = 0;
    for (char *at = strtok(line, " \n"); at != NULL && word_count < WORDS_MAX; at = strtok(NULL, " \n"))
      words[word_count++] = at;
    obey(argv[1]);
    fflush(stdout);
  }
  return 0;
}
