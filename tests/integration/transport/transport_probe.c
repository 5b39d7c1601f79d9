/*
 * transport_probe: the SSH transport from the command line, for tests and for measuring.
 *
 *	transport_probe --user U --key FILE [--pin P]… [--known-hosts FILE] [--port N] [--sudo] [--budget PHASE=MS]…
 *			[--concurrency N] [--keepalive S] [--handshakes N] [--hold] [--close-at MS | --close-anyway MS] [--show] [--quiet]
 *			(ADDRESS… | --range FIRST COUNT) [-- OP…]
 *
 * Each OP is started on every host, all at once: KIND[,sudo][,t=MS][,cap=BYTES][,cancel=MS]:ARGUMENTS, arguments
 * separated by |
 *	exec:COMMAND		run:SCRIPT-FILE|ARG…		input:SCRIPT-FILE|INPUT-FILE|ARG…
 *	get:PATH		replace:PATH|NEW-FILE|OLD-SHA256|BACKUP
 *
 * One line a host and op: LABEL N err=NAME started=0|1 exit=N out=BYTES[+] err_out=BYTES[+] ms=N text="…", + where it was
 * cut; --show adds what came. --close-at: all are closed then, from the first that is open; anyway: from the beginning. --hold: no op is started before every host is open or has failed. The last line counts;
 * the exit code is 0 when every host was opened and every op ended without failure, else 1; 3: a descriptor or a handle
 * is left. SIGUSR1 prints the phases. --version-of-libssh2 prints that.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "transport/ssh.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <getopt.h>
#include <sys/resource.h>

enum { OPS_MAX = 512, PINS_MAX = 16 };

struct op_spec {
	struct op op;
	struct embedded script;
	int cancel_ms;
};

struct host {
	struct probe *probe;
	char *address, *label;
	struct remote *remote;
	struct running {
		struct remote_request request;
		struct host *host;
		uv_timer_t cancel;
		bool over;
		int n;
	} *running; /* one for each op */
	int left;
	bool open, closing;
};

struct probe {
	uv_loop_t loop;
	struct transport *transport;
	struct remote_spec spec;
	const char *pins[PINS_MAX];
	struct op_spec ops[OPS_MAX];
	int ops_n;
	struct host *hosts;
	size_t hosts_n, next, active, opened, failed, ops_ok, ops_failed, resolved;
	size_t concurrency;
	bool hold, show, quiet;
	int close_at_ms;
	bool close_anyway;
	uv_timer_t close_timer;
	uv_signal_t usr1;
	struct ssh_transport_options options;
};

static void start_more(struct probe *p);

static void print_bytes(const char *name, const struct buf *b)
{
	printf("  %s: ", name);
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];
		if (c == '\n' || (c >= 0x20 && c < 0x7f))
			putchar(c);
		else
			printf("\\x%02x", c);
		if (c == '\n' && i + 1 < b->len)
			printf("  %s| ", name);
	}
	if (!b->len || b->data[b->len - 1] != '\n')
		putchar('\n');
}

static void print_result(const struct running *run)
{
	const struct probe *p = run->host->probe;
	const struct op_result *r = &run->request.result;

	if (p->quiet && !r->failure.code)
		return;
	printf("%s %d err=%s started=%d exit=%d out=%zu%s err_out=%zu%s ms=%lld text=\"%s\"\n", run->host->label, run->n,
	       err_name(r->failure.code), r->started, (int)r->exit_code, r->out.len, r->out.truncated ? "+" : "", r->err.len,
	       r->err.truncated ? "+" : "", (long long)r->elapsed_ms, r->failure.text);
	if (!p->show)
		return;
	if (r->file.real_path)
		printf("  file: %s %o %ld %ld %s %s links=%lu size=%lld\n", r->file.real_path, r->file.mode, r->file.uid, r->file.gid,
		       r->file.owner, r->file.group, r->file.links, (long long)r->file.size_bytes);
	if (r->out.len)
		print_bytes("out", &r->out);
	if (r->err.len)
		print_bytes("err", &r->err);
}

