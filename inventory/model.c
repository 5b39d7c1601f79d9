#include "inventory/loading.h"

#include "base/alloc.h"

const struct tenant *inventory_tenant(const struct inventory *inv, const char *id)
{
	return inv->store ? names_get(&inv->store->tenants, id) : NULL;
}

const struct host *tenant_host(const struct tenant *t, const char *name)
{
	for (size_t i = 0; i < t->hosts_n; i++)
		if (strcmp(t->hosts[i].name, name) == 0)
			return &t->hosts[i];
	return NULL;
}

const struct procedure_step *procedure_step(const struct procedure *p, const char *name)
{
	for (size_t i = 0; i < p->steps_n; i++)
		if (strcmp(p->steps[i].name, name) == 0)
			return &p->steps[i];
	return NULL;
}

enum who tenant_who(const struct tenant *t, const struct procedure_step *step)
{
	for (size_t i = 0; i < t->by_n; i++)
		if (t->by[i].step == step)
			return t->by[i].who;
	return WHO_US;
}

enum tri tenant_uses(const struct tenant *t, const char *uses_key)
{
	for (size_t i = 0; i < t->uses_n; i++)
		if (strcmp(t->uses[i].key, uses_key) == 0)
			return t->uses[i].value;
	return TRI_UNKNOWN;
}

const struct procedure_step *const *tenant_waits_for(const struct tenant *t, const struct procedure_step *step,
						     size_t *n)
{
	bool own = step->waits_for_n && t->waits_for_given;

	*n = own ? t->waits_for_n : step->waits_for_n;
	return own ? t->waits_for : step->waits_for;
}

const char *text_in(const struct text *text, bool japanese)
{
	return japanese && text->ja ? text->ja : text->en;
}

const char *who_name(enum who who)
{
	switch (who) {
	case WHO_US:
		return "us";
	case WHO_CUSTOMER:
		return "customer";
	case WHO_ISP:
		return "isp";
	}
	return "?";
}

static void store_free(struct inventory_store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < store->owned_n; i++)
		json_decref(store->owned[i]);
	free(store->owned);
	names_release(&store->tenants);
	names_release(&store->files);
	arena_release(&store->arena);
	free(store);
}

void inventory_release(struct inventory *inv)
{
	for (size_t i = 0; i < inv->files_n; i++) {
		free(inv->files[i].path);
		free(inv->files[i].bytes);
	}
	free(inv->files);
	store_free(inv->store);
}

void inventory_free(struct inventory *inv)
{
	if (!inv)
		return;
	inventory_release(inv);
	free(inv);
}
