/*
 * transport_probe: the SSH transport from the command line, for tests and for measuring.
 *
 *	transport_probe --user U [--key FILE] [--passphrase P] [--agent SOCKET] [--agent-key SHA256:…] [--agent-ms MS]
 *			[--certificate FILE | --certificate-beside FILE] [--password P]
 *			[--pin P]… [--known-hosts FILE] [--accept-new] [--port N] [--sudo] [--windows]
 *			[--budget PHASE=MS]…
 *			[--via USER@ADDRESS:PORT[,key=FILE][,pin=P][,known_hosts=FILE][,PHASE=MS]…]… [--via-command C]
 *			[--tunnel HOST:PORT [--input FILE] [--slow-reader MS]]
 *			[--concurrency N] [--keepalive S] [--handshakes N] [--hold] [--close-at MS | --close-anyway MS]
 *			[--show] [--quiet] (ADDRESS… | --range FIRST COUNT) [-- OP…]
 *
 * Each OP is started on every host, all at once: KIND[,sudo][,t=MS][,cap=BYTES][,cancel=MS]:ARGUMENTS, arguments
 * separated by |
 *	exec:COMMAND		run:SCRIPT-FILE|ARG…		input:SCRIPT-FILE|INPUT-FILE|ARG…
 *	get:PATH		replace:PATH|NEW-FILE|OLD-SHA256|BACKUP
 *
 * One line a host and op: LABEL N err=NAME started=0|1 exit=N out=BYTES[+] err_out=BYTES[+] ms=N text="…", + where it
 *was cut; --show adds what came. --close-at: all are closed then, from the first that is open; anyway: from the
 *beginning. --hold: no op is started before every host is open or has failed. The last line counts; the exit code is 0
 *when every host was opened and every op ended without failure, else 1; 3: a descriptor or a handle is left. SIGUSR1
 *prints the phases. --version-of-libssh2 prints that.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "probe.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

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
	printf("%s %d err=%s started=%d exit=%d out=%zu%s err_out=%zu%s ms=%lld text=\"%s\"\n", run->host->label,
	       run->n, err_name(r->failure.code), r->started, (int)r->exit_code, r->out.len,
	       r->out.truncated ? "+" : "", r->err.len, r->err.truncated ? "+" : "", (long long)r->elapsed_ms,
	       r->failure.text);
	if (!p->show)
		return;
	if (r->file.real_path)
		printf("  file: %s %o %ld %ld %s %s links=%lu size=%lld\n", r->file.real_path, r->file.mode,
		       r->file.uid, r->file.gid, r->file.owner, r->file.group, r->file.links,
		       (long long)r->file.size_bytes);
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
		run->request =
		    (struct remote_request){.op = &p->ops[i].op, .what = "probe", .done = on_done, .arg = run};
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
	if (!p->active && p->transport && !p->tunnel) {
		ssh_transport_close(p->transport, all_gone, NULL);
		p->transport = NULL;
		uv_close((uv_handle_t *)&p->usr1, NULL);
	}
}

static void on_tunnel_over(struct probe *p, bool good)
{
	p->tunnel = NULL;
	p->ops_ok += good;
	p->ops_failed += !good;
	start_more(p);
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
		probe_die("", err.text);
	p->tunnel_over = on_tunnel_over;
	if (p->tunnel)
		probe_tunnel_start(p, p->tunnel);
	start_more(p);
	if (p->close_anyway)
		start_close_timer(p);
	uv_run(&p->loop, UV_RUN_DEFAULT);
}

static void release(struct probe *p)
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
	for (int i = 0; i < p->hops_n; i++)
		buf_release_secret(&p->hops[i].key);
	buf_release(&p->input);
	buf_release_secret(&p->key);
	buf_release(&p->certificate);
}

int main(int argc, char **argv)
{
	static struct probe p = {.spec = {.user = "root", .port = 22}, .concurrency = 100000};
	struct rusage usage;
	size_t before, after;
	int64_t began = clock_mono_ms(&clock_system);
	double cpu;
	int left;

	signal(SIGPIPE, SIG_IGN); /* as the program does */
	setvbuf(stdout, NULL, _IOLBF, 0); /* tests read along */
	probe_parse(&p, argc, argv);
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
	printf("total opened=%zu failed=%zu ops_ok=%zu ops_failed=%zu handles=%s fds=%s wall_ms=%lld cpu_ms=%.1f "
	       "cpu_ms_per_host=%.2f rss_kb=%ld\n",
	       p.opened, p.failed, p.ops_ok, p.ops_failed, left ? "LEFT" : "none", before == after ? "none" : "LEFT",
	       (long long)(clock_mono_ms(&clock_system) - began), cpu, p.hosts_n ? cpu / (double)p.hosts_n : 0,
	       usage.ru_maxrss);
	release(&p);
	if (left || before != after)
		return 3;
	return p.failed || p.ops_failed ? 1 : 0;
}
