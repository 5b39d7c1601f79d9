#include "tests/lib/fake_transport.h"

#include "base/alloc.h"

#include <sys/mman.h>
#include <unistd.h>

enum event_kind { EVENT_OPENED, EVENT_DONE, EVENT_CLOSED };

struct fake_event {
	struct fake_event *next;
	enum event_kind kind;
	struct fake_remote *remote;
	struct remote_request *request;
	struct err err;
};

struct fake_remote {
	struct remote base;
	struct fake_host *host;
	int number;
	remote_opened_cb *opened;
	void *opened_arg;
	remote_closed_cb *closed;
	void *closed_arg;
	bool dead; /* cut: everything after it fails */
	bool is_new;
	bool shown; /* it has shown its key */
};

static struct fake_transport *of(struct transport *t)
{
	return CONTAINER_OF(t, struct fake_transport, base);
}

static struct fake_remote *remote_of(const struct remote *r)
{
	return CONTAINER_OF((struct remote *)(uintptr_t)r, struct fake_remote, base);
}

static struct fake_event *post(struct fake_transport *t, enum event_kind kind, struct fake_remote *remote)
{
	struct fake_event *e = NEW(struct fake_event);

	e->kind = kind;
	e->remote = remote;
	if (t->last)
		t->last->next = e;
	else
		t->first = e;
	t->last = e;
	return e;
}

/* Is it the turn of the fault? */
static enum fake_fault count(struct fake_transport *t)
{
	int n = ++*t->clock_of_ops;
	int times = t->fault_times ? t->fault_times : 1;

	return t->fault_at && n >= t->fault_at && n < t->fault_at + times ? t->fault : FAULT_NONE;
}

/* ---- hosts ------------------------------------------------------------------------------------------------------ */

static void answer(struct op_result *r, int exit_code, const char *text)
{
	r->exit_code = exit_code;
	buf_adds(&r->out, text);
}

static void perform(struct fake_host *h, const char *command, struct op_result *r)
{
	char line[80];

	if (strcmp(command, "look") == 0) {
		snprintf(line, sizeof(line), "%s %s %s", h->value, h->lamp ? "on" : "off", h->busy ? "busy" : "idle");
		h->busy -= h->busy > 0;
		answer(r, 0, line);
	} else if (strcmp(command, "lamp off") == 0 || strcmp(command, "lamp on") == 0) {
		h->lamp = command[6] == 'n';
		answer(r, 0, "");
	} else if (strcmp(command, "set new") == 0) {
		bool was_old = strcmp(h->value, "old") == 0;
		h->sets += was_old;
		if (was_old)
			snprintf(h->value, sizeof(h->value), "new");
		answer(r, was_old ? 0 : 1, "");
	} else if (strcmp(command, "unset") == 0) {
		snprintf(h->value, sizeof(h->value), "old");
		answer(r, 0, "");
	} else if (strcmp(command, "poke") == 0) {
		h->pokes++;
		answer(r, 0, "");
	} else if (strcmp(command, "name") == 0) {
		snprintf(line, sizeof(line), "%s\n", h->name);
		answer(r, 0, line);
	} else {
		answer(r, 127, "unknown command");
	}
}

/* Of a service: https://new.example/N. The remote is as good as before, whatever it does. */
static void ask_service(struct fake_transport *t, const struct op *op, struct op_result *r)
{
	struct fake_host *h = &t->hosts[strtol(strrchr(op->url, '/') + 1, NULL, 10)];
	bool old = strncmp(op->url, "https://old.", 12) == 0;
	int failure = old ? h->old_failure : h->new_failure;

	*(old ? &h->old_asked : &h->new_asked) += 1;
	snprintf(h->password, sizeof(h->password), "%s", buf_str(&op->password));
	r->beyond = failure != 0;
	if (failure)
		err_set(&r->failure, failure, "the service failed (%s)", err_name(failure));
	else
		answer(r, 200, old ? "old" : h->value);
}

