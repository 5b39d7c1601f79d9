#include "transport/ssh_text.h"

#include "base/alloc.h"
#include "base/hash.h"

enum { BASE64_LINE_BYTES = 768 };

/* One line for `eval "$l"`: reads the script up to its end mark and runs it, unless it is cut off. O is LC_ALL as it
   was; with C, read takes bytes as they are. A newline cannot be written in one line, so it is made. */
#define LOADER                                                                                                         \
	"O=${LC_ALL-};LC_ALL=C;N=%s;n=$(printf '\\nx');n=${n%%x};s=;g=;while IFS= read -r l;do "                       \
	"if [ \"$l\" = \"@$N go\" ];then g=1;break;fi;s=$s$l$n;done;[ -n \"$g\" ]&&eval \"$s\"\n"

void ssh_text_quote(struct buf *out, const char *text)
{
	buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *text);
	}
	buf_addc(out, '\'');
}

static bool is_comment(const char *line, size_t len)
{
	while (len && (*line == ' ' || *line == '\t'))
		line++, len--;
	return len == 0 || *line == '#';
}

void ssh_text_start(struct buf *out, const char *nonce, const char *assignments, const struct embedded *script)
{
	const char *at = script->data, *end = script->data + script->len;

	buf_addf(out, LOADER, nonce);
	buf_addf(out, "%s\n", assignments);
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = newline ? (size_t)(newline - at) : (size_t)(end - at);
		if (!is_comment(at, len)) {
			buf_add(out, at, len);
			buf_addc(out, '\n');
		}
		at += len + 1;
	}
	buf_addf(out, "@%s go\n", nonce);
}

void ssh_text_lines(struct buf *out, const char *nonce, const char *bytes, size_t len)
{
	buf_add(out, bytes, len);
	if (len && bytes[len - 1] != '\n')
		buf_addc(out, '\n');
	buf_addf(out, "@%s .\n", nonce);
}

void ssh_text_base64(struct buf *out, const char *nonce, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		size_t n = len < BASE64_LINE_BYTES ? len : BASE64_LINE_BYTES;
		char *line = base64_encode(at, n);
		buf_adds(out, line);
		buf_addc(out, '\n');
		str_free_secret(line);
		at += n;
		len -= n;
	}
	buf_addf(out, "@%s .\n", nonce);
}

/* Its own process id and process group, told before anything else happens. The group is read inside, since sudo may
   have made another one (use_pty). */
static void add_beginning(struct buf *out, const struct ssh_prelude *p, const char *redirection)
{
	buf_addf(out, "umask %s\n", p->umask);
	buf_adds(out, "PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin\nexport PATH\n_g=0\n"
		      "read -r _ _ _ _ _g _ 2>/dev/null </proc/self/stat\n");
	buf_addf(out, "printf '\\n@%%s %%s start %%s %%s\\n' %s %u \"$$\" \"$_g\"%s\nunset _g\n", p->nonce, p->number,
		 redirection);
}

void ssh_text_run(struct buf *out, const struct ssh_prelude *p, char *const *args, int args_n, unsigned script)
{
	struct buf folder = BUF_INIT;

	ssh_text_quote(&folder, p->folder);
	add_beginning(out, p, "");
	buf_addf(out, "exec >%s/o%u 2>%s/e%u\nLC_ALL=C\nexport LC_ALL\nset --", buf_str(&folder), p->number,
		 buf_str(&folder), p->number);
	for (int i = 0; i < args_n; i++) {
		buf_addc(out, ' ');
		ssh_text_quote(out, args[i]);
	}
	buf_addf(out, "\n. %s/s%u\n", buf_str(&folder), script);
	buf_release(&folder);
}

void ssh_text_exec(struct buf *out, const struct ssh_prelude *p, const char *command)
{
	add_beginning(out, p, " >&2");
	buf_addf(out, "printf '\\n@%%s %%s begin\\n' %s %u\n", p->nonce, p->number);
	buf_adds(out, command);
}
