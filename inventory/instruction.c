#include "inventory/instruction.h"

#include "inventory/suggest.h"

#include "base/alloc.h"
#include "base/clock.h"

struct subject {
	const struct inventory *inv;
	const struct tenant *tenant;
	const struct host *host;     /* or NULL */
	const struct domain *domain; /* or NULL */
	struct buf *out;
	size_t said; /* values of this placeholder so far */
};

static void say(struct subject *s, const char *value)
{
	if (!value || !*value)
		return;
	buf_addf(s->out, "%s%s", s->said++ ? ", " : "", value);
}

static void say_all(struct subject *s, const struct strings *values)
{
	for (size_t i = 0; i < values->n; i++)
		say(s, values->at[i]);
}

static void fill_tenant(struct subject *s)
{
	say(s, s->tenant->id);
}

static void fill_tenant_name(struct subject *s)
{
	say(s, s->tenant->name);
}

static void fill_new_relay(struct subject *s)
{
	say(s, s->tenant->new_relay);
}

static void fill_new_web_service(struct subject *s)
{
	say(s, s->tenant->new_web_service);
}

static void fill_new_mx(struct subject *s)
{
	say(s, s->tenant->new_mx);
}

static void fill_old_relay(struct subject *s)
{
	say_all(s, &s->inv->profile->old_relay);
}

static void fill_old_web_service(struct subject *s)
{
	say_all(s, &s->inv->profile->old_web_service);
}

static void fill_old_mx(struct subject *s)
{
	say_all(s, &s->inv->profile->old_mx);
}

static void fill_ranges(struct subject *s)
{
	say_all(s, &s->inv->profile->ranges);
}

static void fill_spf_includes(struct subject *s)
{
	say_all(s, &s->inv->profile->spf_includes);
}

static void fill_domains(struct subject *s)
{
	for (size_t i = 0; i < s->tenant->domains_n; i++)
		say(s, s->tenant->domains[i].name);
}

static void fill_domain(struct subject *s)
{
	if (s->domain)
		say(s, s->domain->name);
	else
		fill_domains(s);
}

static void fill_test_mailbox(struct subject *s)
{
	for (size_t i = 0; i < s->tenant->domains_n; i++) {
		const struct domain *d = &s->tenant->domains[i];
		if (!s->domain || d == s->domain)
			say(s, json_string_value(json_object_get(d->settings, "test_mailbox")));
	}
}

static void fill_host(struct subject *s)
{
	for (size_t i = 0; i < s->tenant->hosts_n; i++)
		if (!s->host || &s->tenant->hosts[i] == s->host)
			say(s, s->tenant->hosts[i].name);
}

static void fill_address(struct subject *s)
{
	for (size_t i = 0; i < s->tenant->hosts_n; i++)
		if (!s->host || &s->tenant->hosts[i] == s->host)
			say(s, s->tenant->hosts[i].connection.address);
}

static void fill_public_ips(struct subject *s)
{
	for (size_t i = 0; i < s->tenant->hosts_n; i++)
		if (!s->host || &s->tenant->hosts[i] == s->host)
			say_all(s, &s->tenant->hosts[i].mta_public_ips);
}

static void fill_migration_date(struct subject *s)
{
	say(s, s->tenant->migration_date);
}

static void fill_vendor_period(struct subject *s)
{
	const struct tenant *t = s->tenant;
	char start[TIME_TEXT_MAX], end[TIME_TEXT_MAX];
	char *both;

	if (!t->vendor_period.end_ms)
		return;
	both = str_fmt("%s – %s", time_format(t->vendor_period.start_ms, t->offset_min, start),
		       time_format(t->vendor_period.end_ms, t->offset_min, end));
	say(s, both);
	free(both);
}

static const struct placeholder {
	const char *name;
	void (*fill)(struct subject *s);
} placeholders[] = {
	{ "tenant", fill_tenant },
	{ "tenant.name", fill_tenant_name },
	{ "new_fqdn.relay", fill_new_relay },
	{ "new_fqdn.web_service", fill_new_web_service },
	{ "new_fqdn.mx", fill_new_mx },
	{ "old.relay", fill_old_relay },
	{ "old.web_service", fill_old_web_service },
	{ "old.mx", fill_old_mx },
	{ "ranges", fill_ranges },
	{ "spf_includes", fill_spf_includes },
	{ "domain", fill_domain },
	{ "domains", fill_domains },
	{ "test_mailbox", fill_test_mailbox },
	{ "host", fill_host },
	{ "address", fill_address },
	{ "mta.public_ips", fill_public_ips },
	{ "migration_date", fill_migration_date },
	{ "vendor_period", fill_vendor_period },
};

_Static_assert(ARRAY_LEN(placeholders) == INSTRUCTION_PLACEHOLDERS, "the header and the schema list them");

static const struct placeholder *find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(placeholders); i++)
		if (strlen(placeholders[i].name) == len && memcmp(placeholders[i].name, name, len) == 0)
			return &placeholders[i];
	return NULL;
}

int instruction_check(const char *text, struct err *err)
{
	const char *open;

	for (const char *p = text; (open = strchr(p, '{')) != NULL;) {
		const char *close = strchr(open, '}');
		struct suggestion s = { 0 };
		char *name;
		int r = 0;
		if (!close)
			return err_set(err, E_INVAL, "a \"{\" has no \"}\"");
		name = str_ndup(open + 1, (size_t)(close - open - 1));
		s.word = name;
		for (size_t i = 0; i < ARRAY_LEN(placeholders); i++)
			suggestion_offer(&s, placeholders[i].name);
		if (!find(name, strlen(name)))
			r = err_set(err, E_INVAL, "unknown placeholder \"{%.60s}\"%s%s%s", name,
				    s.best ? ", did you mean \"{" : "", s.best ? s.best : "", s.best ? "}\"?" : "");
		free(name);
		if (r)
			return r;
		p = close + 1;
	}
	return 0;
}

void instruction_write(struct buf *out, const struct inventory *inv, const struct tenant *t,
		       const struct procedure_step *step, const struct host *host, const struct domain *domain)
{
	instruction_write_in(out, inv, t, step, host, domain, t->japanese);
}

void instruction_write_in(struct buf *out, const struct inventory *inv, const struct tenant *t,
			  const struct procedure_step *step, const struct host *host, const struct domain *domain,
			  bool japanese)
{
	const char *p = text_in(&step->instruction, japanese);

	while (*p) {
		size_t plain = strcspn(p, "{");
		const char *close = p[plain] ? strchr(p + plain, '}') : NULL;
		const struct placeholder *found = close ? find(p + plain + 1, (size_t)(close - p - plain - 1)) : NULL;
		struct subject s = { .inv = inv, .tenant = t, .host = host, .domain = domain, .out = out };
		buf_add(out, p, plain);
		if (!p[plain])
			return;
		if (!found) {
			buf_addc(out, '{');
			p += plain + 1;
			continue;
		}
		found->fill(&s);
		if (!s.said)
			buf_adds(out, japanese ? "(記載なし)" : "(not given)");
		p = close + 1;
	}
}