static void on_closed(void *arg)
{
	struct host *h = arg;

	h->probe->active--;
	h->remote = NULL;
	start_more(h->probe);
}

static void close_host(struct host *h)
{
	if (h->closing)
		return;
	h->closing = true;
	remote_close(h->remote, on_closed, h);
}

static void on_done(struct remote_request *request)
{
	struct running *run = request->arg;
	struct host *h = run->host;

	run->over = true;
	print_result(run);
	if (request->result.failure.code)
		h->probe->ops_failed++;
	else
		h->probe->ops_ok++;
	op_result_release(&request->result);
	if (run->request.op && h->probe->ops[run->n].cancel_ms)
		uv_close((uv_handle_t *)&run->cancel, NULL);
	if (--h->left == 0)
		close_host(h);
}

static void on_cancel(uv_timer_t *timer)
{
	struct running *run = timer->data;

	if (!run->over)
		remote_cancel(run->host->remote, &run->request);
}

static void start_ops(struct host *h)
{
	struct probe *p = h->probe;

	h->left = p->ops_n;
	h->running = NEW_N(struct running, (size_t)p->ops_n);
	if (!p->ops_n && !p->close_at_ms)
		close_host(h);
	for (int i = 0; i < p->ops_n; i++) {
		struct running *run = &h->running[i];
		run->host = h;
		run->n = i;
		run->request = (struct remote_request){ .op = &p->ops[i].op, .what = "probe", .done = on_done, .arg = run };
		if (p->ops[i].cancel_ms) {
			uv_timer_init(&p->loop, &run->cancel);
			run->cancel.data = run;
			uv_timer_start(&run->cancel, on_cancel, (uint64_t)p->ops[i].cancel_ms, 0);
		}
		remote_start(h->remote, &run->request);
	}
}

static void report_open(struct host *h, const struct err *err)
{
	struct remote_info info;

	remote_info(h->remote, &info);
	if (err)
		printf("%s open err=%s text=\"%s\"\n", h->label, err_name(err->code), err->text);
	else if (!h->probe->quiet)
		printf("%s open err=ok banner=\"%s\" host_key=\"%s\"\n", h->label, info.banner, info.host_key);
}

static void release_held(struct probe *p)
{
	for (size_t i = 0; i < p->hosts_n; i++)
		if (p->hosts[i].open && !p->hosts[i].closing)
			start_ops(&p->hosts[i]);
}

static void on_close_all(uv_timer_t *timer)
{
	struct probe *p = timer->data;

	for (size_t i = 0; i < p->hosts_n; i++)
		if (p->hosts[i].remote && !p->hosts[i].closing)
			close_host(&p->hosts[i]);
	uv_close((uv_handle_t *)timer, NULL);
}

/* From the first host that is open, or from the beginning. */
static void start_close_timer(struct probe *p)
{
	if (!p->close_at_ms || p->opened > 1)
		return;
	uv_timer_init(&p->loop, &p->close_timer);
	p->close_timer.data = p;
	uv_timer_start(&p->close_timer, on_close_all, (uint64_t)p->close_at_ms, 0);
}

static void on_opened(struct remote *remote, const struct err *err, void *arg)
{
	struct host *h = arg;
	struct probe *p = h->probe;

	(void)remote;
	report_open(h, err);
	p->resolved++;
	h->open = !err;
	if (err) {
		p->failed++;
		close_host(h);
	} else {
		p->opened++;
		if (!p->close_anyway)
			start_close_timer(p);
		if (!p->hold)
			start_ops(h);
	}
	if (p->hold && p->resolved == p->hosts_n) {
		printf("held opened=%zu failed=%zu\n", p->opened, p->failed);
		fflush(stdout);
		release_held(p);
	}
}

static void all_gone(void *arg)
{
	(void)arg;
}

static void start_more(struct probe *p)
{
	while (p->next < p->hosts_n && p->active < p->concurrency) {
		struct host *h = &p->hosts[p->next++];
		struct remote_spec spec = p->spec;
		spec.address = h->address;
		spec.label = h->label;
		p->active++;
		h->remote = remote_open(p->transport, &spec, on_opened, h);
	}
	if (!p->active && p->transport) {
		ssh_transport_close(p->transport, all_gone, NULL);
		p->transport = NULL;
		uv_close((uv_handle_t *)&p->usr1, NULL);
	}
}

