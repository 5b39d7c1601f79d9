#include "inventory/show.h"

#include "inventory/decode.h"
#include "inventory/documents.h"
#include "inventory/shape.h"
#include "inventory/suggest.h"

#include "base/alloc.h"

#include <stdarg.h>

#define VALUE_COLUMNS_MAX 56 /* a longer value pushes its origin to the right instead of all others */

struct show {
	struct loading l;
	struct documents docs;
	const struct inventory *inv;
	const struct tenant *tenant;
	const struct host *host; /* or NULL: the tenant's own values */
	struct row {
		const char *key, *value, *from;
	} * rows;
	size_t rows_n;
	struct buf *out;
};

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void add_row(struct show *s, const char *key, const char *value, const char *from)
{
	GROW_FOR_ONE(s->rows, s->rows_n);
	s->rows[s->rows_n++] = (struct row){ arena_dup(&s->l.scratch, key), arena_dup(&s->l.scratch, value), from };
}

/* Columns on a terminal: characters that East Asian fonts draw wide count two (Unicode TR 11, roughly). */
static size_t columns(const char *text)
{
	size_t n = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if ((*p & 0xC0) == 0x80)
			continue;
		n += *p >= 0xE3 && *p < 0xF0 && !(*p == 0xEF && p[1] < 0xBC) ? 2 : 1;
	}
	return n;
}

static void pad(struct buf *out, const char *text, size_t width)
{
	buf_addf(out, "%s  ", text);
	for (size_t n = columns(text); n < width; n++)
		buf_addc(out, ' ');
}

static void write_rows(struct show *s)
{
	size_t key_width = 0, value_width = 0;

	for (size_t i = 0; i < s->rows_n; i++) {
		size_t key = columns(s->rows[i].key), value = columns(s->rows[i].value);
		key_width = key > key_width ? key : key_width;
		value_width = value > value_width && value <= VALUE_COLUMNS_MAX ? value : value_width;
	}
	for (size_t i = 0; i < s->rows_n; i++) {
		buf_adds(s->out, "  ");
		pad(s->out, s->rows[i].key, key_width);
		pad(s->out, s->rows[i].value, value_width);
		buf_addf(s->out, "%s\n", s->rows[i].from);
	}
	s->rows_n = 0;
}

/* ---- where from ------------------------------------------------------------------------------------------------- */

static const char *origin(struct show *s, const struct found *found)
{
	const char *label = found->layer->label, *name = found->layer->place.key;
	const char *file = place_file(&found->place);
	size_t folder = strlen(s->inv->folder);
	struct buf pointer = BUF_INIT;
	const char *text;

	if (strncmp(file, s->inv->folder, folder) == 0 && file[folder] == '/')
		file += folder + 1;
	place_pointer(&found->place, &pointer);
	if (label && strcmp(label, "defaults") != 0)
		text = arena_fmt(&s->l.scratch, "%s %s (%s %s)", label, name ? name : "", file, buf_str(&pointer));
	else if (label)
		text = arena_fmt(&s->l.scratch, "defaults (%s %s)", file, buf_str(&pointer));
	else
		text = arena_fmt(&s->l.scratch, "%s %s", file, buf_str(&pointer));
	buf_release(&pointer);
	return text;
}

/* ---- values as text --------------------------------------------------------------------------------------------- */

static void write_value(struct buf *out, const json_t *value)
{
	const char *key, *between = "";
	json_t *member;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		json_object_foreach((json_t *)value, key, member) {
			buf_addf(out, "%s%s: %s", between, key, json_is_object(member) ? "{ " : "");
			write_value(out, member);
			buf_adds(out, json_is_object(member) ? " }" : "");
			between = ", ";
		}
		return;
	case JSON_ARRAY:
		json_array_foreach((json_t *)value, i, member) {
			buf_adds(out, i ? ", " : "");
			write_value(out, member);
		}
		buf_adds(out, json_array_size(value) ? "" : "[] (none)");
		return;
	case JSON_STRING:
		buf_adds(out, json_string_value(value));
		return;
	case JSON_INTEGER:
		buf_addf(out, "%lld", (long long)json_integer_value(value));
		return;
	case JSON_REAL:
		buf_addf(out, "%.15g", json_real_value(value));
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_adds(out, json_is_true(value) ? "true" : "false");
		return;
	case JSON_NULL:
		buf_adds(out, "null");
		return;
	}
}

