/*
 * The happy path: a wish becomes a passage in the queue; a turn takes places and sessions as ssh_pool.h says and opens
 * tunnels; the answer goes to whom the wish belongs, and the passage lives until its tunnel is over. It fails by the
 * answers in the table of ssh_bastion.h. Closing answers whoever waits, closes the sessions, then the timer.
 */
#include "transport/ssh_relays.h"

#include "base/log.h"

#include <unistd.h>

/* libssh2 gives an open up after 60 s, and we before it. */
enum { CONNECT_DEFAULT_MS = 10000, CONNECT_MAX_MS = 50000 };

int64_t bastion_now(const struct ssh_bastion *b)
{
	return (int64_t)uv_now(b->transport->loop);
}

static void on_turn(uv_timer_t *timer);

void bastion_kick(struct ssh_bastion *b)
{
	uv_timer_start(&b->timer, on_turn, 0, 0);
}

void site_kick(struct ssh_bastion *b)
{
	for (struct list *n = b->transport->bastions.next; n != &b->transport->bastions; n = n->next) {
		struct ssh_bastion *other = CONTAINER_OF(n, struct ssh_bastion, node);

		if (other->site == b->site)
			bastion_kick(other);
	}
}

void bastion_halve(struct ssh_bastion *b, unsigned round, unsigned used, const char *why)
{
	struct level *level = &b->site->level;

	if (level_failure(level, round, used, bastion_now(b)))
		log_info("%s: %s; %u connections at once from now on", b->spec->label, why, level->now);
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static void passage_free(struct passage *p)
{
	list_remove(&p->node);
	if (p->pair_fd >= 0)
		close(p->pair_fd);
	free(p->host);
	free(p->target);
	free(p);
}

static void tell(struct passage *p, int fd, const struct err *err)
{
	struct tunnel_request *request = p->request;

	if (!request) {
		if (fd >= 0)
			close(fd);
		return;
	}
	/* With a connection it is still to hear when that is lost, if it wants to. */
	if (err || !request->lost) {
		p->request = NULL;
		request->priv = NULL;
	}
	request->done(request, fd, err);
}

void bastion_fail_waiting(struct ssh_bastion *b, const struct err *err)
{
	struct list *node, *last = b->waiting.prev;
	bool more = last != &b->waiting;

	/* Those that wait now: whoever is told may ask again at once. */
	while (more && (node = list_pop(&b->waiting))) {
		struct passage *p = CONTAINER_OF(node, struct passage, node);

		more = node != last;
		tell(p, -1, err);
		passage_free(p);
	}
}

static void fail(struct passage *p, int code, const char *text)
{
	struct err err = {.code = 0};

	err_set(&err, code, "%s: %s port %d: %s", p->bastion->spec->label, p->host, p->port, text);
	tell(p, -1, &err);
}

/* It had no room, or its session is gone: again, through another one, up to OPEN_TRIES times. */
static void once_more(struct passage *p, int code, const char *text)
{
	if (++p->tries < OPEN_TRIES && p->request && !p->bastion->closing)
		p->once_more = true;
	else
		fail(p, code, text);
}

static void opened(struct passage *p, int fd)
{
	struct ssh_bastion *b = p->bastion;

	p->open = b->carries = true;
	p->pair_fd = -1;
	p->relay->tunnels++;
	b->site->pauses = 0;
	level_success(&b->site->level, b->site->used, bastion_now(b));
	tell(p, fd, NULL);
}

/* Of every login there. */
static void fail_all_waiting(struct ssh_bastion *b, const struct err *err)
{
	for (struct list *n = b->transport->bastions.next; n != &b->transport->bastions; n = n->next) {
		struct ssh_bastion *other = CONTAINER_OF(n, struct ssh_bastion, node);

		if (other->site == b->site)
			bastion_fail_waiting(other, err);
	}
}

static void silent(struct passage *p)
{
	struct ssh_bastion *b = p->bastion;
	struct err err = {.code = 0};
	char text[120];

	p->relay->retired = true;
	map_set(&b->site->suspects, p->target, b->site);
	snprintf(text, sizeof(text), "no answer within %.1f s when it was asked to connect there",
		 (double)p->connect_ms / 1000);
	fail(p, E_UNREACHABLE, text);
	if (b->site->proven || ++b->site->silent_n < SILENT_MAX)
		return;
	err_set(&err, E_UNREACHABLE,
		"%s: takes the login and then answers nothing when it is asked to connect to a host (%u times); is "
		"forwarding hung there?",
		b->spec->label, b->site->silent_n);
	b->site->silent_n = 0;
	relays_hold(b, &err);
	fail_all_waiting(b, &err);
}

static void no_room(struct passage *p)
{
	struct site *site = p->bastion->site;
	int64_t now = bastion_now(p->bastion), ms = OPEN_PAUSE_MS;

	bastion_halve(p->bastion, p->round, site->used, "it has no room for another connection");
	if (now >= site->pause_until_ms) {
		for (unsigned i = 0; i < site->pauses && i < 6; i++)
			ms *= 2;
		site->pauses++;
		site->pause_until_ms = now + ms;
	}
	once_more(p, E_UNREACHABLE, "there is no room for another connection (resource shortage)");
}

/* One reason for all, as long as it is true of all: what the login's key or AllowTcpForwarding forbids has nothing to do with
   the target, what PermitOpen forbids has. */
static void forbidden(struct passage *p)
{
	struct err err = {.code = 0};

	if (p->bastion->carries) {
		fail(p, E_FORWARDING,
		     "this connection is not allowed, others are (administratively prohibited); see PermitOpen of its "
		     "sshd -T, and permitopen in the key's options there");
		return;
	}
	err_set(&err, E_FORWARDING,
		"%s: allows none of the connections it was asked for (administratively prohibited); see AllowTcpForwarding, "
		"DisableForwarding and PermitOpen of its sshd -T, and the key's options there (restrict, permitopen)",
		p->bastion->spec->label);
	tell(p, -1, &err);
}

/* What the far side has said, by whom it is meant. */
static void on_answered(void *arg, enum tunnel_answer answer, int fd, const struct err *err)
{
	struct passage *p = arg;
	struct ssh_bastion *b = p->bastion;

	p->relay->opening = NULL;
	b->site->used -= answer != TUNNEL_OPENED;
	if (answer != TUNNEL_SILENCE && answer != TUNNEL_LOST) {
		b->site->proven = true;
		b->site->failures = 0;
		map_set(&b->site->suspects, p->target, NULL);
	}
	switch (answer) {
	case TUNNEL_OPENED:
		opened(p, fd);
		break;
	case TUNNEL_NO_CONNECTION:
		fail(p, E_UNREACHABLE,
		     "cannot connect to there (connect failed); it is down, refuses connections, or its name is not "
		     "known there");
		break;
	case TUNNEL_SILENCE:
		silent(p);
		break;
	case TUNNEL_FORBIDDEN:
		forbidden(p);
		break;
	case TUNNEL_NO_ROOM:
		no_room(p);
		break;
	case TUNNEL_LOST:
		once_more(p, E_CLOSED, err->text);
		break;
	case TUNNEL_NO_DESCRIPTOR:
		fail(p, err->code, err->text);
		break;
	}
	site_kick(b);
}

static void on_over(void *arg, const struct err *lost)
{
	struct passage *p = arg;
	struct ssh_bastion *b = p->bastion;
	struct tunnel_request *request = p->request;

	if (p->open) {
		b->site->used--;
		p->relay->tunnels--;
	}
	p->relay->idle_since_ms = bastion_now(b);
	p->relay = NULL;
	site_kick(b);
	if (p->once_more && request) {
		p->once_more = false;
		/* In front: it has waited longest. */
		list_append(b->waiting.next, &p->node);
		return;
	}
	if (request) {
		request->priv = NULL;
		if (lost)
			request->lost(request, lost);
	}
	passage_free(p);
}

/* ---- the turn --------------------------------------------------------------------------------------------------- */

static struct passage *first_waiting(struct ssh_bastion *b, bool suspect)
{
	for (struct list *n = b->waiting.next; n != &b->waiting; n = n->next) {
		struct passage *p = CONTAINER_OF(n, struct passage, node);

		if (p->suspect == suspect)
			return p;
	}
	return NULL;
}

static void open_one(struct ssh_bastion *b, struct relay *r, struct passage *p)
{
	static const struct tunnel_owner owner = {on_answered, on_over};

	list_remove(&p->node);
	p->relay = r;
	p->round = b->site->level.round;
	p->since_ms = bastion_now(b);
	r->opening = p;
	b->site->used++;
	/* To the end of the line, among those that share the site. */
	list_remove(&b->node);
	list_append(&b->transport->bastions, &b->node);
	ssh_tunnel_open(relay_remote(r), p->host, p->port, p->connect_ms, p->pair_fd, &owner, p);
}

/* relays: which is which in the view. */
static struct pool_view look(struct ssh_bastion *b, struct pool_session *sessions, struct relay **relays)
{
	int64_t now = bastion_now(b), since = b->login_ms;
	struct pool_view v = {
	    .sessions = sessions,
	    .level = b->site->level.now,
	    .used = b->site->used,
	    .proven = b->site->proven,
	    .may_login = relays_may_log_in(b),
	};

	for (struct list *n = b->relays.next; n != &b->relays && v.n < POOL_ALL_MAX; n = n->next) {
		struct relay *r = CONTAINER_OF(n, struct relay, node);

		relays[v.n] = r;
		sessions[v.n++] = (struct pool_session){
		    .ready = relay_is_ready(r),
		    .retired = r->retired,
		    .opening = r->opening != NULL,
		    .opening_suspect = r->opening && r->opening->suspect,
		    .tunnels = r->tunnels,
		};
	}
	for (struct list *n = b->waiting.next; n != &b->waiting; n = n->next) {
		struct passage *p = CONTAINER_OF(n, struct passage, node);

		p->suspect = map_get(&b->site->suspects, p->target) != NULL;
		v.waiting_suspects += p->suspect;
		if (!v.waiting++ && p->since_ms > since)
			since = p->since_ms;
	}
	v.quiet_ms = now - since;
	return v;
}

static void earlier(int64_t *due, int64_t at)
{
	if (at && (!*due || at < *due))
		*due = at;
}

/* Somebody waits, and not for an answer. When to look again, or 0. */
static int64_t look_again(struct ssh_bastion *b, const struct pool_step *step, int64_t now)
{
	if (step->held)
		return level_probe(&b->site->level, now);
	if (step->again_ms)
		return now + step->again_ms;
	/* Its sessions are full, and no other may log in before. */
	return now < b->site->hold_until_ms ? b->site->hold_until_ms : 0;
}

/* Opens and logs in as far as that goes now. When to look again, or 0. */
static int64_t serve(struct ssh_bastion *b)
{
	struct pool_session sessions[POOL_ALL_MAX];
	struct relay *relays[POOL_ALL_MAX];

	for (;;) {
		struct pool_view view = look(b, sessions, relays);
		struct pool_step step = pool_next(&view);
		int64_t now = bastion_now(b);

		if (view.waiting && now < b->site->pause_until_ms)
			return b->site->pause_until_ms;
		switch (step.move) {
		case POOL_OPEN:
			open_one(b, relays[step.session], first_waiting(b, step.suspect));
			continue;
		case POOL_LOGIN:
			relays_log_in(b);
			continue;
		case POOL_WAIT:
			break;
		}
		return view.waiting ? look_again(b, &step, now) : 0;
	}
}

static void free_sites(struct ssh_transport *t)
{
	struct list *node;

	while ((node = list_pop(&t->sites))) {
		struct site *site = CONTAINER_OF(node, struct site, node);

		map_release(&site->suspects);
		free(site);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct ssh_bastion *b = handle->data;
	struct ssh_transport *t = b->transport;

	list_remove(&b->node);
	ssh_spec_free(b->spec);
	free(b);
	if (!list_empty(&t->bastions))
		return;
	free_sites(t);
	ssh_transport_empty(t);
}

static void on_turn(uv_timer_t *timer)
{
	struct ssh_bastion *b = timer->data;
	int64_t due, now = bastion_now(b);
	struct err held;

	if (b->closing) {
		if (list_empty(&b->relays))
			uv_close((uv_handle_t *)timer, on_timer_closed);
		return;
	}
	if (!relays_usable(b) && relays_held(b)) {
		held = *relays_held(b);
		bastion_fail_waiting(b, &held);
	}
	due = serve(b);
	earlier(&due, relays_tidy(b));
	if (due)
		uv_timer_start(timer, on_turn, due > now ? (uint64_t)(due - now) : 0, 0);
}

/* ---- the outside ------------------------------------------------------------------------------------------------ */

static struct site *site_for(struct ssh_transport *t, const struct remote_spec *spec)
{
	char digest[SHA256_HEX_MAX];
	struct site *site;

	ssh_spec_machine(spec, digest);
	for (struct list *n = t->sites.next; n != &t->sites; n = n->next) {
		site = CONTAINER_OF(n, struct site, node);
		if (strcmp(site->digest, digest) == 0)
			return site;
	}
	site = NEW(struct site);
	memcpy(site->digest, digest, sizeof(digest));
	level_init(&site->level, (int64_t)uv_now(t->loop));
	list_append(&t->sites, &site->node);
	return site;
}

static struct ssh_bastion *bastion_for(struct ssh_transport *t, const struct remote_spec *spec)
{
	char digest[SHA256_HEX_MAX];
	struct ssh_bastion *b;

	ssh_spec_digest(spec, digest);
	for (struct list *n = t->bastions.next; n != &t->bastions; n = n->next) {
		b = CONTAINER_OF(n, struct ssh_bastion, node);
		if (strcmp(b->digest, digest) == 0)
			return b;
	}
	b = NEW(struct ssh_bastion);
	b->transport = t;
	memcpy(b->digest, digest, sizeof(digest));
	b->spec = ssh_spec_copy(spec);
	b->site = site_for(t, spec);
	list_init(&b->relays);
	list_init(&b->waiting);
	uv_timer_init(t->loop, &b->timer);
	b->timer.data = b;
	list_append(&t->bastions, &b->node);
	return b;
}

void ssh_bastion_open(struct ssh_transport *t, const struct remote_spec *through, struct tunnel_request *request)
{
	struct ssh_bastion *b = bastion_for(t, through);
	struct passage *p = NEW(struct passage);

	p->bastion = b;
	p->request = request;
	p->host = str_dup(request->host);
	p->port = request->port;
	p->target = str_fmt("%s:%d", request->host, request->port);
	p->connect_ms = request->connect_ms <= 0	       ? CONNECT_DEFAULT_MS
			: request->connect_ms > CONNECT_MAX_MS ? CONNECT_MAX_MS
							       : request->connect_ms;
	p->pair_fd = request->has_pair ? request->pair_fd : -1;
	p->since_ms = bastion_now(b);
	request->priv = p;
	list_append(&b->waiting, &p->node);
	bastion_kick(b);
}

void ssh_bastion_cancel(struct tunnel_request *request)
{
	struct passage *p = request->priv;

	request->priv = NULL;
	if (!p)
		return;
	p->request = NULL;
	/* What comes of an open that is under way is closed. */
	if (!p->relay)
		passage_free(p);
}

void ssh_bastion_phase(const struct tunnel_request *request, char *out, size_t size, int64_t *since_ms)
{
	const struct passage *p = request->priv;
	const struct ssh_bastion *b = p->bastion;
	const char *what = p->relay ? "connecting on" : "waiting for a place";
	struct remote_info info;

	*since_ms = p->since_ms;
	for (struct list *n = b->relays.next; n != &b->relays && !p->relay; n = n->next) {
		const struct relay *r = CONTAINER_OF(n, struct relay, node);

		if (r->ready || r->closing)
			continue;
		remote_info(r->remote, &info);
		what = info.phase;
		*since_ms = info.phase_since_ms;
		/* It waits for another one itself. */
		if (strchr(what, ':')) {
			snprintf(out, size, "%s", what);
			return;
		}
	}
	snprintf(out, size, "%s: %s", b->spec->label, what);
}

void ssh_bastions_close(struct ssh_transport *t)
{
	struct err err = {.code = 0};

	if (list_empty(&t->bastions)) {
		ssh_transport_empty(t);
		return;
	}
	err_set(&err, E_CANCELED, "closed before the connection was there");
	for (struct list *n = t->bastions.next; n != &t->bastions; n = n->next) {
		struct ssh_bastion *b = CONTAINER_OF(n, struct ssh_bastion, node);

		b->closing = true;
		bastion_fail_waiting(b, &err);
		relays_close_all(b);
		bastion_kick(b);
	}
}
