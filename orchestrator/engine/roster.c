#include "engine/roster.h"

#include "base/alloc.h"
#include "inventory/instruction.h"

/* ---- rows ------------------------------------------------------------------------------------------------------- */

struct making {
	struct roster *roster;
	agent_finder *find;
	const struct inventory *inv;
	const struct tenant *t;
	const struct procedure_step *step;
	size_t first; /* of this step's rows */
};

static struct roster_row *add_row(struct making *m, char *target)
{
	struct roster *r = m->roster;
	struct roster_row *row;

	GROW_FOR_ONE(r->at, r->n);
	row = &r->at[r->n++];
	*row = (struct roster_row){ .tenant = m->t, .step = m->step, .target = target };
	return row;
}

static void settle(struct roster_row *row, enum disposition disposition, char *text)
{
	row->disposition = disposition;
	row->text = text;
}

static char *instruction(const struct making *m, const struct host *h, const struct domain *d)
{
	struct buf text = BUF_INIT;

	instruction_write(&text, m->inv, m->t, m->step, h, d);
	if (!text.len)
		buf_addf(&text, "%s: a person does it, the procedure does not say how", text_in(&m->step->title, m->t->japanese));
	return buf_detach(&text);
}

static bool runs_on(const struct agent *agent, const struct host *host)
{
	return host->os == OS_UNKNOWN || (agent->os & (1u << host->os));
}

/* What of a host this version cannot do: NULL when it can. The caller frees. */
static char *host_obstacle(const struct agent *agent, const struct host *host)
{
	const struct connection *c = &host->connection;

	if (!runs_on(agent, host))
		return str_fmt("not in this version: %s on %s", agent->name, host->os == OS_WINDOWS ? "Windows" : "Linux");
	if (!c->identity.text && !c->password.text)
		return str_fmt("the inventory does not say how to log in to %s: add `identity` (a private key), or `password`",
			       host->name);
	return NULL;
}

static bool is_person(const struct procedure_agent *pa)
{
	return strcmp(pa->decl->name, "person") == 0;
}

/* An agent of the step has work on this target. */
static void add_target(struct making *m, const struct procedure_agent *pa, char *target, const struct host *host,
		       const struct domain *domain, const struct agent_use *use)
{
	struct roster_row *row = add_row(m, target);
	const struct agent *agent = m->find(pa->decl->name);
	enum who who = tenant_who(m->t, m->step);
	char *obstacle;

	row->host = host;
	row->domain = domain;
	row->use = use;
	row->with = pa->with;
	row->agent = agent;
	row->instructed = !agent || who != WHO_US;
	if (!agent) {
		if (who != WHO_US || is_person(pa))
			settle(row, ROW_PERSON, instruction(m, host, domain));
		else
			settle(row, ROW_BLOCKED, str_fmt("not in this version: %s", pa->decl->name));
		return;
	}
	if (host && !runs_on(agent, host))
		row->instructed = true;
	obstacle = host ? host_obstacle(agent, host) : NULL;
	if (obstacle)
		settle(row, ROW_BLOCKED, obstacle);
	else if (who != WHO_US)
		settle(row, ROW_WATCH, instruction(m, host, domain));
	else
		settle(row, ROW_DO, NULL);
}

static bool use_is_of_step(const struct agent_use *use, const struct procedure_step *step)
{
	for (size_t i = 0; i < step->agents_n; i++)
		if (step->agents[i].decl == use->decl)
			return true;
	return false;
}

static size_t uses_of_step(const struct host *host, const struct procedure_step *step)
{
	size_t n = 0;

	for (size_t i = 0; i < host->agents_n; i++)
		n += use_is_of_step(&host->agents[i], step);
	return n;
}

static void add_host_targets(struct making *m, const struct procedure_agent *pa)
{
	for (size_t i = 0; i < m->t->hosts_n; i++) {
		const struct host *host = &m->t->hosts[i];
		bool several = uses_of_step(host, m->step) > 1;
		for (size_t k = 0; k < host->agents_n; k++) {
			const struct agent_use *use = &host->agents[k];
			if (use->decl != pa->decl)
				continue;
			add_target(m, pa, several ? str_fmt("host:%s/%s", host->name, use->key) : str_fmt("host:%s", host->name),
				   host, NULL, use);
		}
	}
}

/* A step of domains has none to work on: the row that says why. False where there are some. */
static bool lacks_domains(struct making *m)
{
	if (m->t->domains_n)
		return false;
	if (m->t->domains_given)
		settle(add_row(m, str_dup("tenant")), ROW_NOT_APPLICABLE, str_dup("the tenant has no domains"));
	else
		settle(add_row(m, str_dup("tenant")), ROW_PERSON,
		       str_fmt("the inventory does not list the domains of tenant %s: add `domains` ([] when there are none)",
			       m->t->id));
	return true;
}

