#include "base/err.h"

#include "base/utf8.h"

#include <errno.h>

/* Control bytes, what is no UTF-8, and the control characters U+0080 to U+009F, which terminals obey, too. */
static void printable(char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		uint32_t code = 0;
		size_t n = utf8_next(text + i, len - i, &code);
		if (!n && len == ERR_TEXT_MAX - 1 && len - i < 4) {
			text[i] = '\0'; /* a character that was cut */
			return;
		}
		if (n == 1 && (code == '\n' || code == '\t'))
			text[i] = ' ';
		else if (n < 2 && (!n || code < 0x20 || code == 0x7f))
			text[i] = '?';
		else if (n == 2 && code < 0xa0)
			memset(text + i, '?', 2);
		i += n ? n : 1;
	}
}

int err_vset(struct err *err, int code, const char *fmt, va_list args)
{
	char text[ERR_TEXT_MAX];

	if (!err)
		return code;
	/* Not in place: the old sentence may be one of the arguments. */
	vsnprintf(text, sizeof(text), fmt, args);
	printable(text);
	err->code = code;
	memcpy(err->text, text, sizeof(text));
	return code;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err_vset(err, code, fmt, args);
	va_end(args);
	return code;
}

static int errno_class(int saved_errno)
{
	if (saved_errno == ENOSPC || saved_errno == EDQUOT)
		return E_NOSPACE;
	if (saved_errno == EACCES || saved_errno == EPERM || saved_errno == EROFS)
		return E_PERM;
	if (saved_errno == ENOENT)
		return E_NOTFOUND;
	return E_IO;
}

int err_errno(struct err *err, int saved_errno, const char *fmt, ...)
{
	int code = errno_class(saved_errno);
	struct err head;
	va_list args;

	va_start(args, fmt);
	err_vset(&head, code, fmt, args);
	va_end(args);
	return err_set(err, code, "%s: %s", head.text, strerror(saved_errno));
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	struct err head, tail;
	va_list args;

	if (!err)
		return 0;
	va_start(args, fmt);
	err_vset(&head, err->code, fmt, args);
	va_end(args);
	tail = *err;
	return err_set(err, err->code, "%s%s", head.text, tail.text);
}

static const struct {
	int code;
	const char *name, *meaning;
} codes[] = {
#define X(code, value, name, meaning) { code, name, meaning },
	ERR_CODES(X)
#undef X
};

const char *err_name(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (codes[i].code == code)
			return codes[i].name;
	return code == 0 ? "ok" : "unknown";
}

int err_code(const char *name)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (strcmp(codes[i].name, name) == 0)
			return codes[i].code;
	return 0;
}

const char *err_meaning(int code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (codes[i].code == code)
			return codes[i].meaning;
	return "";
}
