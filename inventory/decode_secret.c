/* Secret references and files of the model: placeholders, paths, and a look at key files: their mode, and whether they
   have a passphrase. */
#include "inventory/decode.h"

#include "inventory/documents.h"
#include "inventory/key_file.h"
#include "inventory/secret.h"
#include "inventory/shape.h"
#include "inventory/text_check.h"

#include "base/alloc.h"
#include "base/file.h"

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

/* A file that is no secret: it must be there. One look a file. */
static void look_at(struct loading *l, const struct found *found, const char *path)
{
	if (!l->source->is_disk || !names_add(&l->files, path, (void *)path))
		return;
	if (access(path, R_OK) < 0)
		problem_add(l, &found->place, "the file %s %s", path,
			    errno == ENOENT ? "does not exist" : "cannot be read");
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

struct secret_ref decode_identity(struct loading *l, const struct found *found, const char *tenant, const char *host)
{
	const char *text = json_string_value(found->value);
	struct secret_ref ref = { NULL };
	char *path;

	if (!text || check_text_identity(text, NULL) != 0)
		return ref;
	if (strncmp(text, "agent:", 6) != 0)
		return decode_secret(l, found, tenant, host);
	ref.text = fill(l, found, text, tenant, host);
	if (!ref.text || !ref.text[6] || strncmp(ref.text + 6, "SHA256:", 7) == 0)
		return ref;
	path = path_from(place_file(&found->layer->place), ref.text + 6);
	ref.text = arena_fmt(l->arena, "agent:%s", path);
	free(path);
	look_at(l, found, ref.text + 6);
	return ref;
}

void check_identity_unlocked(struct loading *l, const struct found *found, const struct secret_ref *identity)
{
	const char *path = identity->text + strlen("file:");
	struct buf bytes = BUF_INIT;

	if (strncmp(identity->text, "file:", strlen("file:")) != 0 || !l->source->is_disk ||
	    !names_add(&l->files, arena_fmt(&l->scratch, "passphrase of %s", path), (void *)path))
		return;
	if (file_read(path, KEY_FILE_MAX_BYTES, &bytes, NULL) == 0 && key_file_is_locked(buf_str(&bytes), bytes.len))
		problem_add(l, &found->place,
			    "the private key %s has a passphrase: say where that is by \"identity_passphrase\"", path);
	buf_release_secret(&bytes);
}

char *decode_file(struct loading *l, const struct found *found, bool look)
{
	const char *text = json_string_value(found->value);
	char *path, *kept;

	if (!text || !*text)
		return NULL;
	path = path_from(place_file(&found->layer->place), text);
	kept = arena_dup(l->arena, path);
	free(path);
	if (look)
		look_at(l, found, kept);
	return kept;
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
			const char *path = decode_file(l, &found, true);
			json_string_set(value, path ? path : "");
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
