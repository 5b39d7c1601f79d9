#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "probe.h"

#include <arpa/inet.h>
#include <getopt.h>

void probe_die(const char *what, const char *detail)
{
	fprintf(stderr, "transport_probe: %s%s\n", what, detail);
	exit(2);
}

static void slurp(const char *path, struct buf *into)
{
	struct err err;

	if (file_read(path, 64 << 20, into, &err))
		probe_die("", err.text);
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
	char *part[OP_ARGS_MAX + 2] = {NULL};
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
			probe_die("unknown option of an op: ", o);
	}
}

static void add_op(struct probe *p, const char *text)
{
	static const struct {
		const char *name;
		enum op_kind kind;
	} kinds[] = {{"exec", OP_EXEC}, {"run", OP_RUN}, {"input", OP_RUN}, {"get", OP_GET}, {"replace", OP_REPLACE}};
	char *copy = str_dup(text), *colon = strchr(copy, ':'), *comma;
	struct op_spec *s = &p->ops[p->ops_n];

	if (!colon || p->ops_n == OPS_MAX)
		probe_die("no op, or too many: ", text);
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
	probe_die("unknown kind of op: ", copy);
}

static void add_host(struct probe *p, const char *address)
{
	GROW_FOR_ONE(p->hosts, p->hosts_n);
	p->hosts[p->hosts_n++] = (struct host){.probe = p, .address = str_dup(address), .label = str_dup(address)};
}

static void add_range(struct probe *p, const char *first, const char *count)
{
	struct in_addr a;
	uint32_t ip;

	if (!first || !count || inet_pton(AF_INET, first, &a) != 1)
		probe_die("--range FIRST COUNT", "");
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
	} all[] = {{"resolve", &b->resolve_ms},     {"connect", &b->connect_ms}, {"banner", &b->banner_ms},
		   {"handshake", &b->handshake_ms}, {"auth", &b->auth_ms},       {"shell", &b->shell_ms},
		   {"close", &b->close_ms}};
	const char *equals = strchr(text, '=');

	for (size_t i = 0; equals && i < ARRAY_LEN(all); i++)
		if (strncmp(text, all[i].name, (size_t)(equals - text)) == 0)
			*all[i].ms = (int)strtol(equals + 1, NULL, 10);
}

/* Each option is a function of the probe, and of its value where it has one. */
static void opt_user(struct probe *p, const char *v)
{
	p->spec.user = v;
}

static void opt_key(struct probe *p, const char *v)
{
	p->spec.key_name = v;
	slurp(v, &p->key);
}

static void opt_passphrase(struct probe *p, const char *v)
{
	p->spec.passphrase = v;
}

static void opt_agent(struct probe *p, const char *v)
{
	p->spec.agent = v;
}

static void opt_agent_key(struct probe *p, const char *v)
{
	p->spec.agent_key = v;
}

static void opt_agent_ms(struct probe *p, const char *v)
{
	p->options.agent_ms = (int)strtol(v, NULL, 10);
}

static void opt_certificate(struct probe *p, const char *v)
{
	p->spec.certificate_name = v;
	slurp(v, &p->certificate);
}

static void opt_certificate_beside(struct probe *p, const char *v)
{
	opt_certificate(p, v);
	p->spec.certificate_beside = true;
}

static void opt_password(struct probe *p, const char *v)
{
	p->spec.password = v;
}

static void opt_accept_new(struct probe *p, const char *v)
{
	(void)v;
	p->spec.accept_new = true;
}

static void opt_pin(struct probe *p, const char *v)
{
	p->pins[p->spec.host_keys_n++ % PINS_MAX] = v;
}

static void opt_known_hosts(struct probe *p, const char *v)
{
	p->spec.known_hosts = v;
}

static void opt_port(struct probe *p, const char *v)
{
	p->spec.port = (int)strtol(v, NULL, 10);
}

static void opt_sudo(struct probe *p, const char *v)
{
	(void)v;
	p->spec.sudo = true;
}

