#include "base/err.h"

#include "base/utf8.h"

#include <errno.h>

int err_vset(struct err *err, int code, const char *fmt, va_list args)
{
	char text[ERR_TEXT_MAX];

	if (!err)
		return code;
	/* Not in place: the old sentence may be one of the arguments. */
	vsnprintf(text, sizeof(text), fmt, args);
	utf8_printable(text);
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