static void on_usr1(uv_signal_t *handle, int signum)
{
	struct probe *p = handle->data;

	(void)signum;
	for (size_t i = 0; i < p->hosts_n; i++) {
		struct remote_info info;
		if (!p->hosts[i].remote)
			continue;
		remote_info(p->hosts[i].remote, &info);
		printf("%s phase=%s\n", p->hosts[i].label, info.phase);
	}
	fflush(stdout);
}

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "transport_probe: %s%s\n", what, detail);
	exit(2);
}

static void slurp(const char *path, struct buf *into)
{
	struct err err;

	if (file_read(path, 64 << 20, into, &err))
		die("", err.text);
}

/* Splits at '|', at most `n` parts; the last takes the rest. */
static int split(char *text, char **part, int n)
{
	int count = 0;

	while (count < n) {
		char *bar = count + 1 < n ? strchr(text, '|') : NULL;
		part[count++] = text;
		if (!bar)
			break;
		*bar = '\0';
		text = bar + 1;
	}
	return count;
}

static void set_script(struct op_spec *s, const char *path)
{
	struct buf b = BUF_INIT;

	slurp(path, &b);
	s->script.name = path;
	s->script.len = b.len;
	s->script.data = buf_detach(&b);
	s->op.script = &s->script;
}

static void set_arguments(struct op_spec *s, const char *kind, char *text)
{
	char *part[OP_ARGS_MAX + 2] = { NULL };
	int n, skip = 1;

	if (s->op.kind == OP_EXEC) {
		s->op.command = str_dup(text);
		return;
	}
	n = split(text, part, OP_ARGS_MAX + 2);
	if (s->op.kind == OP_RUN) {
		set_script(s, part[0]);
		if (strcmp(kind, "input") == 0 && n > 1) {
			slurp(part[1], &s->op.input);
			skip = 2;
		}
		for (int i = skip; i < n; i++)
			op_arg(&s->op, part[i]);
		return;
	}
	s->op.path = str_dup(part[0]);
	if (s->op.kind == OP_REPLACE) {
		slurp(part[1], &s->op.input);
		snprintf(s->op.expect_sha256, sizeof(s->op.expect_sha256), "%s", part[2] ? part[2] : "");
		s->op.backup = str_dup(part[3]);
	}
}

static void set_options(struct op_spec *s, char *text)
{
	char *save = NULL;

	for (char *o = strtok_r(text, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		if (strcmp(o, "sudo") == 0)
			s->op.elevated = true;
		else if (strncmp(o, "t=", 2) == 0)
			s->op.timeout_ms = (int)strtol(o + 2, NULL, 10);
		else if (strncmp(o, "cap=", 4) == 0)
			s->op.max_out_bytes = (size_t)strtol(o + 4, NULL, 10);
		else if (strncmp(o, "cancel=", 7) == 0)
			s->cancel_ms = (int)strtol(o + 7, NULL, 10);
		else
			die("unknown option of an op: ", o);
	}
}

static void add_op(struct probe *p, const char *text)
{
	static const struct {
		const char *name;
		enum op_kind kind;
	} kinds[] = { { "exec", OP_EXEC }, { "run", OP_RUN }, { "input", OP_RUN }, { "get", OP_GET }, { "replace", OP_REPLACE } };
	char *copy = str_dup(text), *colon = strchr(copy, ':'), *comma;
	struct op_spec *s = &p->ops[p->ops_n];

	if (!colon || p->ops_n == OPS_MAX)
		die("no op, or too many: ", text);
	*colon = '\0';
	comma = strchr(copy, ',');
	if (comma)
		*comma = '\0';
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].name, copy) != 0)
			continue;
		op_init(&s->op, kinds[i].kind);
		if (comma)
			set_options(s, comma + 1);
		set_arguments(s, copy, colon + 1);
		p->ops_n++;
		free(copy);
		return;
	}
	die("unknown kind of op: ", copy);
}