static void add_value(struct show *s, const char *name, const struct found *found, const char *text)
{
	struct buf value = BUF_INIT;

	if (text)
		buf_adds(&value, text);
	else
		write_value(&value, found->value);
	add_row(s, name, buf_str(&value), origin(s, found));
	buf_release(&value);
}

/* One row an element; a window reads as a span. */
static void add_objects(struct show *s, const char *name, const struct found *found)
{
	for (size_t i = 0; i < json_array_size(found->value); i++) {
		json_t *element = json_array_get(found->value, i);
		const char *start = json_string_value(json_object_get(element, "start"));
		const char *end = json_string_value(json_object_get(element, "end"));
		struct found one = { element, found->layer, place_index(&found->place, i) };
		const char *key = arena_fmt(&s->l.scratch, "%s[%zu]", name, i);
		add_value(s, key, &one, start && end ? arena_fmt(&s->l.scratch, "%s to %s", start, end) : NULL);
	}
	if (json_array_size(found->value) == 0)
		add_value(s, name, found, NULL);
}

/* ---- what the program says when nobody does --------------------------------------------------------------------- */

static const char by_program[] = "default of the program";

static const struct {
	const char *key, *value;
} program_defaults[] = {
	{ "language", "en" },
	{ "at_window_end", "stay" },
	{ "retry.attempts", "4" },
	{ "retry.first_delay_s", "2" },
	{ "retry.max_delay_s", "120" },
	{ "retry.give_up_s", "900" },
	{ "port", "22" },
	{ "become", "none" },
	{ "host_keys", "pinned" },
	{ "role", "host" },
	{ "web_service.tolerance", "0" },
	{ "web_service.via", "controller" },
};

static const char *steps_text(struct show *s, const struct procedure_step *step)
{
	const char *text = "";

	for (size_t i = 0; i < step->waits_for_n; i++)
		text = arena_fmt(&s->l.scratch, "%s%s%s", text, i ? ", " : "", step->waits_for[i]->name);
	return text;
}

static void add_default(struct show *s, const char *key)
{
	const struct procedure_step *mx = procedure_step(s->inv->procedure, "mx");

	for (size_t i = 0; i < ARRAY_LEN(program_defaults); i++)
		if (strcmp(program_defaults[i].key, key) == 0)
			add_row(s, key, program_defaults[i].value, by_program);
	if (s->host)
		return;
	if (strcmp(key, "name") == 0)
		add_row(s, key, s->tenant->id, "default of the program: the id");
	else if (strcmp(key, "time_zone") == 0)
		add_row(s, key,
			arena_fmt(&s->l.scratch, "%c%02d:%02d", s->tenant->offset_min < 0 ? '-' : '+',
				  abs(s->tenant->offset_min) / 60, abs(s->tenant->offset_min) % 60),
			"default of the program: the offset of the first window");
	else if (strcmp(key, "rollback_until") == 0 && s->tenant->vendor_period.end_ms)
		add_row(s, key, "end of vendor_period", by_program);
	else if (strcmp(key, "mx_waits_for") == 0 && mx && mx->waits_for_n)
		add_row(s, key, steps_text(s, mx), arena_fmt(&s->l.scratch, "procedure %s", s->inv->procedure->name));
}

/* ---- walking the tables ----------------------------------------------------------------------------------------- */

static void show_shape(struct show *s, const struct chain *chain, const struct shape *shape, const char *prefix);

