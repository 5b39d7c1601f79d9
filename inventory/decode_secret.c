/* Secret references and files of the model: placeholders, paths, and a look at key files (their mode, never their
   content). */
#include "inventory/decode.h"

#include "inventory/documents.h"
#include "inventory/secret.h"
#include "inventory/shape.h"

#include "base/alloc.h"

#include <ctype.h>
#include <errno.h>
#include <unistd.h>

/* "{tenant}" and "{host}" filled in. Another word in braces is a mistake, except in a command, which may mean it. */
static char *fill(struct loading *l, const struct found *found, const char *text, const char *tenant, const char *host)
{
	struct buf out = BUF_INIT;
	char *filled;

	for (const char *p = text; *p;) {
		bool is_tenant = strncmp(p, "{tenant}", 8) == 0, is_host = strncmp(p, "{host}", 6) == 0;
		if ((is_tenant && !tenant) || (is_host && !host)) {
			problem_add(l, &found->place, "{%s} means nothing here: this secret belongs to no %s",
				    is_tenant ? "tenant" : "host", is_tenant ? "tenant" : "host");
			buf_release(&out);
			return NULL;
		}
		if (is_tenant || is_host) {
			buf_adds(&out, is_tenant ? tenant : host);
			p += is_tenant ? 8 : 6;
			continue;
		}
		if (*p == '{' && isalpha((unsigned char)p[1]) && strncmp(text, "command:", 8) != 0)
			problem_add(l, &found->place,
				    "only {tenant} and {host} are filled in; there is another word in braces");
		buf_addc(&out, *p++);
	}
	filled = arena_dup(l->arena, buf_str(&out));
	buf_release(&out);
	return filled;
}

/* One look a file. */
static void check_file(struct loading *l, const struct found *found, const char *path)
{
	struct err err = { 0 };

	if (!l->source->is_disk || !names_add(&l->files, path, (void *)path))
		return;
	if (secret_check_file(path, &err) != 0)
		problem_add(l, &found->place, "%s", err.text);
}

struct secret_ref decode_secret(struct loading *l, const struct found *found, const char *tenant, const char *host)
{
	const char *text = json_string_value(found->value);
	struct secret_ref ref = { NULL };
	char *path;

	if (!text || secret_check(text, NULL) != 0)
		return ref;
	ref.text = fill(l, found, text, tenant, host);
	if (!ref.text || strncmp(ref.text, "file:", 5) != 0)
		return ref;
	path = path_from(place_file(&found->layer->place), ref.text + 5);
	ref.text = arena_fmt(l->arena, "file:%s", path);
	free(path);
	check_file(l, found, ref.text + 5);
	return ref;
}

/* A file that is only read later must be there now. */
static char *worked_out_path(struct loading *l, const struct found *found)
{
	char *path = path_from(place_file(&found->layer->place), json_string_value(found->value));
	char *name = arena_dup(l->arena, path);

	if (l->source->is_disk && names_add(&l->files, name, name) && access(path, R_OK) < 0)
		problem_add(l, &found->place, "the file %s %s", path, errno == ENOENT ? "does not exist" : "cannot be read");
	return path;
}

/* The object's own secrets and paths, and those of the objects in it. The values are replaced in a copy. */
static void fill_object(struct loading *l, const struct layer *layer, const struct shape *shape, json_t *copy,
			const char *tenant)
{
	const char *name;
	json_t *value;

	json_object_foreach(copy, name, value) {
		const struct key *key = shape_key(shape, name);
		struct found found = { value, layer, place_key(&layer->place, name) };
		if (key && key->kind == VALUE_OBJECT && json_is_object(value)) {
			struct layer below = { value, found.place, layer->label };
			fill_object(l, &below, key->shape, value, tenant);
		} else if (key && key->flags & KEY_SECRET) {
			struct secret_ref ref = decode_secret(l, &found, tenant, NULL);
			if (ref.text)
				json_string_set(value, ref.text);
		} else if (key && key->flags & KEY_PATH && json_is_string(value)) {
			char *path = worked_out_path(l, &found);
			json_string_set(value, path);
			free(path);
		}
	}
}

/* Is there a reference in it that is not yet what the model holds? Most are: copying ten thousand objects for nothing
   would be half of the load. */
static bool needs_filling(const struct shape *shape, json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) {
		const struct key *key = shape_key(shape, name);
		const char *text = json_string_value(value);
		if (key && key->kind == VALUE_OBJECT && needs_filling(key->shape, value))
			return true;
		if (key && key->flags & KEY_PATH)
			return true;
		if (key && key->flags & KEY_SECRET && text && (strncmp(text, "file:", 5) == 0 || strchr(text, '{')))
			return true;
	}
	return false;
}

json_t *decode_with_secrets(struct loading *l, const struct layer *layer, const struct shape *shape, json_t *object,
			    const char *tenant)
{
	json_t *copy;

	if (!needs_filling(shape, object))
		return json_incref(object);
	copy = json_deep_copy(object);
	fill_object(l, layer, shape, copy, tenant);
	return copy;
}