static void add_host(struct probe *p, const char *address)
{
	GROW_FOR_ONE(p->hosts, p->hosts_n);
	p->hosts[p->hosts_n++] = (struct host){ .probe = p, .address = str_dup(address), .label = str_dup(address) };
}

static void add_range(struct probe *p, const char *first, const char *count)
{
	struct in_addr a;
	uint32_t ip;

	if (!first || !count || inet_pton(AF_INET, first, &a) != 1)
		die("--range FIRST COUNT", "");
	ip = ntohl(a.s_addr);
	for (long i = 0; i < strtol(count, NULL, 10); i++) {
		char text[INET_ADDRSTRLEN];
		a.s_addr = htonl(ip + (uint32_t)i);
		add_host(p, inet_ntop(AF_INET, &a, text, sizeof(text)));
	}
}

static void set_budget(struct remote_budgets *b, const char *text)
{
	const struct {
		const char *name;
		int *ms;
	} all[] = { { "resolve", &b->resolve_ms }, { "connect", &b->connect_ms }, { "banner", &b->banner_ms },
		    { "handshake", &b->handshake_ms }, { "auth", &b->auth_ms },	      { "shell", &b->shell_ms },
		    { "close", &b->close_ms } };
	const char *equals = strchr(text, '=');

	for (size_t i = 0; equals && i < ARRAY_LEN(all); i++)
		if (strncmp(text, all[i].name, (size_t)(equals - text)) == 0)
			*all[i].ms = (int)strtol(equals + 1, NULL, 10);
}

enum { O_USER = 256, O_KEY, O_PIN, O_KNOWN, O_PORT, O_SUDO, O_BUDGET, O_CONC, O_KEEP, O_HAND, O_HOLD, O_CLOSE, O_SHOW, O_QUIET, O_RANGE, O_LOG, O_LIBSSH2, O_ANYWAY };

static const struct option options[] = {
	{ "user", required_argument, NULL, O_USER },	     { "key", required_argument, NULL, O_KEY },
	{ "pin", required_argument, NULL, O_PIN },	     { "known-hosts", required_argument, NULL, O_KNOWN },
	{ "port", required_argument, NULL, O_PORT },	     { "sudo", no_argument, NULL, O_SUDO },
	{ "budget", required_argument, NULL, O_BUDGET },     { "concurrency", required_argument, NULL, O_CONC },
	{ "keepalive", required_argument, NULL, O_KEEP },    { "handshakes", required_argument, NULL, O_HAND },
	{ "hold", no_argument, NULL, O_HOLD },		     { "close-at", required_argument, NULL, O_CLOSE },
	{ "show", no_argument, NULL, O_SHOW },		     { "quiet", no_argument, NULL, O_QUIET },
	{ "range", required_argument, NULL, O_RANGE },	     { "log", required_argument, NULL, O_LOG },
	{ "close-anyway", required_argument, NULL, O_ANYWAY },
	{ "version-of-libssh2", no_argument, NULL, O_LIBSSH2 },
	{ NULL, 0, NULL, 0 },
};

static void take_option(struct probe *p, int option, char **argv, struct buf *key)
{
	enum log_level level;

	switch (option) {
	case O_USER:
		p->spec.user = optarg;
		break;
	case O_KEY:
		p->spec.key_name = optarg;
		slurp(optarg, key);
		break;
	case O_PIN:
		p->pins[p->spec.host_keys_n++ % PINS_MAX] = optarg;
		break;
	case O_KNOWN:
		p->spec.known_hosts = optarg;
		break;
	case O_PORT:
		p->spec.port = (int)strtol(optarg, NULL, 10);
		break;
	case O_SUDO:
		p->spec.sudo = true;
		break;
	case O_BUDGET:
		set_budget(&p->spec.budgets, optarg);
		break;
	case O_RANGE:
		add_range(p, optarg, argv[optind++]);
		break;
	case O_LIBSSH2:
		puts(ssh_transport_library());
		exit(0);
	case O_LOG:
		if (log_level_parse(optarg, &level))
			log_set_level(level);
		break;
	default:
		break;
	}
}