static void set_hop_word(struct hop *hop, char *word)
{
	char *equals = strchr(word, '=');

	if (!equals)
		probe_die("--via USER@ADDRESS:PORT[,key=FILE][,pin=P][,known_hosts=FILE][,connect=MS]: ", word);
	*equals = '\0';
	if (strcmp(word, "key") == 0) {
		hop->spec.key_name = equals + 1;
		buf_release(&hop->key);
		slurp(equals + 1, &hop->key);
	} else if (strcmp(word, "pin") == 0) {
		hop->pin = equals + 1;
		hop->spec.host_keys = &hop->pin;
		hop->spec.host_keys_n = 1;
	} else if (strcmp(word, "known_hosts") == 0) {
		hop->spec.known_hosts = equals + 1;
	} else {
		*equals = '=';
		set_budget(&hop->spec.budgets, word);
	}
}

/* The outermost comes first. What it does not say is as for the hosts. */
static void opt_via(struct probe *p, const char *v)
{
	struct hop *hop = &p->hops[p->hops_n];
	char *save = NULL, *text = strdup(v), *word = strtok_r(text, ",", &save);
	char *at = word ? strchr(word, '@') : NULL, *colon = word ? strrchr(word, ':') : NULL;

	if (!at || !colon || colon < at || p->hops_n == HOPS_MAX)
		probe_die("--via USER@ADDRESS:PORT,…: ", v);
	*at = *colon = '\0';
	snprintf(hop->label, sizeof(hop->label), "bastion b%d", ++p->hops_n);
	hop->spec = (struct remote_spec){
	    .label = hop->label, .user = word, .address = at + 1, .port = (int)strtol(colon + 1, NULL, 10)};
	while ((word = strtok_r(NULL, ",", &save)))
		set_hop_word(hop, word);
}

static void opt_tunnel(struct probe *p, const char *v)
{
	p->tunnel = v;
}

static void opt_input(struct probe *p, const char *v)
{
	slurp(v, &p->input);
}

static void opt_slow_reader(struct probe *p, const char *v)
{
	p->slow_reader_ms = (int)strtol(v, NULL, 10);
}

static void opt_via_command(struct probe *p, const char *v)
{
	p->spec.via_command = v;
}

static void opt_windows(struct probe *p, const char *v)
{
	(void)v;
	p->spec.windows = true;
}

static void opt_budget(struct probe *p, const char *v)
{
	set_budget(&p->spec.budgets, v);
}

static void opt_concurrency(struct probe *p, const char *v)
{
	p->concurrency = (size_t)strtol(v, NULL, 10);
}

static void opt_keepalive(struct probe *p, const char *v)
{
	p->options.keepalive_s = (int)strtol(v, NULL, 10);
}

static void opt_handshakes(struct probe *p, const char *v)
{
	p->options.handshakes_max = (int)strtol(v, NULL, 10);
}

static void opt_hold(struct probe *p, const char *v)
{
	(void)v;
	p->hold = true;
}

static void opt_close_at(struct probe *p, const char *v)
{
	p->close_at_ms = (int)strtol(v, NULL, 10);
}

static void opt_close_anyway(struct probe *p, const char *v)
{
	p->close_anyway = true;
	opt_close_at(p, v);
}

static void opt_show(struct probe *p, const char *v)
{
	(void)v;
	p->show = true;
}

static void opt_quiet(struct probe *p, const char *v)
{
	(void)v;
	p->quiet = true;
}

static void opt_range(struct probe *p, const char *v)
{
	p->range_first = v; /* the count is the next word */
}

static void opt_log(struct probe *p, const char *v)
{
	enum log_level level;

	(void)p;
	if (log_level_parse(v, &level))
		log_set_level(level);
}

static void opt_version(struct probe *p, const char *v)
{
	(void)p;
	(void)v;
	puts(ssh_transport_library());
	exit(0);
}

