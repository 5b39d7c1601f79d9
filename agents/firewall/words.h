/*
 * The words of a line of iptables-save or ipset save: blanks between them; "…" keeps blanks, \" and \\ inside it are the
 * characters themselves (iptables 1.8.9, xtables_save_string). Pure.
 */
#ifndef AGENTS_FIREWALL_WORDS_H
#define AGENTS_FIREWALL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
	char **at;
	size_t n;
	bool open; /* a quote is not closed */
};

void words_split(struct words *w, const char *line, size_t len);
void words_release(struct words *w);

/* "" where there is none. */
const char *words_at(const struct words *w, size_t i);

#endif
