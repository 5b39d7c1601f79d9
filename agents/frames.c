#include "agents/frames.h"

#include "base/alloc.h"

#include <string.h>

/* The decimal number up to the newline; false where it is none or more than `max`. */
static bool read_length(const char *text, size_t len, size_t *at, size_t max, size_t *value)
{
	size_t start = *at;

	*value = 0;
	for (; *at < len && text[*at] >= '0' && text[*at] <= '9'; (*at)++) {
		*value = *value * 10 + (size_t)(text[*at] - '0');
		if (*value > max)
			return false;
	}
	if (*at == start || *at == len || text[*at] != '\n')
		return false;
	(*at)++;
	return true;
}

bool frames_next(const char *text, size_t len, size_t *at, struct frame *frame)
{
	size_t pos = *at, name_len = 0;

	while (pos < len && ((text[pos] >= 'a' && text[pos] <= 'z') || text[pos] == '-')) {
		if (name_len + 1 == FRAME_NAME_MAX)
			return false;
		frame->name[name_len++] = text[pos++];
	}
	frame->name[name_len] = '\0';
	if (!name_len || pos == len || text[pos++] != ' ')
		return false;
	if (!read_length(text, len, &pos, len, &frame->len))
		return false;
	if (frame->len >= len - pos || text[pos + frame->len] != '\n')
		return false;
	frame->value = text + pos;
	*at = pos + frame->len + 1;
	return true;
}

bool frames_whole(const char *text, size_t len)
{
	struct frame frame = { 0 };
	size_t at = 0;

	while (frames_next(text, len, &at, &frame)) {
		if (frame_is(&frame, "end"))
			return at == len;
	}
	return false;
}

bool frames_find(const char *text, size_t len, const char *name, struct frame *frame)
{
	size_t at = 0;

	while (frames_next(text, len, &at, frame)) {
		if (frame_is(frame, name))
			return true;
	}
	return false;
}

char *frame_text(const struct frame *frame)
{
	return str_ndup(frame->value, frame->len);
}

bool frame_is(const struct frame *frame, const char *name)
{
	return strcmp(frame->name, name) == 0;
}
