/* What only the whole inventory shows. */
#include "inventory/decode.h"

#include "base/alloc.h"

static void check_ids(struct loading *l)
{
	for (size_t i = 0; i < l->inv->tenants_n; i++) {
		struct tenant *t = &l->inv->tenants[i];
		const struct tenant *other;
		if (!*t->id || names_add(&l->store->tenants, t->id, t))
			continue;
		other = names_get(&l->store->tenants, t->id);
		problem_add(l, &l->tenant_places[i], "the id \"%s\" is taken by another tenant, in %s", t->id,
			    other->file);
	}
}

/* An MX record can be moved for one customer only. */
static void check_domains(struct loading *l)
{
	struct names seen = { 0 };

	for (size_t i = 0; i < l->inv->tenants_n; i++) {
		struct tenant *t = &l->inv->tenants[i];
		for (size_t j = 0; j < t->domains_n; j++) {
			const struct tenant *other;
			if (names_add(&seen, t->domains[j].name, t))
				continue;
			other = names_get(&seen, t->domains[j].name);
			if (other != t)
				problem_add(l, &l->tenant_places[i], "the domain %s is also one of tenant %s",
					    t->domains[j].name, other->id);
		}
	}
	names_release(&seen);
}

void cross_check(struct loading *l)
{
	check_ids(l);
	check_domains(l);
}