/* Objects of free names: refs, by, uses. */
static void show_open(struct show *s, const struct chain *chain, const char *prefix)
{
	json_t *merged = chain_merged(chain);
	const char *key;
	json_t *value;

	json_object_foreach(merged, key, value) {
		struct found found = chain_get(chain, key);
		add_value(s, arena_fmt(&s->l.scratch, "%s%s", prefix, key), &found, NULL);
	}
	json_decref(merged);
}

static void show_uses(struct show *s, const struct chain *chain)
{
	for (size_t i = 0; i < s->tenant->uses_n; i++) {
		const char *key = s->tenant->uses[i].key;
		struct found found = chain_get(chain, key);
		const char *name = arena_fmt(&s->l.scratch, "uses.%s", key);
		if (found.value)
			add_value(s, name, &found, NULL);
		else
			add_row(s, name, "unknown", by_program);
	}
}

static void show_object(struct show *s, const struct chain *chain, const struct key *key, const char *name)
{
	struct chain sub = chain_sub(chain, key->name);
	const char *prefix = arena_fmt(&s->l.scratch, "%s.", name);

	if (strcmp(name, "uses") == 0)
		show_uses(s, &sub);
	else if (key->shape->open)
		show_open(s, &sub, prefix);
	else if (sub.n || strcmp(name, "retry") == 0)
		show_shape(s, &sub, key->shape, prefix);
}

static const char *via_text(struct show *s)
{
	const struct connection *c = &s->host->connection;
	const char *text = "";

	for (size_t i = 0; i < c->via_n; i++)
		text = arena_fmt(&s->l.scratch, "%s%s%s", text, i ? ", then " : "", c->via[i]->name);
	return c->via_n ? text : NULL;
}

/* What the model made of it, where that is more than what was written. */
static const char *worked_out(struct show *s, const struct key *key, const struct found *found)
{
	if (strcmp(key->name, "identity") == 0)
		return decode_identity(&s->l, found, s->tenant->id, s->host ? s->host->name : NULL).text;
	if (key->flags & KEY_SECRET)
		return decode_secret(&s->l, found, s->tenant->id, s->host ? s->host->name : NULL).text;
	if (key->flags & KEY_PATH)
		return json_string_value(json_object_get(s->tenant->web_service, key->name));
	if (s->host && strcmp(key->name, "known_hosts") == 0)
		return s->host->connection.known_hosts;
	if (s->host && strcmp(key->name, "certificate") == 0)
		return s->host->connection.certificate;
	if (s->host && strcmp(key->name, "identity_agent") == 0)
		return s->host->connection.agent_socket;
	if (s->host && strcmp(key->name, "via") == 0)
		return via_text(s);
	return NULL;
}

static void show_key(struct show *s, const struct chain *chain, const struct key *key, const char *name)
{
	struct found found = chain_get(chain, key->name);

	if (strcmp(name, "new_fqdn") == 0 && json_is_object(found.value)) {
		struct chain sub = chain_sub(chain, "new_fqdn");
		show_shape(s, &sub, &shape_new_fqdn, "new_fqdn.");
	} else if (key->kind == VALUE_OBJECT) {
		show_object(s, chain, key, name);
	} else if (!found.value) {
		add_default(s, name);
	} else if (key->kind == VALUE_OBJECTS) {
		add_objects(s, name, &found);
	} else {
		add_value(s, name, &found, worked_out(s, key, &found));
	}
}

static void show_table(struct show *s, const struct chain *chain, const struct key_table *table, const char *prefix)
{
	for (size_t i = 0; i < table->n; i++)
		if (strcmp(table->keys[i].name, "hosts") != 0)
			show_key(s, chain, &table->keys[i],
				 arena_fmt(&s->l.scratch, "%s%s", prefix, table->keys[i].name));
}

static void show_shape(struct show *s, const struct chain *chain, const struct shape *shape, const char *prefix)
{
	for (size_t i = 0; i < SHAPE_TABLES_MAX && shape->tables[i].keys; i++)
		show_table(s, chain, &shape->tables[i], prefix);
}

