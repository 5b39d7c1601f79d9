#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/redact.h"

#include <unistd.h>

#define LINE_MAX_BYTES 4096

static enum log_level current = LOG_WARN;
static void (*current_sink)(enum log_level, const char *);
static const char *const names[] = { "error", "warn", "info", "debug", "trace" };

bool log_level_parse(const char *name, enum log_level *level)
{
	for (int i = LOG_ERROR; i <= LOG_TRACE; i++) {
		if (strcmp(names[i], name) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_set_level(enum log_level level)
{
	current = level;
}

bool log_wants(enum log_level level)
{
	return level <= current;
}

void log_set_sink(void (*sink)(enum log_level, const char *line))
{
	current_sink = sink;
}

static void write_line(enum log_level level, struct buf *line)
{
	if (current_sink) {
		current_sink(level, buf_str(line));
		return;
	}
	/* A log line that cannot be written must not stop a migration. */
	if (write(STDERR_FILENO, line->data, line->len) < 0)
		return;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char stamp[TIME_TEXT_MAX];
	struct buf line;
	va_list args;

	if (!log_wants(level))
		return;
	/* Cut only after the redaction: half a secret would not be found. */
	buf_init(&line, 0);
	buf_addf(&line, "%s %s ", time_format(clock_wall_ms(&clock_system), 0, stamp), names[level]);
	va_start(args, fmt);
	buf_vaddf(&line, fmt, args);
	va_end(args);
	redact_buf(&line);
	if (line.len > LINE_MAX_BYTES)
		line.len = LINE_MAX_BYTES;
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.data[i] < 0x20 || line.data[i] == 0x7f)
			line.data[i] = ' ';
	buf_addc(&line, '\n');
	write_line(level, &line);
	buf_release(&line);
}
