/*
 * raw: connections whose fault lies before libssh has anything to do: nothing, or a few bytes, or endless lines are
 * sent, what comes is thrown away, and nothing more happens until the client goes.
 */
#ifndef FLEET_RAW_H
#define FLEET_RAW_H

#include "fault.h"
#include "fleet.h"

/* Takes the accepted, non-blocking socket when one of these faults holds; false: none does. */
bool raw_start(struct fleet *, int fd, const struct fault_set *, const char *addr);

#endif
