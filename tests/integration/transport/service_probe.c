/*
 * service_probe: the controller's own transport from the command line, for tests.
 *
 *	service_probe [--account A --secret S] [--trust FILE] [--timeout MS] [--cap BYTES] [--cancel MS] [--close MS] [--times N]
 *		   [--show] [--through USER@ADDRESS:PORT,KEYFILE,PIN]... URL
 *	service_probe --mail HELLO,FROM,TO [the same] smtp://HOST:PORT
 *
 * --through: the host whose session makes the connection; several: the last is the host, those before it are bastions.
 * Asks N times at once (1). One line a request: err=NAME beyond=0|1 started=0|1 status=N out=BYTES ms=N text="…"; --show
 * adds header lines and body. --cancel: given up after so many milliseconds (0: in the call's own turn); --close: the
 * remote is closed then. The last line says what is left; the exit code is 0 when every request ended without failure,
 * else 1; 3: a descriptor, a handle or a callback is missing or left.
 */
#include "base/alloc.h"
#include "base/file.h"
#include "transport/local.h"
#include "transport/ssh.h"

#include <dirent.h>
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

enum { TIMES_MAX = 256, HOPS_MAX = 4 };

/* A machine on the way. */
struct hop {
	struct remote_spec spec;
	struct buf key;
	const char *pin;
	char *text, *label;
};

static struct {
	uv_loop_t loop;
	struct transport *transport, *hosts;
	struct hop hops[HOPS_MAX];
	int hops_n;
	struct remote *remote;
	struct op op;
	struct remote_request requests[TIMES_MAX];
	bool over[TIMES_MAX];
	int times, left, failed, twice, cancel_ms, close_ms;
	bool show, closing, windows;
	uv_timer_t timer;
	char *mail; /* or NULL */
} p = { .times = 1, .cancel_ms = -1, .close_ms = -1 };

static void on_closed(void *arg)
{
	(void)arg;
	local_transport_close(p.transport, NULL, NULL);
	ssh_transport_close(p.hosts, NULL, NULL);
}

static void close_all(void)
{
	if (p.closing)
		return;
	p.closing = true;
	uv_close((uv_handle_t *)&p.timer, NULL);
	remote_close(p.remote, on_closed, NULL);
}

static void on_done(struct remote_request *request)
{
	struct op_result *r = &request->result;
	long n = request - p.requests;

	p.twice += p.over[n];
	p.over[n] = true;
	p.failed += r->failure.code != 0;
	printf("err=%s beyond=%d started=%d status=%d out=%zu ms=%lld text=\"%s\"\n", err_name(r->failure.code), r->beyond,
	       r->started, (int)r->exit_code, r->out.len, (long long)r->elapsed_ms, r->failure.text);
	if (p.show)
		printf("%s%s\n", buf_str(&r->err), buf_str(&r->out));
	op_result_release(r);
	if (--p.left == 0)
		close_all();
}

static void cancel_all(void)
{
	for (int i = 0; i < p.times; i++)
		if (!p.over[i])
			remote_cancel(p.remote, &p.requests[i]);
}

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
	if (p.cancel_ms > 0)
		cancel_all();
	else
		close_all();
}

static void on_opened(struct remote *remote, const struct err *err, void *arg)
{
	(void)arg;
	if (err)
		abort();
	p.left = p.times;
	for (int i = 0; i < p.times; i++) {
		p.requests[i] = (struct remote_request){ .op = &p.op, .what = "probe", .done = on_done };
		p.requests[i].through = p.hops_n ? &p.hops[p.hops_n - 1].spec : NULL;
		remote_start(remote, &p.requests[i]);
	}
	if (p.cancel_ms == 0)
		cancel_all();
	if (p.close_ms == 0)
		close_all();
	else if (p.cancel_ms > 0 || p.close_ms > 0)
		uv_timer_start(&p.timer, on_timer, (uint64_t)(p.cancel_ms > 0 ? p.cancel_ms : p.close_ms), 0);
}

/* USER@ADDRESS:PORT,KEYFILE,PIN */
static void add_hop(const char *text)
{
	struct hop *hop = &p.hops[p.hops_n];
	char *at, *colon, *key, *pin;

	hop->text = str_dup(text);
	at = strchr(hop->text, '@');
	key = strchr(hop->text, ',');
	pin = key ? strchr(key + 1, ',') : NULL;
	if (!at || !pin || p.hops_n == HOPS_MAX)
		exit(2);
	*at = *key = *pin = '\0';
	colon = strrchr(at + 1, ':');
	if (!colon || file_read(key + 1, 64 << 10, &hop->key, NULL))
		exit(2);
	*colon = '\0';
	hop->pin = pin + 1;
	hop->label = str_fmt("acme/h%d", p.hops_n + 1);
	hop->spec = (struct remote_spec){ .label = hop->label,
					  .address = at + 1,
					  .port = (int)strtol(colon + 1, NULL, 10),
					  .user = hop->text,
					  .key = hop->key.data,
					  .key_len = hop->key.len,
					  .key_name = key + 1,
					  .host_keys = &hop->pin,
					  .host_keys_n = 1,
					  .windows = p.windows,
					  .via = p.hops_n ? &p.hops[p.hops_n - 1].spec : NULL };
	p.hops_n++;
}

