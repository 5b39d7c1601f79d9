#include "tests/unit/edit/golden.h"
#include "tests/lib/unit.h"

#include "agents/edit/postfix_names.h"
#include "base/alloc.h"

#define NAME_OLD "relay.old.example"
#define NAME_NEW "relay.new.example"

static const char *const olds[] = { "relay2.old.example", NAME_OLD };
static const struct postfix_wanted wanted = { .old = olds, .old_n = 2, .new_name = NAME_NEW };

/* The text with the old names replaced where they are relays; `said` has a line for each place. */
static void replace(enum postfix_file kind, const char *text, size_t len, const struct postfix_wanted *w, struct buf *out, struct buf *said)
{
	struct postfix_names names;
	size_t at = 0;

	postfix_names_find(kind, text, len, w, &names);
	for (size_t i = 0; i < names.n; i++) {
		const struct postfix_name *name = &names.at[i];

		ck_assert_uint_ge(name->offset, at);
		ck_assert_uint_le(name->offset + name->len, len);
		buf_addf(said, "%ld %s %s%s%s\n", name->line, name->is_new ? "new" : "old", name->is_relay ? "relay" : "stray",
			 name->where[0] ? " " : "", name->where);
		buf_add(out, text + at, name->offset - at);
		if (name->is_relay && !name->is_new)
			buf_adds(out, NAME_NEW);
		else
			buf_add(out, text + name->offset, name->len);
		at = name->offset + name->len;
	}
	buf_add(out, text + at, len - at);
	postfix_names_release(&names);
}

static void one(enum postfix_file kind, const char *name, const struct buf *in)
{
	struct buf out = BUF_INIT, said = BUF_INIT;

	replace(kind, buf_str(in), in->len, &wanted, &out, &said);
	golden_same(name, ".want", buf_str(&said), said.len);
	golden_same(name, ".out", buf_str(&out), out.len);
	buf_release(&out);
	buf_release(&said);
}

static void one_main(const char *name, const struct buf *in)
{
	one(POSTFIX_MAIN, name, in);
}

static void one_master(const char *name, const struct buf *in)
{
	one(POSTFIX_MASTER, name, in);
}

static void one_table(const char *name, const struct buf *in)
{
	one(POSTFIX_TABLE, name, in);
}

static void one_patterns(const char *name, const struct buf *in)
{
	one(POSTFIX_PATTERNS, name, in);
}

START_TEST(test_golden)
{
	ck_assert_int_ge(golden_each("postfix", ".main", one_main), 8);
	ck_assert_int_ge(golden_each("postfix", ".master", one_master), 2);
	ck_assert_int_ge(golden_each("postfix", ".table", one_table), 2);
	ck_assert_int_ge(golden_each("postfix", ".patterns", one_patterns), 1);
}
END_TEST

/* ---- whole names ------------------------------------------------------------------------------------------------- */

static const struct {
	const char *value;
	bool found;
} values[] = {
	{ NAME_OLD, true },
	{ "[" NAME_OLD "]:587", true },
	{ "smtp:[RELAY.Old.Example]", true },
	{ "smtp:" NAME_OLD ":submission", true },
	{ NAME_OLD ".", true },
	{ NAME_OLD ",[" NAME_OLD "]", true },
	{ "x" NAME_OLD, false },
	{ "x." NAME_OLD, false },
	{ NAME_OLD ".x", false },
	{ NAME_OLD "x", false },
	{ "-" NAME_OLD, false },
	{ NAME_OLD "-x", false },
	{ "user@" NAME_OLD, false },
	{ "\xe3\x81\x82" NAME_OLD, false },
	{ "relay.old", false },
	{ "", false },
};

START_TEST(test_whole)
{
	char *text = str_fmt("relayhost = %s\n", values[_i].value);
	struct postfix_names names;

	postfix_names_find(POSTFIX_MAIN, text, strlen(text), &wanted, &names);
	ck_assert_msg((names.n > 0) == values[_i].found, "%s", values[_i].value);
	ck_assert_int_eq(postfix_mentions(values[_i].value, strlen(values[_i].value), &wanted), values[_i].found);
	postfix_names_release(&names);
	free(text);
}
END_TEST

START_TEST(test_mentions_in_a_pattern)
{
	const char *pattern = "/^\\[relay\\.old\\.example\\]$/";

	ck_assert(postfix_mentions(pattern, strlen(pattern), &wanted));
	ck_assert(!postfix_mentions(NAME_NEW, strlen(NAME_NEW), &wanted));
}
END_TEST

