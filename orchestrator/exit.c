#include "exit.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stdbool.h>

/* In the order of precedence: the first that applies wins. */
static const struct {
	int code;
	const char *meaning;
} table[] = {
	{ EXIT_BUG, "a fault of the program itself" },
	{ EXIT_USAGE, "bad usage, or a bad inventory, plan or state file" },
	{ EXIT_LOCKED, "another controller holds the state file" },
	{ EXIT_STOPPED, "stopped by the operator; resume goes on" },
	{ EXIT_THRESHOLD, "stopped by a failure threshold" },
	{ EXIT_FAILED, "at least one target failed, drifted, is unreachable, indeterminate or was rolled back" },
	{ EXIT_WAITING, "nothing failed, work is left that has to wait" },
	{ EXIT_PERSON, "nothing failed, a person is waited for" },
	{ EXIT_CHANGES, "plan --detailed-exitcode: there are changes to make" },
	{ EXIT_DONE, "all that was asked is done and verified" },
};

static size_t rank(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].code == code)
			return i;
	return 0; /* no exit code: the same as a fault */
}

int exit_worst(const int *codes, size_t n)
{
	size_t worst = rank(EXIT_DONE);

	for (size_t i = 0; i < n; i++)
		if (rank(codes[i]) < worst)
			worst = rank(codes[i]);
	return table[worst].code;
}

int exit_for(int err_code)
{
	if (err_code == 0)
		return EXIT_DONE;
	if (err_code == E_LOCKED)
		return EXIT_LOCKED;
	if (err_code == E_CANCELED)
		return EXIT_STOPPED;
	return err_code == E_BUG ? EXIT_BUG : EXIT_USAGE;
}

const char *exit_meaning(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].code == code)
			return table[i].meaning;
	return NULL;
}
