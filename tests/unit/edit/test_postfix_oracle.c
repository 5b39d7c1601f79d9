/*
 * Postfix itself as the judge, where it is installed: what postconf reads in random main.cf files before and behind a replacement
 * differs in the relay's name and in nothing else.
 */
#include "tests/unit/edit/golden.h"
#include "tests/lib/unit.h"

#include "agents/edit/postfix_names.h"
#include "base/alloc.h"
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME_OLD "relay.old.example"
#define NAME_NEW "relay.new.example"
#define ROUNDS 40 /* a postconf takes a twentieth of a second, many times that on a busy machine */

static const char *const olds[] = { NAME_OLD };
static const struct postfix_wanted wanted = { .old = olds, .old_n = 1, .new_name = NAME_NEW };
static char folder[] = "/tmp/cutover-postfix-XXXXXX";

static char *path(const char *name)
{
	return str_fmt("%s/%s", folder, name);
}

/* Dated back: Postfix waits until a file is two seconds old before it believes it (dict_load_file_xt; measured). */
static void put(const char *name, const char *bytes, size_t len)
{
	const struct timespec once[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	char *file = path(name);
	int fd = open(file, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	ck_assert_int_eq(futimens(fd, once), 0);
	close(fd);
	free(file);
}

/* What postconf says of the parameters, in `out`; false where there is no postconf. */
static bool postconf(struct buf *out)
{
	char *said = path("said");
	struct err err = { 0 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int fd = open(said, O_CREAT | O_TRUNC | O_WRONLY, 0600), null = open("/dev/null", O_WRONLY);
		dup2(fd, 1);
		dup2(null, 2);
		execlp("postconf", "postconf", "-c", folder, "-x", "relayhost", "default_transport", "smtp_fallback_relay", (char *)NULL);
		execl("/usr/sbin/postconf", "postconf", "-c", folder, "-x", "relayhost", "default_transport", "smtp_fallback_relay", (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(file_read(said, 1 << 20, out, &err), 0);
	free(said);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void random_main(struct buf *text)
{
	static const char *const lines[] = {
		"relayhost = [" NAME_OLD "]:25\n", "relayhost =\n",	       "relayhost = $hes\n",	 "# " NAME_OLD "\n",
		"\t[" NAME_OLD "]:587\n",	   "  # " NAME_OLD "\n",       "\n",			 "hes = " NAME_OLD "\n",
		"hes =\n",			   "default_transport = smtp:$(hes)\n", "smtp_fallback_relay=[RELAY.old.example] ${hes}\r\n",
		"x_host = x." NAME_OLD "\n", "relayhost = [" NAME_NEW "] # was [" NAME_OLD "]\n", "relayhost\t=\t[x.example]\n",
	};
	unsigned n = 1 + golden_random(8);

	buf_adds(text, "compatibility_level = 3.6\nmyhostname = mx.example\nmydomain = example\nx_first = 1\n");
	for (unsigned i = 0; i < n; i++)
		buf_adds(text, lines[golden_random(ARRAY_LEN(lines))]);
}

static void replace(const struct buf *text, struct buf *out)
{
	struct postfix_names names;
	size_t at = 0;

	postfix_names_find(POSTFIX_MAIN, buf_str(text), text->len, &wanted, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (names.at[i].is_new || !names.at[i].is_relay)
			continue;
		buf_add(out, text->data + at, names.at[i].offset - at);
		buf_adds(out, NAME_NEW);
		at = names.at[i].offset + names.at[i].len;
	}
	buf_add(out, text->data + at, text->len - at);
	postfix_names_release(&names);
}

/* The values with the name replaced, wherever it stands whole; all of these are relays. */
static void replace_values(const struct buf *said, struct buf *out)
{
	const char *at = buf_str(said), *found;

	while ((found = strcasestr(at, NAME_OLD))) {
		buf_add(out, at, (size_t)(found - at));
		buf_adds(out, NAME_NEW);
		at = found + strlen(NAME_OLD);
	}
	buf_adds(out, at);
}

static void one_round(void)
{
	struct buf text = BUF_INIT, changed = BUF_INIT, before = BUF_INIT, after = BUF_INIT, expected = BUF_INIT;

	random_main(&text);
	replace(&text, &changed);
	put("main.cf", buf_str(&text), text.len);
	ck_assert(postconf(&before));
	put("main.cf", buf_str(&changed), changed.len);
	ck_assert(postconf(&after));
	replace_values(&before, &expected);
	ck_assert_msg(buf_equals(&after, buf_str(&expected), expected.len), "main.cf:\n%s\nPostfix reads\n%s\nwanted\n%s", buf_str(&text),
		      buf_str(&after), buf_str(&expected));
	buf_release(&text);
	buf_release(&changed);
	buf_release(&before);
	buf_release(&after);
	buf_release(&expected);
}

START_TEST(test_as_postfix_reads_it)
{
	static const char *const files[] = { "main.cf", "master.cf", "said" };
	struct buf said = BUF_INIT;
	bool there;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	put("main.cf", "myhostname = mx.example\n", 24);
	put("master.cf", "", 0);
	there = postconf(&said);
	if (!there)
		printf("skip: there is no postconf here, so that nobody judges how main.cf is read\n");
	for (int i = 0; there && i < ROUNDS; i++)
		one_round();
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char *file = path(files[i]);
		unlink(file);
		free(file);
	}
	ck_assert_int_eq(rmdir(folder), 0);
	buf_release(&said);
}
END_TEST

SUITE(postfix_oracle)
{
	TEST_CASE(s, test_as_postfix_reads_it);
}
