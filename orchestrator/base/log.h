/*
 * The program's own log, for developers and for the question "what was it doing": one line a record on stderr, with
 * time and level; quiet (warn) unless --log-level says otherwise. What operators and auditors read is the journal, the
 * events and the report, not this. Every line is redacted (base/redact.h) and made printable.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* "error" … "trace"; false for another name. */
bool log_level_parse(const char *name, enum log_level *level);
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);

/* Where lines go: fd 2 unless set (tests). The line ends with a newline and has no other. */
void log_set_sink(void (*sink)(enum log_level, const char *line));

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) (log_wants(LOG_DEBUG) ? log_line(LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_trace(...) (log_wants(LOG_TRACE) ? log_line(LOG_TRACE, __VA_ARGS__) : (void)0)

#endif
