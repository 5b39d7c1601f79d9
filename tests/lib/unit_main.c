#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITES_MAX 64

static struct {
	const char *name;
	void (*fill)(Suite *);
} suites[SUITES_MAX];
static int suites_n;

void unit_register(const char *name, void (*fill)(Suite *))
{
	if (suites_n == SUITES_MAX)
		abort();
	suites[suites_n].name = name;
	suites[suites_n++].fill = fill;
}

/* unit_LAYER [SUITE]: runs all suites, or the one named. Fails where none was run. */
int main(int argc, char **argv)
{
	SRunner *runner = NULL;
	int failed, ran;

	for (int i = 0; i < suites_n; i++) {
		if (argc > 1 && strcmp(argv[1], suites[i].name) != 0)
			continue;
		Suite *s = suite_create(suites[i].name);
		suites[i].fill(s);
		if (runner)
			srunner_add_suite(runner, s);
		else
			runner = srunner_create(s);
	}
	if (!runner) {
		fprintf(stderr, "no suite ran\n");
		return 1;
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	ran = srunner_ntests_run(runner);
	srunner_free(runner);
	return failed || !ran ? 1 : 0;
}
