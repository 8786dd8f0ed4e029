/* What the C test programs check with. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <streamem.h>

/* Ends the program with 1 and the place, unless it is so. */
#define CHECK(is_so)                                                                               \
  do {                                                                                             \
    if (!(is_so)) {                                                                                \
      fprintf(stderr, "%s:%d: not so: %s; last error: %s\n", __FILE__, __LINE__, #is_so,           \
              streamem_last_error());                                                              \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

/* The call fails with this number and a sentence that has these words. */
#define CHECK_FAILS(call, number, words)                                                           \
  do {                                                                                             \
    CHECK((call) == -(number));                                                                    \
    CHECK(strstr(streamem_last_error(), words) != NULL);                                           \
  } while (0)

static inline streamem_options options_at(const char *socket)
{
  streamem_options options = streamem_options_init();
  options.socket = socket;
  return options;
}

#endif
