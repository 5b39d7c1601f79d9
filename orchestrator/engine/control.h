/*
 * The control socket: how other commands reach a controller that runs (contract: `confirm` works while a run goes on).
 * A Unix socket beside the state file, mode 0600; one JSON object a line each way. The request's "cmd" names what is
 * wanted; the answer is {"ok":true,"text":…} or {"ok":false,"code":…,"text":…}. Lines are bounded, a client that says
 * nothing is dropped after CONTROL_IDLE_MS.
 */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include "base/err.h"

#include <jansson.h>
#include <sys/un.h>
#include <uv.h>

#define CONTROL_LINE_MAX_BYTES ((size_t)32 << 20) /* a worksheet (sheet.h) at its largest, as JSON */
#define CONTROL_CLIENTS_MAX 16
#define CONTROL_IDLE_MS 5000

struct control;

/* Answers a request: fills `answer` (an empty object) or returns an error that becomes the answer. */
typedef int control_handler(const json_t *request, json_t *answer, void *arg, struct err *err);

/*
 * The address of the socket at `path`, for bind and connect. A socket's address has room for 107 bytes (unix(7)): where
 * the path is longer it goes by the folder's descriptor, /proc/self/fd/N/NAME, which is left in *folder and has to stay
 * open for as long as the address is used; else *folder is -1. E_LIMIT: the file's name alone is too long; or why the
 * folder cannot be opened.
 */
int control_address(const char *path, struct sockaddr_un *out, int *folder, struct err *err);

/* A stale socket file is replaced (the lock on the state file says that nobody else uses it). E_IO, E_PERM, E_LIMIT. */
int control_open(uv_loop_t *loop, const char *path, control_handler *handler, void *arg, struct control **out,
		 struct err *err);

/* Closes all clients and removes the file; the memory goes with the loop's close callbacks. */
void control_close(struct control *c);

#endif
