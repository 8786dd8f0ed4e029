/* What the parts of the C driver know of each other. */
#ifndef DRIVER_H
#define DRIVER_H

#include <streamem.h>

/* What follows NAME= in the command, or NULL. */
const char *option(const char *name);
uint64_t number_option(const char *name, uint64_t otherwise);

/* What is asked of a subscription. */
streamem_options asked(const char *socket);

/* Whether it failed; then it is told. */
int failed(int status);
void test_fails(const char *why);

void tell_layout(const streamem_layout *layout);
void tell(const streamem_frame *frame);
int submit(streamem_publisher *publisher);
void hammer(const char *socket, const char *stream);

#endif
