#include "inventory/loading.h"

#include "inventory/json_text.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>

const char *place_file(const struct place *place)
{
	while (place->up)
		place = place->up;
	return place->file;
}

static void add_token(struct buf *out, const char *key)
{
	for (; *key; key++) {
		if (*key == '~')
			buf_adds(out, "~0");
		else if (*key == '/')
			buf_adds(out, "~1");
		else
			buf_addc(out, (unsigned char)*key < 0x20 || *key == 0x7f ? '?' : *key);
	}
}

void place_pointer(const struct place *place, struct buf *out)
{
	if (!place->up)
		return;
	place_pointer(place->up, out);
	buf_addc(out, '/');
	if (place->key)
		add_token(out, place->key);
	else
		buf_addf(out, "%zu", place->index);
}

/* The nearest tenant and host above the place; a value that stands elsewhere is of those who take it. */
static char *subject_of(const struct loading *l, const struct place *place)
{
	const char *tenant = NULL, *host = NULL;

	for (; place; place = place->up) {
		if (!host && !tenant)
			host = place->host;
		if (!tenant)
			tenant = place->tenant;
	}
	if (!tenant) {
		tenant = l->tenant;
		host = host ? host : l->host;
	} else if (!host && l->tenant && strcmp(tenant, l->tenant) == 0) {
		host = l->host;
	}
	if (!tenant)
		return host ? str_fmt("host %s", host) : str_dup("");
	if (!*tenant)
		return str_dup("");
	return host ? str_fmt("tenant %s, host %s", tenant, host) : str_fmt("tenant %s", tenant);
}

/* Nothing that moves a terminal, and no half of a character where a long value was cut. */
static void printable(char *text)
{
	unsigned char *p = (unsigned char *)text, *end = p + strlen(text);

	while (p < end) {
		size_t len = utf8_len(p, end);
		bool control = *p < 0x20 || *p == 0x7f || (*p == 0xC2 && p[1] < 0xA0);
		for (size_t i = 0; (control || !len) && i < (len ? len : 1); i++)
			p[i] = '?';
		p += len ? len : 1;
	}
}

static void add(struct loading *l, struct problem problem)
{
	struct problems *all = l->problems;

	printable(problem.text);
	printable(problem.subject);
	GROW_FOR_ONE(all->at, all->n);
	all->at[all->n++] = problem;
}

bool problems_full(const struct loading *l)
{
	return l->problems->n == INVENTORY_PROBLEMS_MAX;
}

/* Was this said already? Whose it is does not count. */
static bool is_new(struct loading *l, const char *file, const char *pointer, const char *text)
{
	char *key = arena_fmt(&l->scratch, "%s\n%s\n%s", file, pointer, text);

	return names_add(&l->reported, key, key);
}

void problem_add(struct loading *l, const struct place *place, const char *fmt, ...)
{
	struct buf pointer = BUF_INIT, text = BUF_INIT;
	const char *file = place_file(place);
	va_list args;

	if (l->quiet)
		return;
	if (problems_full(l)) {
		l->problems->dropped++;
		return;
	}
	place_pointer(place, &pointer);
	va_start(args, fmt);
	buf_vaddf(&text, fmt, args);
	va_end(args);
	if (is_new(l, file, buf_str(&pointer), buf_str(&text)))
		add(l, (struct problem){ .file = str_dup(file),
					 .pointer = str_dup(buf_str(&pointer)),
					 .subject = subject_of(l, place),
					 .text = str_dup(buf_str(&text)) });
	buf_release(&pointer);
	buf_release(&text);
}

void problem_add_file(struct loading *l, const char *file, int line, int column, const char *text)
{
	if (problems_full(l))
		l->problems->dropped++;
	else if (is_new(l, file, "", text))
		add(l, (struct problem){ .file = str_dup(file),
					 .pointer = str_dup(""),
					 .subject = str_dup(""),
					 .text = str_dup(text),
					 .line = line,
					 .column = column });
}

void problem_excuse(struct loading *l, const json_t *object, const char *key)
{
	char *name = arena_fmt(&l->scratch, "%jx/%s", (uintmax_t)(uintptr_t)object, key);

	names_add(&l->excused, name, name);
}

bool problem_excused(const struct loading *l, const json_t *object, const char *key)
{
	char *name;
	bool there;

	if (l->excused.n == 0)
		return false;
	name = str_fmt("%jx/%s", (uintmax_t)(uintptr_t)object, key);
	there = names_get(&l->excused, name) != NULL;
	free(name);
	return there;
}

void problems_release(struct problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->at[i].file);
		free(p->at[i].pointer);
		free(p->at[i].subject);
		free(p->at[i].text);
	}
	free(p->at);
	*p = (struct problems){ 0 };
}

char *problem_format(const struct problem *p)
{
	if (p->line)
		return str_fmt("%s: line %d column %d: %s", p->file, p->line, p->column, p->text);
	if (!*p->pointer && !*p->subject)
		return str_fmt("%s: %s", p->file, p->text);
	if (!*p->subject)
		return str_fmt("%s: %s: %s", p->file, p->pointer, p->text);
	return str_fmt("%s: %s%s(%s): %s", p->file, p->pointer, *p->pointer ? " " : "", p->subject, p->text);
}
