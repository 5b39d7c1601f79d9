#include "transport/ssh_banner.h"

#include <string.h>

void ssh_banner_init(struct ssh_banner *banner)
{
	*banner = (struct ssh_banner){.skipped = 0};
	buf_init(&banner->in, (size_t)2 * SSH_BANNER_MAX);
}

void ssh_banner_release(struct ssh_banner *banner)
{
	buf_release(&banner->in);
}

/* A line as it may be shown, without its end. */
static void printable_line(char *out, size_t size, const char *line, size_t len)
{
	size_t n = len < size - 1 ? len : size - 1;

	while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)line[i] < 0x20 || (unsigned char)line[i] > 0x7e ? '?' : line[i];
	out[n] = '\0';
}

static int take_version(struct ssh_banner *banner, size_t len, struct err *err)
{
	const char *line = banner->in.data;

	printable_line(banner->version, sizeof(banner->version), line, len);
	if (len > SSH_VERSION_MAX || memchr(line, '\0', len))
		return err_set(err, E_PROTOCOL, "what answers is no SSH server: its version line is broken (\"%.60s\")",
			       banner->version);
	if (strncmp(line, "SSH-2.0-", 8) != 0 && strncmp(line, "SSH-1.99-", 9) != 0)
		return err_set(err, E_PROTOCOL,
			       "the server speaks another version of SSH: \"%.60s\"; version 2.0 is needed",
			       banner->version);
	return 1;
}

/* Something that no text has: TLS, a database, another protocol. No need to wait for more of it. */
static bool is_binary(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] < '\t')
			return true;
	return false;
}

int ssh_banner_take(struct ssh_banner *banner, struct err *err)
{
	for (;;) {
		struct buf *in = &banner->in;
		const char *newline = in->len ? memchr(in->data, '\n', in->len) : NULL;
		size_t len = newline ? (size_t)(newline - in->data) + 1 : in->len;

		if (newline && len >= 4 && memcmp(in->data, "SSH-", 4) == 0)
			return take_version(banner, len, err);
		if (is_binary(in->data, len)) {
			printable_line(banner->before, sizeof(banner->before), in->data, len);
			return err_set(err, E_PROTOCOL, "what answers is no SSH server (\"%.60s\"); is the port right?",
				       banner->before);
		}
		if (banner->skipped + len > SSH_BANNER_MAX) {
			printable_line(banner->before, sizeof(banner->before), in->data, len);
			return err_set(err, E_PROTOCOL,
				       "what answers is no SSH server: no version line in its first %d bytes "
				       "(\"%.60s\"); is the port right?",
				       SSH_BANNER_MAX, banner->before);
		}
		if (!newline)
			return 0;
		printable_line(banner->before, sizeof(banner->before), in->data, len);
		banner->skipped += len;
		buf_shift(in, len);
	}
}
