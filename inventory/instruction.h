/*
 * What a person has to do, with the exact values: a step's instruction (model.h) with its placeholders filled in.
 *
 *     {tenant} {tenant.name} {new_fqdn.relay} {new_fqdn.web_service} {new_fqdn.mx} {old.relay} {old.web_service}
 * {old.mx} {ranges} {spf_includes} {domain} {domains} {test_mailbox} {host} {address} {mta.public_ips} {migration_date}
 *     {vendor_period}
 *
 * Several values are joined by ", ". {domain} and {test_mailbox} without a domain name those of all domains; {host},
 * {address} without a host those of all hosts. What the inventory does not say reads "(not given)".
 */
#ifndef INVENTORY_INSTRUCTION_H
#define INVENTORY_INSTRUCTION_H

#include "base/buf.h"
#include "base/err.h"
#include "inventory/model.h"

#define INSTRUCTION_PLACEHOLDERS 18 /* the list above; schema/procedure.v1.schema.json has it, too */

/* Does it hold only placeholders of the list above? */
int instruction_check(const char *text, struct err *err);

/* The instruction of `step` in one language (English where the procedure has it in no other), and in the tenant's own; host
   and domain may be NULL. Nothing where the step has none. */
void instruction_write_in(struct buf *out, const struct inventory *inv, const struct tenant *t,
			  const struct procedure_step *step, const struct host *host, const struct domain *domain,
			  bool japanese);
void instruction_write(struct buf *out, const struct inventory *inv, const struct tenant *t,
		       const struct procedure_step *step, const struct host *host, const struct domain *domain);

#endif