static void service_fault(struct fake_transport *t, const struct op *op, enum fake_fault fault, struct op_result *r)
{
	static const int codes[FAULTS] = { [FAULT_OPEN_REFUSED] = E_REFUSED,	 [FAULT_CUT_BEFORE] = E_CLOSED,
					   [FAULT_CUT_BEFORE_UNKNOWN] = E_CLOSED, [FAULT_CUT_AFTER] = E_PROTOCOL,
					   [FAULT_TIMEOUT] = E_TIMEOUT,		 [FAULT_SUDO] = E_TLS };

	if (fault == FAULT_KILL)
		_exit(9);
	ask_service(t, op, r);
	if (fault == FAULT_KILL_AFTER)
		_exit(9);
	if (fault == FAULT_NONE)
		return;
	buf_clear(&r->out);
	r->beyond = true;
	err_set(&r->failure, codes[fault], "the service failed (%s)", err_name(codes[fault]));
}

/* ---- the transport ---------------------------------------------------------------------------------------------- */

/* What a host shows, and what is known of it. */
static void look_at_key(const struct fake_transport *t, struct fake_remote *r, const struct remote_spec *spec, struct err *err)
{
	r->shown = true;
	for (size_t i = 0; t->heeds_pins && i < spec->host_keys_n; i++)
		if (strstr(r->host->host_key, spec->host_keys[i]))
			return;
	if (t->heeds_pins && spec->host_keys_n)
		err_set(err, E_HOSTKEY, "%s: host key mismatch: it shows %s, not %s", spec->label, r->host->host_key,
			spec->host_keys[0]);
	if (!spec->accept_new || (t->heeds_pins && spec->host_keys_n))
		return;
	r->is_new = !spec->seen_host_key;
	if (!r->is_new && strcmp(spec->seen_host_key, r->host->host_key) != 0)
		err_set(err, E_HOSTKEY, "%s: host key mismatch: it shows %s, not %s", spec->label, r->host->host_key,
			spec->seen_host_key);
}

static void refuse(int *times, int code, const char *label, const char *text, struct err *err)
{
	if (!*times)
		return;
	err_set(err, code, "%s: %s", label, text);
	*times -= *times > 0;
}

static void note_opening(const struct fake_transport *t, const struct remote_spec *spec)
{
	if (!t->openings)
		return;
	buf_addf(t->openings, "%s %s:%d%s", spec->label, spec->address, spec->port, spec->windows ? " windows" : "");
	for (const struct remote_spec *via = spec->via; via; via = via->via)
		buf_addf(t->openings, " via %s", via->label);
	buf_addc(t->openings, '\n');
}

static struct remote *fake_open(struct transport *transport, const struct remote_spec *spec, remote_opened_cb *cb, void *arg)
{
	struct fake_transport *t = of(transport);
	struct fake_remote *r = NEW(struct fake_remote);
	struct fake_event *e;
	enum fake_fault fault = count(t);

	r->base.transport = transport;
	r->number = spec->address ? (int)strtol(strrchr(spec->address, '.') + 1, NULL, 10) : 0;
	r->host = spec->address ? &t->hosts[r->number] : NULL;
	r->opened = cb;
	r->opened_arg = arg;
	if (fault == FAULT_KILL || fault == FAULT_KILL_AFTER)
		_exit(9);
	e = post(t, EVENT_OPENED, r);
	note_opening(t, spec);
	t->opened++;
	if (++t->open > t->most_open)
		t->most_open = t->open;
	if (!r->host && ++t->local_open > t->local_most_open)
		t->local_most_open = t->local_open;
	if (fault != FAULT_NONE)
		err_set(&e->err, E_REFUSED, "%s: connection refused", spec->label);
	refuse(&t->open_refused[r->number], E_REFUSED, spec->label, "connection refused", &e->err);
	if (r->host && t->fault_at && *t->clock_of_ops > t->fault_at)
		refuse(&t->unsigned_after_fault, E_SIGN, spec->label, "the ssh-agent has died", &e->err);
	refuse(&t->open_unsigned[r->number], E_SIGN, spec->label, "the ssh-agent did not answer", &e->err);
	if (!e->err.code)
		look_at_key(t, r, spec, &e->err);
	if (!e->err.code && t->shuts_after_key[r->number])
		err_set(&e->err, E_AUTH, "%s: the login was refused", spec->label);
	r->dead = e->err.code != 0;
	return &r->base;
}

static void cut(struct remote_request *request, struct fake_remote *r, bool started)
{
	request->result.started = started;
	err_set(&request->result.failure, E_CLOSED, "the connection was cut");
	r->dead = true;
}