static void release_hops(void)
{
	for (int i = 0; i < p.hops_n; i++) {
		buf_release(&p.hops[i].key);
		free(p.hops[i].text);
		free(p.hops[i].label);
	}
}

/* HELLO,FROM,TO and smtp://HOST:PORT; what is missing is left out, as an agent might. */
static void read_mail(const char *url)
{
	char *from = strchr(p.mail, ','), *to = from ? strchr(from + 1, ',') : NULL;
	const char *port = strrchr(url, ':');

	if (!to || !port || strncmp(url, "smtp://", 7) != 0 || port < url + 7)
		exit(2);
	*from = *to = '\0';
	p.op.kind = OP_SMTP;
	p.op.hello = str_dup(p.mail);
	p.op.mail_from = str_dup(from + 1);
	p.op.rcpt_to = str_dup(to + 1);
	p.op.server = str_ndup(url + 7, (size_t)(port - url - 7));
	p.op.port = (int)strtol(port + 1, NULL, 10);
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "account", 1, NULL, 'a' }, { "secret", 1, NULL, 's' }, { "trust", 1, NULL, 't' }, { "timeout", 1, NULL, 'm' },
		{ "cap", 1, NULL, 'c' },     { "cancel", 1, NULL, 'x' }, { "close", 1, NULL, 'q' }, { "times", 1, NULL, 'n' },
		{ "show", 0, NULL, 'v' },    { "through", 1, NULL, 'h' }, { "windows", 0, NULL, 'w' },
		{ "mail", 1, NULL, 'l' },    { 0 },
	};
	int c;

	op_init(&p.op, OP_HTTP);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			p.op.account = str_dup(optarg);
			break;
		case 's':
			buf_adds(&p.op.password, optarg);
			break;
		case 't':
			p.op.trust_file = str_dup(optarg);
			break;
		case 'm':
			p.op.timeout_ms = (int)strtol(optarg, NULL, 10);
			break;
		case 'c':
			p.op.max_out_bytes = strtoul(optarg, NULL, 10);
			break;
		case 'x':
			p.cancel_ms = (int)strtol(optarg, NULL, 10);
			break;
		case 'q':
			p.close_ms = (int)strtol(optarg, NULL, 10);
			break;
		case 'n':
			p.times = (int)strtol(optarg, NULL, 10);
			break;
		case 'h':
			add_hop(optarg);
			break;
		case 'w':
			p.windows = true;
			break;
		case 'l':
			p.mail = optarg;
			break;
		case 'v':
			p.show = true;
			break;
		default: /* getopt has said it */
			exit(2);
		}
	}
	if (optind + 1 != argc || p.times < 1 || p.times > TIMES_MAX)
		exit(2);
	if (p.mail)
		read_mail(argv[optind]);
	else
		p.op.url = str_dup(argv[optind]);
}

static size_t fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	size_t before;
	int left;

	signal(SIGPIPE, SIG_IGN); /* as in the program */
	parse(argc, argv);
	/* What libuv opens once and keeps is no leak. */
	uv_loop_init(&p.loop);
	uv_loop_close(&p.loop);
	before = fds();
	uv_loop_init(&p.loop);
	uv_timer_init(&p.loop, &p.timer);
	if (ssh_transport_new(&p.loop, NULL, &p.hosts, &err) || local_transport_new(&p.loop, p.hosts, &p.transport, &err))
		exit(2);
	p.remote = remote_open(p.transport, &(struct remote_spec){ .label = "probe" }, on_opened, NULL);
	uv_run(&p.loop, UV_RUN_DEFAULT);
	left = uv_loop_close(&p.loop);
	op_release(&p.op);
	release_hops();
	printf("total failed=%d waiting=%d twice=%d handles=%s fds=%s\n", p.failed, p.left, p.twice, left ? "LEFT" : "none",
	       before == fds() ? "none" : "LEFT");
	fflush(stdout);
	if (left || p.left || p.twice || before != fds())
		return 3;
	return p.failed ? 1 : 0;
}