bool roster_agent_wanted(const struct tenant *tenant, const struct procedure_agent *agent)
{
	const char *when = json_string_value(json_object_get(agent->with, "when"));

	return !when || strcmp(when, "web_service") != 0 || tenant->has_web_service;
}

static void add_agent_targets(struct making *m, const struct procedure_agent *pa)
{
	switch (pa->decl->scope) {
	case SCOPE_HOST:
		add_host_targets(m, pa);
		break;
	case SCOPE_DOMAIN:
		if (lacks_domains(m))
			break;
		for (size_t i = 0; i < m->t->domains_n; i++)
			add_target(m, pa, str_fmt("domain:%s", m->t->domains[i].name), NULL, &m->t->domains[i], NULL);
		break;
	case SCOPE_TENANT:
		add_target(m, pa, str_dup("tenant"), NULL, NULL, NULL);
		break;
	}
}

/* A host lists "person" like any agent; for domains and tenants a person is who remains where no agent has work. */
static void add_all_targets(struct making *m)
{
	bool wanted = false;

	for (size_t i = 0; i < m->step->agents_n; i++) {
		const struct procedure_agent *pa = &m->step->agents[i];
		if (!roster_agent_wanted(m->t, pa))
			continue;
		wanted = true;
		if (!is_person(pa) || pa->decl->scope == SCOPE_HOST)
			add_agent_targets(m, pa);
	}
	for (size_t i = 0; i < m->step->agents_n && m->roster->n == m->first; i++)
		if (is_person(&m->step->agents[i]))
			add_agent_targets(m, &m->step->agents[i]);
	if (m->roster->n > m->first)
		return;
	if (wanted) {
		struct roster_row *row = add_row(m, str_dup("tenant"));
		settle(row, ROW_PERSON, instruction(m, NULL, NULL));
		row->instructed = true;
	} else {
		settle(add_row(m, str_dup("tenant")), ROW_NOT_APPLICABLE,
		       str_dup("the tenant has nothing that this step works on (no web_service)"));
	}
}

/* The answer of `uses` for this step. Returns true when it settles the step. */
static bool governed(struct making *m)
{
	const char *key = m->step->governed_by;
	size_t before = m->roster->n;

	if (!key)
		return false;
	switch (tenant_uses(m->t, key)) {
	case TRI_TRUE:
		return false;
	case TRI_UNKNOWN:
		settle(add_row(m, str_dup("tenant")), ROW_PERSON,
		       str_fmt("the inventory does not say whether this is used: set uses.%s of tenant %s to true or false",
			       key, m->t->id));
		return true;
	case TRI_FALSE:
		break;
	}
	for (size_t i = 0; i < m->step->agents_n; i++)
		if (m->step->agents[i].decl->scope == SCOPE_HOST)
			add_host_targets(m, &m->step->agents[i]);
	for (size_t i = before; i < m->roster->n; i++) {
		free(m->roster->at[i].text);
		settle(&m->roster->at[i], ROW_PERSON,
		       str_fmt("uses.%s is false, yet the inventory lists %s for this step: correct one of them", key,
			       m->roster->at[i].target));
	}
	if (m->roster->n == before)
		settle(add_row(m, str_dup("tenant")), ROW_NOT_APPLICABLE, str_fmt("uses.%s is false", key));
	return true;
}

static void add_step(struct making *m)
{
	m->first = m->roster->n;
	if (governed(m))
		return;
	if (!m->step->per_domain || !lacks_domains(m))
		add_all_targets(m);
}

void roster_make(struct roster *roster, const struct inventory *inv, const struct selection *selection,
		 agent_finder *find)
{
	*roster = (struct roster){ 0 };
	for (size_t i = 0; i < inv->tenants_n; i++) {
		if (!selection_tenant(selection, &inv->tenants[i]))
			continue;
		for (size_t k = 0; k < inv->procedure->steps_n; k++) {
			struct making m = { roster, find, inv, &inv->tenants[i], &inv->procedure->steps[k], 0 };
			add_step(&m);
		}
	}
}

void roster_release(struct roster *roster)
{
	for (size_t i = 0; i < roster->n; i++) {
		free(roster->at[i].target);
		free(roster->at[i].text);
	}
	free(roster->at);
	*roster = (struct roster){ 0 };
}

bool roster_selected(const struct roster_row *row, const struct selection *selection)
{
	return selection_tenant(selection, row->tenant) && selection_step(selection, row->step) &&
	       selection_host(selection, row->host);
}
