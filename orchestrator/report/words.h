/*
 * What states, times and spans are called, in the two languages. Stored names (schema/state.h) are for machines and for
 * the text formats; these are for the HTML file and for sentences.
 */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include "report/report.h"
#include "schema/state.h"

/* One of the two. Both are checked where it is used as a format. */
__attribute__((format_arg(2), format_arg(3))) static inline const char *in_lang(enum report_lang lang, const char *en, const char *ja)
{
	return lang == REPORT_JA ? ja : en;
}

const char *word_step_state(enum step_state state, enum report_lang lang);
const char *word_step_state_meaning(enum step_state state, enum report_lang lang);
const char *word_tenant_state(enum tenant_state state, enum report_lang lang);
const char *word_tenant_state_meaning(enum tenant_state state, enum report_lang lang);
const char *word_phase(enum phase phase, enum report_lang lang);
/* "us", "customer", "isp" */
const char *word_who(const char *who, enum report_lang lang);

#define WHEN_MAX 48

/* "2026-12-02 02:13:05 +09:00"; the second without the seconds; the third "02:13:05" alone, the fourth
   "2026-12-02 02:13". "–" for 0. */
const char *when_full(int64_t wall_ms, int offset_min, char out[WHEN_MAX]);
const char *when_minute(int64_t wall_ms, int offset_min, char out[WHEN_MAX]);
const char *when_day(int64_t wall_ms, int offset_min, char out[WHEN_MAX]);
const char *when_clock(int64_t wall_ms, int offset_min, char out[WHEN_MAX]);

/* "41 s", "3 h 02 min", "6 days 19 h" */
const char *span_text(int64_t ms, char out[WHEN_MAX]);

/* The first 12 digits of a hash, for people. */
const char *hash_short(const char *sha256, char out[16]);

#endif
