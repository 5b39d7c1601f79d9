/*
 * What a running controller does for other commands: the handler of its control socket (engine/control.h).
 */
#ifndef ORCHESTRATOR_REMOTE_CONTROL_H
#define ORCHESTRATOR_REMOTE_CONTROL_H

#include "base/err.h"

#include <jansson.h>

/* arg: a struct engine **. Requests: {"cmd":"confirm",…} as cmd_confirm.c sends it. */
int remote_control(const json_t *request, json_t *answer, void *arg, struct err *err);

#endif
