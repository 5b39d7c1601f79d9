#include "agents/firewall/ranges.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ranges_release(struct ranges *r)
{
	free(r->at);
	*r = (struct ranges){ 0 };
}

/* The new content of a set that is being made from the left to the right. */
static void append(struct ranges *r, uint64_t from, uint64_t end)
{
	if (from >= end)
		return;
	if (r->n && from <= r->at[r->n - 1].end) {
		if (end > r->at[r->n - 1].end)
			r->at[r->n - 1].end = end;
		return;
	}
	GROW_FOR_ONE(r->at, r->n);
	r->at[r->n++] = (struct range){ from, end };
}

static void replace(struct ranges *r, struct ranges with)
{
	free(r->at);
	*r = with;
}

static int by_from(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

void ranges_of(struct ranges *r, struct range *list, size_t n)
{
	struct ranges made = { 0 };

	if (n)
		qsort(list, n, sizeof(*list), by_from);
	for (size_t i = 0; i < n; i++)
		append(&made, list[i].from, list[i].end);
	replace(r, made);
}

void ranges_one(struct ranges *r, uint64_t from, uint64_t end)
{
	struct ranges made = { 0 };

	append(&made, from, end);
	replace(r, made);
}

void ranges_copy(struct ranges *to, const struct ranges *from)
{
	struct ranges made = { 0 };

	for (size_t i = 0; i < from->n; i++)
		append(&made, from->at[i].from, from->at[i].end);
	replace(to, made);
}

void ranges_or(struct ranges *r, const struct ranges *with)
{
	struct ranges made = { 0 };
	size_t i = 0, k = 0;

	while (i < r->n || k < with->n) {
		bool ours = k == with->n || (i < r->n && r->at[i].from <= with->at[k].from);
		const struct range *next = ours ? &r->at[i++] : &with->at[k++];
		append(&made, next->from, next->end);
	}
	replace(r, made);
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void ranges_and(struct ranges *r, const struct ranges *with)
{
	struct ranges made = { 0 };
	size_t i = 0, k = 0;

	while (i < r->n && k < with->n) {
		const struct range *a = &r->at[i], *b = &with->at[k];
		append(&made, later(a->from, b->from), earlier(a->end, b->end));
		if (a->end < b->end)
			i++;
		else
			k++;
	}
	replace(r, made);
}

void ranges_minus(struct ranges *r, const struct ranges *with)
{
	struct ranges made = { 0 };
	size_t k = 0;

	for (size_t i = 0; i < r->n; i++) {
		uint64_t from = r->at[i].from, end = r->at[i].end;
		while (k < with->n && with->at[k].end <= from)
			k++;
		for (size_t j = k; j < with->n && with->at[j].from < end; j++) {
			append(&made, from, with->at[j].from);
			from = with->at[j].end;
		}
		append(&made, from, end);
	}
	replace(r, made);
}

bool ranges_has(const struct ranges *r, uint64_t number)
{
	struct ranges one = { .at = &(struct range){ number, number + 1 }, .n = 1 };

	return ranges_meet(r, &one);
}

bool ranges_meet(const struct ranges *a, const struct ranges *b)
{
	size_t i = 0, k = 0;

	while (i < a->n && k < b->n) {
		if (a->at[i].end <= b->at[k].from)
			i++;
		else if (b->at[k].end <= a->at[i].from)
			k++;
		else
			return true;
	}
	return false;
}

bool ranges_within(const struct ranges *r, const struct ranges *outer)
{
	size_t k = 0;

	for (size_t i = 0; i < r->n; i++) {
		while (k < outer->n && outer->at[k].end < r->at[i].end)
			k++;
		if (k == outer->n || outer->at[k].from > r->at[i].from)
			return false;
	}
	return true;
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

/* inet_pton: four decimal numbers and nothing else; inet_aton's shorthands mean other addresses to other programs. */
static bool address(const char *text, size_t len, uint64_t *out)
{
	char copy[INET_ADDRSTRLEN];
	struct in_addr in;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	if (inet_pton(AF_INET, copy, &in) != 1)
		return false;
	*out = ntohl(in.s_addr);
	return true;
}

/* The number of addresses of a prefix, by its length or its mask; 0: neither. */
static uint64_t prefix_size(const char *text)
{
	uint64_t mask, size;
	char *end;

	if (address(text, strlen(text), &mask)) {
		size = ADDRESSES_END - mask;
		return (size & (size - 1)) == 0 ? size : 0;
	}
	if (text[0] < '0' || text[0] > '9' || strlen(text) > 2)
		return 0;
	unsigned long length = strtoul(text, &end, 10);
	return *end || length > 32 ? 0 : ADDRESSES_END >> length;
}

int range_parse(struct range *out, const char *text, struct err *err)
{
	size_t len = strcspn(text, "/-");
	uint64_t first, last, size;

	if (!address(text, len, &first))
		goto bad;
	if (!text[len]) {
		*out = (struct range){ first, first + 1 };
	} else if (text[len] == '-') {
		if (!address(text + len + 1, strlen(text + len + 1), &last) || last < first)
			goto bad;
		*out = (struct range){ first, last + 1 };
	} else {
		size = prefix_size(text + len + 1);
		if (!size)
			goto bad;
		first -= first % size;
		*out = (struct range){ first, first + size };
	}
	return 0;
bad:
	return err_set(err, E_INVAL, "\"%s\" is no IPv4 address, prefix or range", text);
}

/* The largest prefix that begins at `from` and ends at `end` or before. */
static int prefix_length(uint64_t from, uint64_t end)
{
	int length = 32;

	while (length > 0 && from % (ADDRESSES_END >> (length - 1)) == 0 && from + (ADDRESSES_END >> (length - 1)) <= end)
		length--;
	return length;
}

static void show_prefix(struct buf *out, uint64_t from, int length)
{
	buf_addf(out, "%s%u.%u.%u.%u", out->len ? ", " : "", (unsigned)(from >> 24), (unsigned)(from >> 16 & 255),
		 (unsigned)(from >> 8 & 255), (unsigned)(from & 255));
	if (length < 32)
		buf_addf(out, "/%d", length);
}

size_t ranges_show(const struct ranges *r, struct buf *out, size_t max)
{
	struct buf text = BUF_INIT;
	size_t shown = 0, all = 0;

	for (size_t i = 0; i < r->n; i++)
		for (uint64_t from = r->at[i].from; from < r->at[i].end; all++) {
			int length = prefix_length(from, r->at[i].end);
			if (shown < max) {
				show_prefix(&text, from, length);
				shown++;
			}
			from += ADDRESSES_END >> length;
		}
	buf_adds(out, all ? buf_str(&text) : "none");
	if (all > shown)
		buf_addf(out, " and %zu more", all - shown);
	buf_release(&text);
	return all - shown;
}
