/*
 * `validate --show TENANT`: what holds for one tenant and each of her hosts once defaults are worked in, and where each
 * value comes from: the file and pointer, the wave, the template, defaults, or the program itself.
 */
#ifndef INVENTORY_SHOW_H
#define INVENTORY_SHOW_H

#include "base/buf.h"
#include "base/err.h"
#include "inventory/model.h"

/* Adds aligned text, for people. Secrets are shown as references. The inventory must come from inventory_load: its
   files are read once more, from memory. E_NOTFOUND with a suggestion when there is no such tenant. */
int inventory_show(struct inventory *inv, const char *tenant_id, struct buf *out, struct err *err);

#endif
