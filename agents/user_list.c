#include "agents/user_list.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LOCAL_MAX 128

/* ---- the text, with every "@" as itself ------------------------------------------------------------------------- */

static size_t at_sign(const char *text, size_t len)
{
	static const char *const forms[] = { "&#64;", "&#x40;", "%40", "\\u0040" };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (strlen(forms[i]) <= len && strncasecmp(text, forms[i], strlen(forms[i])) == 0)
			return strlen(forms[i]);
	return 0;
}

/* The byte order mark of UTF-8 or UTF-16. */
static size_t mark_len(const char *body, size_t len)
{
	if (len >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0)
		return 3;
	return len >= 2 && (memcmp(body, "\xff\xfe", 2) == 0 || memcmp(body, "\xfe\xff", 2) == 0) ? 2 : 0;
}

static char *plain_text(const char *body, size_t len, size_t *out_len)
{
	char *text = mem_new(len + 1, 1);
	size_t n = 0;

	for (size_t i = mark_len(body, len); i < len;) {
		size_t form = strchr("&%\\", body[i]) && body[i] ? at_sign(body + i, len - i) : 0;
		if (form)
			text[n++] = '@';
		else if (body[i])
			text[n++] = (char)tolower((unsigned char)body[i]);
		i += form ? form : 1;
	}
	*out_len = n;
	return text;
}

/* ---- addresses -------------------------------------------------------------------------------------------------- */

/* RFC 5322's atext without what stands around addresses in lists: / = { | } & ` */
static bool is_local(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || (c && strchr(".!#$%*+?^_~'-", c));
}

/* Behind the "@": is it the domain, and not a longer one? */
static bool is_domain(const char *at, const char *end, const char *domain)
{
	size_t len = strlen(domain);
	const char *behind = at + len;

	if ((size_t)(end - at) < len || strncasecmp(at, domain, len) != 0)
		return false;
	if (behind < end && *behind == '.')
		behind++;
	return behind == end || !(isalnum((unsigned char)*behind) || *behind == '-' || (unsigned char)*behind >= 0x80);
}

/* The beginning of the local part before the "@"; NULL: there is none. */
static const char *local_part(const char *text, const char *at)
{
	const char *start = at;

	while (start > text && is_local(start[-1]) && at - start < LOCAL_MAX)
		start--;
	while (start < at && (*start == '.' || *start == '\''))
		start++;
	return start < at ? start : NULL;
}

struct addresses {
	char **at;
	size_t n;
};

static void collect(const char *text, size_t len, const char *domain, struct addresses *out)
{
	const char *end = text + len;

	for (const char *at = text; (at = memchr(at, '@', (size_t)(end - at))); at++) {
		const char *start = local_part(text, at);
		if (!start || !is_domain(at + 1, end, domain))
			continue;
		GROW_FOR_ONE(out->at, out->n);
		out->at[out->n++] = str_ndup(start, (size_t)(at - start));
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void count(struct addresses *list, const char *domain, struct user_list *out)
{
	struct buf lines = BUF_INIT;

	if (list->n)
		qsort(list->at, list->n, sizeof(*list->at), by_text);
	for (size_t i = 0; i < list->n; i++) {
		if (i && strcmp(list->at[i], list->at[i - 1]) == 0)
			continue;
		out->n++;
		buf_addf(&lines, "%s@%s\n", list->at[i], domain);
	}
	sha256_hex(buf_str(&lines), lines.len, out->sha256);
	buf_release_secret(&lines);
	for (size_t i = 0; i < list->n; i++)
		str_free_secret(list->at[i]);
	free(list->at);
}

/* ---- the list --------------------------------------------------------------------------------------------------- */

static bool is_page(const char *text, size_t len)
{
	static const char *const begins[] = { "<!doctype html", "<html" };

	while (len && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (len >= strlen(begins[i]) && memcmp(text, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isspace((unsigned char)text[i]))
			return false;
	return true;
}

void user_list_read(const char *body, size_t len, const char *domain, struct user_list *out)
{
	struct addresses list = { 0 };
	size_t text_len;
	char *text = plain_text(body, len, &text_len);

	*out = (struct user_list){ .kind = USER_LIST_COUNTED };
	if (is_page(text, text_len))
		out->kind = USER_LIST_PAGE;
	else
		collect(text, text_len, domain, &list);
	count(&list, domain, out);
	if (out->kind == USER_LIST_COUNTED && !out->n && !is_blank(text, text_len))
		out->kind = USER_LIST_NONE;
	mem_free_secret(text, text_len);
}