static const struct {
	struct option option;
	void (*take)(struct probe *p, const char *value);
} table[] = {
    {{"user", required_argument, NULL, 0}, opt_user},
    {{"key", required_argument, NULL, 0}, opt_key},
    {{"passphrase", required_argument, NULL, 0}, opt_passphrase},
    {{"agent", required_argument, NULL, 0}, opt_agent},
    {{"agent-key", required_argument, NULL, 0}, opt_agent_key},
    {{"agent-ms", required_argument, NULL, 0}, opt_agent_ms},
    {{"certificate", required_argument, NULL, 0}, opt_certificate},
    {{"certificate-beside", required_argument, NULL, 0}, opt_certificate_beside},
    {{"password", required_argument, NULL, 0}, opt_password},
    {{"accept-new", no_argument, NULL, 0}, opt_accept_new},
    {{"pin", required_argument, NULL, 0}, opt_pin},
    {{"known-hosts", required_argument, NULL, 0}, opt_known_hosts},
    {{"port", required_argument, NULL, 0}, opt_port},
    {{"sudo", no_argument, NULL, 0}, opt_sudo},
    {{"via", required_argument, NULL, 0}, opt_via},
    {{"via-command", required_argument, NULL, 0}, opt_via_command},
    {{"windows", no_argument, NULL, 0}, opt_windows},
    {{"tunnel", required_argument, NULL, 0}, opt_tunnel},
    {{"input", required_argument, NULL, 0}, opt_input},
    {{"slow-reader", required_argument, NULL, 0}, opt_slow_reader},
    {{"budget", required_argument, NULL, 0}, opt_budget},
    {{"concurrency", required_argument, NULL, 0}, opt_concurrency},
    {{"keepalive", required_argument, NULL, 0}, opt_keepalive},
    {{"handshakes", required_argument, NULL, 0}, opt_handshakes},
    {{"hold", no_argument, NULL, 0}, opt_hold},
    {{"close-at", required_argument, NULL, 0}, opt_close_at},
    {{"close-anyway", required_argument, NULL, 0}, opt_close_anyway},
    {{"show", no_argument, NULL, 0}, opt_show},
    {{"quiet", no_argument, NULL, 0}, opt_quiet},
    {{"range", required_argument, NULL, 0}, opt_range},
    {{"log", required_argument, NULL, 0}, opt_log},
    {{"version-of-libssh2", no_argument, NULL, 0}, opt_version},
};

/* Behind the first "--" stand the ops. */
static int find_ops(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return argc;
}

/* The command leads to the first machine, whichever that is. */
static void link_hops(struct probe *p)
{
	for (int i = 0; i < p->hops_n; i++) {
		struct hop *hop = &p->hops[i];

		if (!hop->key.len)
			buf_add(&hop->key, p->key.data, p->key.len);
		hop->spec.key = hop->key.data;
		hop->spec.key_len = hop->key.len;
		hop->spec.via = i ? &p->hops[i - 1].spec : NULL;
	}
	if (!p->hops_n)
		return;
	p->hops[0].spec.via_command = p->spec.via_command;
	p->spec.via_command = NULL;
	p->spec.via = &p->hops[p->hops_n - 1].spec;
}

void probe_parse(struct probe *p, int argc, char **argv)
{
	struct option options[ARRAY_LEN(table) + 1] = {{.name = NULL}};
	int ops = find_ops(argc, argv), at = 0, r;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		options[i] = table[i].option;
	while ((r = getopt_long(ops, argv, "", options, &at)) != -1) {
		if (r == '?')
			exit(2);
		table[at].take(p, optarg);
		if (table[at].take == opt_range)
			add_range(p, p->range_first, argv[optind++]);
	}
	for (int i = optind; i < ops; i++)
		add_host(p, argv[i]);
	for (int i = ops + 1; i < argc; i++)
		add_op(p, argv[i]);
	link_hops(p);
	p->spec.host_keys = p->pins;
	p->spec.key = p->key.data;
	p->spec.key_len = p->key.len;
	p->spec.certificate = p->certificate.data;
	p->spec.certificate_len = p->certificate.len;
}
