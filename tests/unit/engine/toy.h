/*
 * A toy agent for tests of the engine: a host has a value ("old" → "new") and a lamp that is off while it is changed.
 * It speaks to tests/lib/fake_transport.h, and keeps every rule of agents/agent.h.
 */
#ifndef TESTS_UNIT_ENGINE_TOY_H
#define TESTS_UNIT_ENGINE_TOY_H

#include "agents/agent.h"

const struct agent *toy_find(const char *name);

#endif
