/* A tenant that is not in the state file is mostly a typing mistake: the names that are near are told. */
#include "report/model.h"

#include "base/alloc.h"
#include "base/map.h"

#define NEAR_MAX 3

struct names {
	struct map seen;
	const char *asked;
	const char *near[NEAR_MAX]; /* nearest first */
	size_t distance[NEAR_MAX];
	size_t near_n, all;
};

/* Levenshtein's distance; names longer than the row do not count as near. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(b), row[129];

	if (strlen(a) > 128 || n > 128)
		return 256;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static void consider(struct names *n, const char *name)
{
	size_t d = distance(n->asked, name), at;

	if (d > 2 && strncmp(name, n->asked, strlen(n->asked)) != 0)
		return;
	for (at = 0; at < n->near_n && n->distance[at] <= d; at++)
		;
	if (at == NEAR_MAX)
		return;
	for (size_t i = n->near_n < NEAR_MAX ? n->near_n++ : NEAR_MAX - 1; i > at; i--) {
		n->near[i] = n->near[i - 1];
		n->distance[i] = n->distance[i - 1];
	}
	n->near[at] = name;
	n->distance[at] = d;
}

static int look(const struct journal_entry *e, void *arg)
{
	struct names *n = arg;

	if (*e->tenant)
		map_set(&n->seen, e->tenant, n);
	return 0;
}

int tenant_unknown(struct journal_reader *reader, const char *tenant, struct err *err)
{
	struct names n = { .asked = tenant };
	struct buf text = BUF_INIT;
	int rc = journal_read(reader, NULL, 0, look, &n, err);

	if (rc < 0)
		goto out;
	for (size_t i = 0; i < n.seen.cap; i++)
		if (n.seen.slots[i].key)
			consider(&n, n.seen.slots[i].key);
	for (size_t i = 0; i < n.near_n; i++)
		buf_addf(&text, "%s\"%s\"", i ? " or " : ", did you mean ", n.near[i]);
	rc = err_set(err, E_NOTFOUND, "the state file knows no tenant \"%s\" (it has %zu)%s%s", tenant, n.seen.n,
		     buf_str(&text), n.near_n ? "?" : "");
out:
	map_release(&n.seen);
	buf_release(&text);
	return rc;
}