static void fake_start(struct remote *remote, struct remote_request *request)
{
	struct fake_remote *r = remote_of(remote);
	struct fake_transport *t = of(remote->transport);
	enum fake_fault fault = r->dead ? FAULT_CUT_BEFORE : count(t);
	struct op_result *res = &request->result;

	if (t->before_op)
		t->before_op(request->op, t->before_arg);
	if (t->fault_on && !r->dead && strcmp(request->op->command, t->fault_on) == 0)
		fault = t->fault;
	res->started = true;
	if (!r->host) {
		service_fault(t, request->op, fault, res);
		post(t, EVENT_DONE, r)->request = request;
		return;
	}
	switch (fault) {
	case FAULT_NONE:
		perform(r->host, request->op->command, res);
		break;
	case FAULT_OPEN_REFUSED:
	case FAULT_CUT_BEFORE:
		cut(request, r, false);
		break;
	case FAULT_CUT_BEFORE_UNKNOWN:
		cut(request, r, true);
		break;
	case FAULT_CUT_AFTER:
		perform(r->host, request->op->command, res);
		buf_clear(&res->out);
		cut(request, r, true);
		break;
	case FAULT_TIMEOUT:
		err_set(&res->failure, E_TIMEOUT, "no end in time");
		break;
	case FAULT_SUDO:
		res->started = false;
		err_set(&res->failure, E_SUDO, "a password is required");
		break;
	case FAULT_KILL:
		_exit(9);
	case FAULT_KILL_AFTER:
		perform(r->host, request->op->command, res);
		_exit(9);
	case FAULTS:
		abort();
	}
	post(t, EVENT_DONE, r)->request = request;
}

/* The fake's ops are done when they are started: there is nothing to cancel. */
static void fake_cancel(struct remote *remote, struct remote_request *request)
{
	(void)remote;
	(void)request;
}

static void fake_close(struct remote *remote, remote_closed_cb *cb, void *arg)
{
	struct fake_remote *r = remote_of(remote);

	r->closed = cb;
	r->closed_arg = arg;
	post(of(remote->transport), EVENT_CLOSED, r);
}

static void fake_info(const struct remote *remote, struct remote_info *info)
{
	const struct fake_remote *r = remote_of(remote);

	*info = (struct remote_info){ .phase = "ready",
				      .banner = "SSH-2.0-fake",
				      .host_key = r->shown ? r->host->host_key : "",
				      .host_key_blob = r->host->host_key,
				      .host_key_blob_len = strlen(r->host->host_key),
				      .host_key_bits = 256,
				      .host_key_new = r->is_new };
}

static const struct transport_vtable fake_vtable = { .open = fake_open,
						       .start = fake_start,
						       .cancel = fake_cancel,
						       .close = fake_close,
						       .info = fake_info };

void fake_transport_init(struct fake_transport *t)
{
	size_t size = FAKE_HOSTS_MAX * sizeof(struct fake_host) + sizeof(int);
	char *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		abort();
	*t = (struct fake_transport){ .base = { &fake_vtable } };
	t->hosts = (struct fake_host *)(void *)shared;
	t->clock_of_ops = (int *)(void *)(shared + FAKE_HOSTS_MAX * sizeof(struct fake_host));
	for (int i = 0; i < FAKE_HOSTS_MAX; i++) {
		snprintf(t->hosts[i].value, sizeof(t->hosts[i].value), "old");
		snprintf(t->hosts[i].name, sizeof(t->hosts[i].name), "host%d", i);
		snprintf(t->hosts[i].host_key, sizeof(t->hosts[i].host_key), "ssh-ed25519 SHA256:fake%d", i);
		t->hosts[i].lamp = true;
	}
}

void fake_transport_release(struct fake_transport *t)
{
	munmap(t->hosts, FAKE_HOSTS_MAX * sizeof(struct fake_host) + sizeof(int));
}

bool fake_transport_deliver(struct fake_transport *t)
{
	struct fake_event *e = t->first;

	if (!e)
		return false;
	t->first = e->next;
	if (!t->first)
		t->last = NULL;
	switch (e->kind) {
	case EVENT_OPENED:
		e->remote->opened(&e->remote->base, e->err.code ? &e->err : NULL, e->remote->opened_arg);
		break;
	case EVENT_DONE:
		e->request->done(e->request);
		break;
	case EVENT_CLOSED:
		t->open--;
		t->local_open -= !e->remote->host;
		e->remote->closed(e->remote->closed_arg);
		free(e->remote);
		break;
	}
	free(e);
	return true;
}