static void take_number(struct probe *p, int option)
{
	switch (option) {
	case O_CONC:
		p->concurrency = (size_t)strtol(optarg, NULL, 10);
		break;
	case O_KEEP:
		p->options.keepalive_s = (int)strtol(optarg, NULL, 10);
		break;
	case O_HAND:
		p->options.handshakes_max = (int)strtol(optarg, NULL, 10);
		break;
	case O_ANYWAY:
		p->close_anyway = true;
		p->close_at_ms = (int)strtol(optarg, NULL, 10);
		break;
	case O_CLOSE:
		p->close_at_ms = (int)strtol(optarg, NULL, 10);
		break;
	case O_HOLD:
		p->hold = true;
		break;
	case O_SHOW:
		p->show = true;
		break;
	case O_QUIET:
		p->quiet = true;
		break;
	default:
		break;
	}
}

static void parse(struct probe *p, int argc, char **argv, struct buf *key)
{
	int option, ops = argc;

	/* Behind the first "--" stand the ops. */
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			ops = i;
			break;
		}
	}
	while ((option = getopt_long(ops, argv, "", options, NULL)) != -1) {
		if (option == '?')
			exit(2);
		take_option(p, option, argv, key);
		take_number(p, option);
	}
	for (int i = optind; i < ops; i++)
		add_host(p, argv[i]);
	for (int i = ops + 1; i < argc; i++)
		add_op(p, argv[i]);
	p->spec.host_keys = p->pins;
	p->spec.key = key->data;
	p->spec.key_len = key->len;
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

static void run(struct probe *p)
{
	struct err err;

	uv_signal_init(&p->loop, &p->usr1);
	p->usr1.data = p;
	uv_signal_start(&p->usr1, on_usr1, SIGUSR1);
	uv_unref((uv_handle_t *)&p->usr1);
	if (ssh_transport_new(&p->loop, &p->options, &p->transport, &err) ||
	    ssh_transport_reserve(p->concurrency < p->hosts_n ? p->concurrency : p->hosts_n, &err))
		die("", err.text);
	start_more(p);
	if (p->close_anyway)
		start_close_timer(p);
	uv_run(&p->loop, UV_RUN_DEFAULT);
}

static void release(struct probe *p, struct buf *key)
{
	for (int i = 0; i < p->ops_n; i++) {
		op_release(&p->ops[i].op);
		free((char *)p->ops[i].script.data);
	}
	for (size_t i = 0; i < p->hosts_n; i++) {
		free(p->hosts[i].running);
		free(p->hosts[i].address);
		free(p->hosts[i].label);
	}
	free(p->hosts);
	buf_release_secret(key);
}

int main(int argc, char **argv)
{
	static struct probe p = { .spec = { .user = "root", .port = 22 }, .concurrency = 100000 };
	struct buf key = BUF_INIT;
	struct rusage usage;
	size_t before, after;
	int64_t began = clock_mono_ms(&clock_system);
	double cpu;
	int left;

	parse(&p, argc, argv, &key);
	/* What libuv and libcrypto open once and keep is no leak. */
	uv_loop_init(&p.loop);
	uv_loop_close(&p.loop);
	before = fds();
	uv_loop_init(&p.loop);
	run(&p);
	left = uv_loop_close(&p.loop);
	after = fds();
	getrusage(RUSAGE_SELF, &usage);
	cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
	printf("total opened=%zu failed=%zu ops_ok=%zu ops_failed=%zu handles=%s fds=%s wall_ms=%lld cpu_ms=%.1f cpu_ms_per_host=%.2f rss_kb=%ld\n",
	       p.opened, p.failed, p.ops_ok, p.ops_failed, left ? "LEFT" : "none", before == after ? "none" : "LEFT",
	       (long long)(clock_mono_ms(&clock_system) - began), cpu, p.hosts_n ? cpu / (double)p.hosts_n : 0, usage.ru_maxrss);
	release(&p, &key);
	if (left || before != after)
		return 3;
	return p.failed || p.ops_failed ? 1 : 0;
}
