#include "agents/win_tasklist.h"

#include "agents/win_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The field in quotes that begins at *from; names of programs hold no quotes. */
static bool field(const char **from, const char *end, const char **value, size_t *len)
{
	const char *close;

	if (*from >= end || **from != '"')
		return false;
	close = memchr(*from + 1, '"', (size_t)(end - *from - 1));
	if (!close)
		return false;
	*value = *from + 1;
	*len = (size_t)(close - *value);
	*from = close + 1;
	return true;
}

static bool number(const char *value, size_t len, uint32_t *out)
{
	char digits[16], *rest;
	unsigned long long n;

	if (!len || len >= sizeof(digits) || value[0] < '0' || value[0] > '9')
		return false;
	memcpy(digits, value, len);
	digits[len] = '\0';
	n = strtoull(digits, &rest, 10);
	*out = (uint32_t)n;
	return !*rest && n <= UINT32_MAX;
}

bool tasklist_next(const char *text, size_t len, size_t *at, struct tasklist_process *out)
{
	const char *line, *value;
	size_t line_len, value_len;

	while (win_line(text, len, at, &line, &line_len)) {
		const char *from = line, *end = line + line_len;

		if (!field(&from, end, &value, &value_len))
			continue;
		snprintf(out->name, sizeof(out->name), "%.*s",
			 (int)(value_len < TASK_NAME_MAX ? value_len : TASK_NAME_MAX - 1), value);
		if (from < end && *from == ',')
			from++;
		if (field(&from, end, &value, &value_len) && number(value, value_len, &out->pid))
			return true;
	}
	return false;
}