/* ---- the tenant and her hosts ----------------------------------------------------------------------------------- */

static void show_hosts(struct show *s, const struct chain *above)
{
	struct found hosts = chain_get(above, "hosts");

	for (size_t i = 0; i < json_array_size(hosts.value); i++) {
		const json_t *json = json_array_get(hosts.value, i);
		struct place place = place_index(&hosts.place, i);
		struct chain chain = chain_of_host(&s->l, &place, json, above);
		s->host = &s->tenant->hosts[i];
		buf_addf(s->out, "\nhost %s\n", s->host->name);
		show_shape(s, &chain, &shape_host, "");
		write_rows(s);
	}
	if (!hosts.value)
		buf_adds(s->out, "\nhosts: not given\n");
	else if (json_array_size(hosts.value) == 0)
		buf_addf(s->out, "\nhosts: none, says %s\n", origin(s, &hosts));
}

/* The tables of a tenant without the last, the connection keys: they are shown on the hosts they are for. */
static void show_tenant(struct show *s, const struct place *place, const json_t *json)
{
	struct chain chain = chain_of_tenant(&s->l, place, json);

	buf_addf(s->out, "tenant %s: what holds for it, and where each value comes from\n", s->tenant->id);
	show_table(s, &chain, &shape_tenant.tables[0], "");
	show_table(s, &chain, &shape_tenant.tables[1], "");
	write_rows(s);
	show_hosts(s, &chain);
}

static bool find_and_show(struct show *s)
{
	for (size_t i = 0; i < s->docs.n; i++) {
		const struct document *d = s->docs.at[i];
		struct place file = document_place(d), list = place_key(&file, "tenants");
		size_t n;
		const json_t *tenants = document_tenants(d, &n);
		for (size_t j = 0; j < n; j++) {
			const json_t *json = d->is_tenant ? tenants : json_array_get(tenants, j);
			const char *id = json_string_value(json_object_get(json, "id"));
			struct place place = d->is_tenant ? file : place_index(&list, j);
			if (!id || strcmp(id, s->tenant->id) != 0)
				continue;
			show_tenant(s, &place, json);
			return true;
		}
	}
	return false;
}

static int unknown_tenant(const struct inventory *inv, const char *id, struct err *err)
{
	struct suggestion s = { .word = id };

	for (size_t i = 0; i < inv->tenants_n; i++)
		suggestion_offer(&s, inv->tenants[i].id);
	return err_set(err, E_NOTFOUND, "there is no tenant \"%.100s\" in the inventory%s%s%s", id,
		       s.best ? ", did you mean \"" : "", s.best ? s.best : "", s.best ? "\"?" : "");
}

int inventory_show(struct inventory *inv, const char *tenant_id, struct buf *out, struct err *err)
{
	struct inventory again = { .path = inv->path, .folder = inv->folder, .store = NEW(struct inventory_store) };
	struct file_source source = file_source_stored(inv);
	struct problems problems = { 0 };
	struct show s = { .inv = inv, .tenant = inventory_tenant(inv, tenant_id), .out = out };
	int r = 0;

	if (!s.tenant) {
		free(again.store);
		return unknown_tenant(inv, tenant_id, err);
	}
	s.l = (struct loading){ .source = &source,
				.inv = &again,
				.store = again.store,
				.arena = &again.store->arena,
				.problems = &problems,
				.quiet = true };
	r = documents_open(&s.l, inv->path, &s.docs, err);
	if (!r) {
		loading_set_root(&s.l, s.docs.at[0]->root, s.docs.at[0]->path);
		documents_include(&s.l, &s.docs);
		if (!find_and_show(&s))
			r = err_set(err, E_BUG, "tenant %s is in the model, but not in the files", tenant_id);
	}
	free(s.rows);
	documents_release(&s.docs);
	loading_release(&s.l);
	problems_release(&problems);
	inventory_release(&again);
	return r;
}
