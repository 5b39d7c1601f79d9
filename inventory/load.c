#include "inventory/decode.h"
#include "inventory/documents.h"
#include "inventory/shape.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"

/* The inventory's own file: what it names first, since the rules of all else ask the procedure and the profile. */
static void load_root(struct loading *l, struct document *d)
{
	const char *procedure = json_string_value(json_object_get(d->root, "procedure"));
	const char *profile = json_string_value(json_object_get(d->root, "profile"));
	struct place procedure_place, profile_place;

	loading_set_root(l, d->root, d->path);
	procedure_place = place_key(&l->root_place, "procedure");
	profile_place = place_key(&l->root_place, "profile");
	if (procedure && *procedure)
		l->inv->procedure = decode_procedure(l, &procedure_place, procedure);
	if (profile && *profile)
		l->inv->profile = decode_profile(l, &profile_place, profile);
	shape_check(l, &l->root_place, &shape_root, d->root);
	decode_bastions(l);
}

static void check_include(struct loading *l, const struct document *d)
{
	struct place place = document_place(d);

	if (d->root)
		shape_check(l, &place, d->is_tenant ? &shape_tenant : &shape_include, d->root);
}

static size_t count_tenants(const struct documents *docs)
{
	size_t n, sum = 0;

	for (size_t i = 0; i < docs->n; i++) {
		document_tenants(docs->at[i], &n);
		sum += n;
	}
	return sum;
}

/* The places of tenants outlive their decoding: cross_check names them. */
static void load_tenants_of(struct loading *l, const struct document *d)
{
	struct place *file = arena_alloc(&l->scratch, 1, sizeof(*file)),
		     *list = arena_alloc(&l->scratch, 1, sizeof(*list));
	const json_t *tenants;
	size_t n;

	*file = document_place(d);
	*list = place_key(file, "tenants");
	tenants = document_tenants(d, &n);
	for (size_t i = 0; i < n; i++) {
		const json_t *json = d->is_tenant ? tenants : json_array_get(tenants, i);
		struct place *place = &l->tenant_places[l->inv->tenants_n];
		struct tenant *t = &l->inv->tenants[l->inv->tenants_n];
		*place = d->is_tenant ? *file : place_index(list, i);
		place->tenant = json_string_value(json_object_get(json, "id"));
		if (!json_is_object(json))
			continue;
		t->index = l->inv->tenants_n++;
		decode_tenant(l, place, json, t);
	}
}

static void load_tenants(struct loading *l, const struct documents *docs)
{
	size_t n = count_tenants(docs);
	struct place place = place_key(&l->root_place, "tenants");

	if (n > INVENTORY_TENANTS_MAX) {
		problem_add(l, &place, "there are %zu tenants; %d are allowed", n, INVENTORY_TENANTS_MAX);
		return;
	}
	if (n == 0 && l->problems->n == 0) {
		problem_add(l, &l->root_place, "there is no tenant in it, nor in the files it includes");
		return;
	}
	l->inv->tenants = ARENA_N(l->arena, struct tenant, n);
	l->tenant_places = ARENA_N(&l->scratch, struct place, n);
	for (size_t i = 0; i < docs->n; i++)
		load_tenants_of(l, docs->at[i]);
	cross_check(l);
}

/* The revision: names, relative to the inventory, and content of all files in order. */
static char *revision(const struct inventory *inv)
{
	struct buf all = BUF_INIT;
	char hex[SHA256_HEX_MAX];
	size_t folder = strlen(inv->folder);

	for (size_t i = 0; i < inv->files_n; i++) {
		const struct source_file *f = &inv->files[i];
		bool inside = strncmp(f->path, inv->folder, folder) == 0;
		buf_addf(&all, "%s %s\n", sha256_hex(f->bytes, f->len, hex), f->path + (inside ? folder : 0));
	}
	sha256_hex(buf_str(&all), all.len, hex);
	buf_release(&all);
	return arena_dup(&inv->store->arena, hex);
}

static int load_all(struct loading *l, struct documents *docs, const char *path, struct err *err)
{
	int r = documents_open(l, path, docs, err);

	if (r)
		return r;
	load_root(l, docs->at[0]);
	documents_include(l, docs);
	for (size_t i = 1; i < docs->n; i++)
		check_include(l, docs->at[i]);
	if (l->inv->procedure && l->inv->profile)
		load_tenants(l, docs);
	return 0;
}

static int load(const char *path, const struct file_source *source, bool unpinned, struct inventory **out,
		struct problems *problems, struct err *err)
{
	struct inventory *inv = NEW(struct inventory);
	struct loading l = { .source = source, .inv = inv, .problems = problems, .unpinned = unpinned };
	struct documents docs = { 0 };
	char *absolute = path_absolute(path), *folder = file_dirname(absolute);
	int r;

	*out = NULL;
	l.store = inv->store = NEW(struct inventory_store);
	l.arena = &inv->store->arena;
	inv->path = arena_dup(l.arena, absolute);
	inv->folder = arena_dup(l.arena, folder);
	r = load_all(&l, &docs, inv->path, err);
	if (!r && problems->n + problems->dropped)
		r = err_set(err, E_INVAL, "%s: %zu problem%s", path, problems->n + problems->dropped,
			    problems->n + problems->dropped == 1 ? "" : "s");
	if (r) {
		inventory_free(inv);
	} else {
		inv->sha256 = revision(inv);
		*out = inv;
	}
	documents_release(&docs);
	loading_release(&l);
	free(absolute);
	free(folder);
	return r;
}

int inventory_load(const char *path, const struct file_source *source, struct inventory **out,
		   struct problems *problems, struct err *err)
{
	return load(path, source, false, out, problems, err);
}

int inventory_load_unpinned(const char *path, const struct file_source *source, struct inventory **out,
			    struct problems *problems, struct err *err)
{
	return load(path, source, true, out, problems, err);
}
