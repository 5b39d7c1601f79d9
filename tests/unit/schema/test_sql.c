#include "tests/lib/unit.h"

#include "base/embed.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

extern const struct embedded embedded_schema[];

/* 0001_…, 0002_…: no gap, in order, and nothing else in the folder. */
START_TEST(test_numbered)
{
	int n = 0;

	for (const struct embedded *file = embedded_schema; file->name; file++) {
		char prefix[16];
		snprintf(prefix, sizeof(prefix), "%04d_", ++n);
		ck_assert_msg(strncmp(file->name, prefix, strlen(prefix)) == 0, "%s should begin with %s", file->name,
			      prefix);
		ck_assert_uint_eq(strlen(file->data), file->len);
	}
	ck_assert_int_ge(n, 1);
}
END_TEST

/* Each column of each table has a comment on its line. */
START_TEST(test_columns_are_explained)
{
	int columns = 0;

	for (const struct embedded *file = embedded_schema; file->name; file++) {
		bool in_table = false;
		for (const char *line = file->data; *line; line += strcspn(line, "\n"), line += *line == '\n') {
			size_t len = strcspn(line, "\n");
			if (strncmp(line, "CREATE TABLE", 12) == 0)
				in_table = true;
			else if (line[0] == ')')
				in_table = false;
			else if (in_table && line[0] == '\t' && islower((unsigned char)line[1])) {
				columns++;
				ck_assert_msg(memmem(line, len, "-- ", 3) != NULL, "%s: %.*s", file->name, (int)len,
					      line);
			}
		}
	}
	ck_assert_int_gt(columns, 20);
}
END_TEST

SUITE(sql)
{
	TEST_CASE(s, test_numbered);
	TEST_CASE(s, test_columns_are_explained);
}
