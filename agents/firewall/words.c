#include "agents/firewall/words.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <stdlib.h>

/* One word from *i on, without its quotes. */
static void one(struct buf *out, const char *line, size_t len, size_t *i, bool *open)
{
	bool quoted = false;

	for (; *i < len && (quoted || (line[*i] != ' ' && line[*i] != '\t')); (*i)++) {
		if (line[*i] == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && line[*i] == '\\' && *i + 1 < len)
			(*i)++;
		buf_addc(out, line[*i]);
	}
	*open = quoted;
}

void words_split(struct words *w, const char *line, size_t len)
{
	size_t i = 0;

	for (;;) {
		struct buf word = BUF_INIT;
		while (i < len && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
			i++;
		if (i == len)
			return;
		one(&word, line, len, &i, &w->open);
		GROW_FOR_ONE(w->at, w->n);
		w->at[w->n++] = str_dup(buf_str(&word));
		buf_release(&word);
	}
}

void words_release(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->at[i]);
	free(w->at);
	*w = (struct words){ 0 };
}

const char *words_at(const struct words *w, size_t i)
{
	return i < w->n ? w->at[i] : "";
}
