#include "tests/unit/inventory/fixture.h"

#include "inventory/suggest.h"

#include "base/alloc.h"

START_TEST(test_distance)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} rows[] = {
		{ "", "", 0 },
		{ "a", "", 1 },
		{ "address", "adress", 1 },
		{ "windows", "widnows", 1 },
		{ "new-fqdn", "new_fqdn", 0 },
		{ "OS", "os", 0 },
		{ "kitten", "sitting", 3 },
		{ "ab", "ba", 1 },
		{ "abc", "cab", 2 },
		{ "port", "user", 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_uint_eq(edit_distance(rows[i].a, rows[i].b, 10), rows[i].distance);
		ck_assert_uint_eq(edit_distance(rows[i].b, rows[i].a, 10), rows[i].distance);
	}
	ck_assert_uint_gt(edit_distance("a", "abcdef", 2), 2);
}
END_TEST

/* A word with one random edit; never the word itself. */
static void mistype(const char *word, char out[80])
{
	size_t len = strlen(word), at = (size_t)rand() % len;
	char letter = (char)('a' + rand() % 26);

	switch (rand() % 4) {
	case 0: /* left out */
		snprintf(out, 80, "%.*s%s", (int)at, word, word + at + 1);
		return;
	case 1: /* doubled or put in */
		snprintf(out, 80, "%.*s%c%s", (int)at, word, letter, word + at);
		return;
	case 2: /* another letter */
		snprintf(out, 80, "%.*s%c%s", (int)at, word, letter, word + at + 1);
		return;
	case 3: /* swapped */
		at = at + 1 < len ? at : 0;
		snprintf(out, 80, "%.*s%c%c%s", (int)at, word, word[at + 1], word[at], word + at + 2);
		return;
	}
}

/* One edit away is distance one at most, and the suggestion is no farther away than the word that was meant. */
START_TEST(test_one_edit)
{
	static const char *const words[] = { "address",  "agents",      "windows",    "migration_date",
					     "host_key", "known_hosts", "identity",   "new_fqdn",
					     "retry",    "thresholds",  "web_service" };

	srand(7);
	for (int i = 0; i < 20000; i++) {
		const char *word = words[(size_t)rand() % ARRAY_LEN(words)], *best;
		char typed[80];
		mistype(word, typed);
		ck_assert_msg(edit_distance(word, typed, 9) <= 1, "%s %s", word, typed);
		best = suggest(typed, words, ARRAY_LEN(words));
		ck_assert_msg(best && edit_distance(best, typed, 9) <= 1, "%s for %s", best ? best : "nothing", typed);
	}
}
END_TEST

/* The distance is a metric on words without swaps: triangle inequality on random short words. */
START_TEST(test_triangle)
{
	srand(11);
	for (int i = 0; i < 20000; i++) {
		char w[3][8];
		for (int j = 0; j < 3; j++) {
			int len = rand() % 7;
			for (int k = 0; k < len; k++)
				w[j][k] = (char)('a' + rand() % 2 + (k % 2) * 2); /* neighbours differ: no swap helps */
			w[j][len] = '\0';
		}
		ck_assert_uint_le(edit_distance(w[0], w[2], 20),
				  edit_distance(w[0], w[1], 20) + edit_distance(w[1], w[2], 20));
		ck_assert_uint_eq(edit_distance(w[0], w[1], 20), edit_distance(w[1], w[0], 20));
	}
}
END_TEST

START_TEST(test_far_words)
{
	static const char *const words[] = { "os", "port", "address" };
	char longest[100];

	ck_assert_ptr_null(suggest("colour", words, ARRAY_LEN(words)));
	ck_assert_ptr_null(suggest("", words, ARRAY_LEN(words)));
	ck_assert_ptr_null(suggest("xy", words, ARRAY_LEN(words)));
	ck_assert_str_eq(suggest("ox", words, ARRAY_LEN(words)), "os");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_ptr_null(suggest(longest, words, ARRAY_LEN(words)));
}
END_TEST

SUITE(suggest)
{
	TEST_CASE(s, test_distance);
	TEST_CASE(s, test_one_edit);
	TEST_CASE(s, test_triangle);
	TEST_CASE(s, test_far_words);
}
