#include "agents/script.h"
#include "agents/frames.h"
#include "agents/win_text.h"

#include "base/alloc.h"
#include "base/utf8.h"

#define WORDS_BYTES 300
#define WORDS_LINES 3

void script_op(struct op *op, const char *script)
{
	op->kind = OP_RUN;
	op->script = agent_script(script);
	op->elevated = true;
}

/* The beginning of the last lines in text[0, len). */
static size_t last_lines(const char *text, size_t len)
{
	size_t at = len;
	int lines = 0;

	while (at > 0 && len - at < WORDS_BYTES) {
		if (text[at - 1] == '\n' && ++lines == WORDS_LINES)
			break;
		at--;
	}
	return at;
}

static char *last_words(const struct op_result *result)
{
	const struct buf *from = result->err.len ? &result->err : &result->out;
	size_t len = from->len, start;
	char *words;

	while (len && (from->data[len - 1] == '\n' || from->data[len - 1] == '\r'))
		len--;
	start = len ? last_lines(from->data, len) : 0;
	words = len ? str_ndup(from->data + start, len - start) : str_dup("it said nothing");
	return words;
}

char *script_words(const struct op_result *result)
{
	char *words = last_words(result);

	utf8_printable(words);
	return words;
}

char *script_words_windows(const struct op_result *result)
{
	char *words = last_words(result), *shown;

	for (char *at = words; *at; at++) {
		if (*at == '\r' || *at == '\n')
			*at = ' ';
	}
	shown = win_text_shown(words, strlen(words));
	free(words);
	return shown;
}

bool script_answered(const struct op_result *result, const char *script, struct verdict *verdict)
{
	char *words;

	if (result->failure.code) {
		*verdict = verdict_fail(result->failure.code, "%s: %s", script, result->failure.text);
		return false;
	}
	if (result->exit_code == 0 && !result->out.truncated && frames_whole(buf_str(&result->out), result->out.len))
		return true;
	words = script_words(result);
	if (result->exit_code == 0)
		*verdict = verdict_retry(E_PROTOCOL, "the answer of %s is not whole", script);
	else
		*verdict = verdict_fail(E_IO, "%s ended with code %d: %s", script, (int)result->exit_code, words);
	free(words);
	return false;
}

bool script_lines_answered(const struct op_result *result, const char *what, struct verdict *verdict)
{
	char *words;

	if (result->failure.code) {
		*verdict = verdict_fail(result->failure.code, "%s: %s", what, result->failure.text);
	} else if (result->exit_code) {
		words = script_words_windows(result);
		*verdict = verdict_fail(E_IO, "%s (code %ld): %s", what, (long)result->exit_code, words);
		free(words);
	} else if (result->out.truncated) {
		*verdict = verdict_fail(E_LIMIT, "%s: the answer is longer than is allowed", what);
	} else if (!win_ended(buf_str(&result->out), result->out.len)) {
		*verdict = verdict_retry(E_PROTOCOL, "%s: the answer is not whole", what);
	} else {
		return true;
	}
	return false;
}

const char *agent_param(const struct agent_ctx *ctx, const char *key)
{
	return json_string_value(json_object_get(ctx->params, key));
}

const char *fact_key(char key[FACT_KEY_MAX], const char *prefix, int i, const char *name)
{
	snprintf(key, FACT_KEY_MAX, "%s.%d.%s", prefix, i, name);
	return key;
}

const char *fact_at(const struct facts *facts, const char *prefix, int i, const char *name)
{
	char key[FACT_KEY_MAX];

	return facts_text(facts, fact_key(key, prefix, i, name), "");
}

int fact_number(const struct facts *facts, const char *key)
{
	return (int)strtol(facts_text(facts, key, "0"), NULL, 10);
}
