/* The tables of shapes.c are sorted, and the JSON Schemas have the same keys: an editor and the loader know the same.
 */
#include "tests/unit/inventory/fixture.h"

#include "inventory/shape.h"

#include "base/alloc.h"

static const struct shape *const all[] = { &shape_root,     &shape_include,     &shape_tenant,      &shape_host,
					   &shape_defaults, &shape_wave,        &shape_template,    &shape_bastion,
					   &shape_domain,   &shape_dns,         &shape_web_service, &shape_agent_use,
					   &shape_new_fqdn, &shape_via_command, &shape_procedure,   &shape_profile };

static void check_sorted(const struct shape *shape, int depth)
{
	for (size_t i = 0; i < SHAPE_TABLES_MAX && shape->tables[i].keys; i++) {
		const struct key_table *t = &shape->tables[i];
		for (size_t j = 0; j < t->n; j++) {
			ck_assert_msg(j == 0 || strcmp(t->keys[j - 1].name, t->keys[j].name) < 0, "%s: %s", shape->what,
				      t->keys[j].name);
			ck_assert_ptr_eq(shape_key(shape, t->keys[j].name), &t->keys[j]);
			if (t->keys[j].shape && depth)
				check_sorted(t->keys[j].shape, depth - 1);
		}
	}
	ck_assert_ptr_null(shape_key(shape, "no such key"));
}

START_TEST(test_sorted)
{
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		check_sorted(all[i], 8);
}
END_TEST

static json_t *schema_of(const char *name)
{
	char *path = str_fmt(SOURCE_DIR "/schema/%s.v1.schema.json", name);
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);

	ck_assert_msg(root != NULL, "%s", path);
	free(path);
	return root;
}

/* The schema behind "$ref" and "allOf". */
static json_t *followed(json_t *schema, json_t *value)
{
	const char *ref = json_string_value(json_object_get(value, "$ref"));
	json_t *all_of = json_object_get(value, "allOf");

	if (ref)
		return followed(schema, json_object_get(json_object_get(schema, "definitions"),
							ref + strlen("#/definitions/")));
	if (json_array_size(all_of) == 1)
		return followed(schema, json_array_get(all_of, 0));
	return value;
}

static json_t *below(json_t *schema, const struct key *key, json_t *value)
{
	value = followed(schema, value);
	if (key->kind == VALUE_OBJECTS)
		return followed(schema, json_object_get(value, "items"));
	if (key->kind == VALUE_MAP)
		return followed(schema, json_object_get(value, "additionalProperties"));
	return value;
}

static void compare(json_t *schema, const struct shape *shape, json_t *object, int depth)
{
	json_t *properties = json_object_get(object, "properties"), *required = json_object_get(object, "required"),
	       *value;
	const char *name;
	size_t keys = 0, must = 0;

	if (shape->open)
		return;
	ck_assert_msg(json_is_object(properties), "%s has no properties in the schema", shape->what);
	ck_assert_msg(json_is_false(json_object_get(object, "additionalProperties")), "%s takes any key in the schema",
		      shape->what);
	for (size_t i = 0; i < SHAPE_TABLES_MAX && shape->tables[i].keys; i++) {
		for (size_t j = 0; j < shape->tables[i].n; j++, keys++) {
			const struct key *key = &shape->tables[i].keys[j];
			value = json_object_get(properties, key->name);
			ck_assert_msg(value != NULL, "%s: the schema lacks \"%s\"", shape->what, key->name);
			must += key->flags & KEY_REQUIRED;
			if (key->shape && depth)
				compare(schema, key->shape, below(schema, key, value), depth - 1);
		}
	}
	json_object_foreach(properties, name, value)
		ck_assert_msg(shape_key(shape, name) != NULL, "%s: the loader lacks \"%s\"", shape->what, name);
	ck_assert_msg(json_array_size(required) == must, "%s: %zu keys are required, in the schema %zu", shape->what,
		      must, json_array_size(required));
	ck_assert_uint_gt(keys, 0);
}

START_TEST(test_schema)
{
	static const struct {
		const char *schema, *definition;
		const struct shape *shape;
	} rows[] = {
		{ "inventory", "root", &shape_root },     { "inventory", "included", &shape_include },
		{ "inventory", "tenant", &shape_tenant }, { "inventory", "defaults", &shape_defaults },
		{ "inventory", "wave", &shape_wave },     { "inventory", "template", &shape_template },
		{ "inventory", "host", &shape_host },     { "inventory", "bastion", &shape_bastion },
		{ "procedure", NULL, &shape_procedure },  { "profile", NULL, &shape_profile },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *schema = schema_of(rows[i].schema);
		json_t *object = rows[i].definition
					 ? json_object_get(json_object_get(schema, "definitions"), rows[i].definition)
					 : schema;
		compare(schema, rows[i].shape, object, 8);
		json_decref(schema);
	}
}
END_TEST

/* Ranges and words are the same numbers and words. */
static void compare_row(json_t *schema, const struct key *key, json_t *value, const char *what)
{
	json_t *words = json_object_get(value, "enum");

	value = followed(schema, value);
	words = json_object_get(json_object_get(value, "items") ? followed(schema, json_object_get(value, "items"))
								: value,
				"enum");
	if (key->kind == VALUE_INT || key->kind == VALUE_NUMBER) {
		ck_assert_msg(json_number_value(json_object_get(value, "minimum")) == key->min &&
				      json_number_value(json_object_get(value, "maximum")) == key->max,
			      "%s.%s: other limits in the schema", what, key->name);
	}
	for (size_t i = 0; key->words && key->words[i]; i++)
		ck_assert_msg(json_is_string(json_array_get(words, i)) &&
				      strcmp(json_string_value(json_array_get(words, i)), key->words[i]) == 0 &&
				      (key->words[i + 1] || json_array_size(words) == i + 1),
			      "%s.%s: other words in the schema", what, key->name);
}

static void compare_rows(json_t *schema, const struct shape *shape, json_t *object, int depth)
{
	for (size_t i = 0; !shape->open && i < SHAPE_TABLES_MAX && shape->tables[i].keys; i++) {
		for (size_t j = 0; j < shape->tables[i].n; j++) {
			const struct key *key = &shape->tables[i].keys[j];
			json_t *value = json_object_get(json_object_get(object, "properties"), key->name);
			compare_row(schema, key, value, shape->what);
			if (key->shape && depth)
				compare_rows(schema, key->shape, below(schema, key, value), depth - 1);
		}
	}
}

START_TEST(test_schema_limits)
{
	json_t *schema = schema_of("inventory");
	json_t *definitions = json_object_get(schema, "definitions");

	compare_rows(schema, &shape_root, json_object_get(definitions, "root"), 8);
	json_decref(schema);
}
END_TEST

SUITE(shapes)
{
	TEST_CASE(s, test_sorted);
	TEST_CASE(s, test_schema);
	TEST_CASE(s, test_schema_limits);
}