/* What master.cf refers to in main.cf is a relay as well. */
START_TEST(test_references_of_another_file)
{
	const char *text = "hes = [" NAME_OLD "]\nother = [" NAME_OLD "]\n", *master = "smtp unix - - n - - smtp\n  -o relayhost=${hes}\n";
	struct postfix_wanted w = wanted;
	struct postfix_names names;

	w.also = master;
	w.also_len = strlen(master);
	postfix_names_find(POSTFIX_MAIN, text, strlen(text), &w, &names);
	ck_assert_uint_eq(names.n, 2);
	ck_assert(names.at[0].is_relay);
	ck_assert(!names.at[1].is_relay);
	ck_assert_str_eq(names.at[1].where, "other");
	postfix_names_release(&names);
}
END_TEST

/* ---- properties -------------------------------------------------------------------------------------------------- */

static const char *const pieces[] = { NAME_OLD,   "[",  "]",	 ":25", " ", "\t",   "\n",	"\r\n",	 "#",	"relayhost", " = ",  "$hes", "hes",
				      "-o ", "{ ", " }", ", ",	 "/", "smtp", "transport", "\\",  "@",	NAME_NEW,	     "\n  ", "x",    "RELAY.NAME_OLD.EXAMPLE" };

static void random_text(struct buf *text)
{
	unsigned n = golden_random(40);

	for (unsigned i = 0; i < n; i++)
		buf_adds(text, pieces[golden_random(ARRAY_LEN(pieces))]);
}

/* A second replacement finds nothing, lines keep their number, and comments their bytes. */
START_TEST(test_random)
{
	for (int i = 0; i < 20000; i++) {
		enum postfix_file kind = (enum postfix_file)golden_random(4);
		struct buf text = BUF_INIT, out = BUF_INIT, again = BUF_INIT, said = BUF_INIT, more = BUF_INIT;

		random_text(&text);
		replace(kind, buf_str(&text), text.len, &wanted, &out, &said);
		replace(kind, buf_str(&out), out.len, &wanted, &again, &more);
		ck_assert_msg(buf_equals(&again, buf_str(&out), out.len), "%d:\n%s", kind, buf_str(&text));
		ck_assert_ptr_null(strstr(buf_str(&more), "old relay"));
		if (strstr(buf_str(&said), "old relay") == NULL)
			ck_assert(buf_equals(&out, buf_str(&text), text.len));
		buf_release(&text);
		buf_release(&out);
		buf_release(&again);
		buf_release(&said);
		buf_release(&more);
	}
}
END_TEST

/* As many references as a file can hold: what is not followed is no relay, and it does not take for ever. */
START_TEST(test_many_references)
{
	struct buf text = BUF_INIT;
	struct postfix_names names;

	buf_adds(&text, "relayhost = $n0\n");
	for (int i = 0; i < 30000; i++)
		buf_addf(&text, "n%d = $n%d\n", i + 1, i + 2);
	buf_adds(&text, "n30001 = " NAME_OLD "\nrelayhost = " NAME_OLD "\n");
	postfix_names_find(POSTFIX_MAIN, buf_str(&text), text.len, &wanted, &names);
	ck_assert_uint_eq(names.n, 2);
	ck_assert(!names.at[0].is_relay);
	ck_assert(names.at[1].is_relay);
	postfix_names_release(&names);
	buf_release(&text);
}
END_TEST

/* Each beginning is read to its end and not beyond. */
START_TEST(test_beginnings)
{
	static const char text[] = "a = ${b}\nrelayhost = [" NAME_OLD "]:25,\n # x\n  {" NAME_OLD "} = -o { relayhost = " NAME_OLD " }\n/a b/i smtp:" NAME_OLD;

	for (int kind = POSTFIX_MAIN; kind <= POSTFIX_PATTERNS; kind++) {
		for (size_t len = 0; len < sizeof(text); len++) {
			char *copy = mem_new(len + !len, 1);
			struct postfix_names names;

			memcpy(copy, text, len);
			postfix_names_find((enum postfix_file)kind, copy, len, &wanted, &names);
			postfix_names_release(&names);
			free(copy);
		}
	}
}
END_TEST

SUITE(postfix_names)
{
	TEST_CASE(s, test_golden);
	TEST_CASE_LOOP(s, test_whole, 0, ARRAY_LEN(values));
	TEST_CASE(s, test_mentions_in_a_pattern);
	TEST_CASE(s, test_references_of_another_file);
	TEST_CASE(s, test_random);
	TEST_CASE(s, test_many_references);
	TEST_CASE(s, test_beginnings);
}
